import type { CsrfAnswer, LoginAnswer, SessionAnswer } from '../endpoints/answers.js';
import type { SessionView } from '../session/session-view.js';
import type {
  ErrorAnswer,
  LoginCredentials,
  SessionClientHooks,
  SessionClientOptions,
} from './session-client.options.js';

/** Talks to the endpoints of one realm from a page. */
export interface SessionClient {
  /**
   * As the browser's `fetch`. A request to the origin of the endpoints has the CSRF token, is sent once more where a
   * new token helps, and is looked at for what the hooks are for. A request to any other origin is left alone. An
   * unsafe request is never redirected to another origin.
   *
   * A body that is a stream is kept in memory until the answer is there.
   *
   * @throws SessionClientError where no token was to be had; the request was not sent
   */
  readonly fetch: typeof globalThis.fetch;
  /** @throws SessionClientError `invalid_credentials`, `too_many_attempts` and others */
  login(credentials: LoginCredentials): Promise<LoginAnswer>;
  /** @throws SessionClientError where the server could not be asked; the user is still signed in then */
  logout(): Promise<void>;
  /**
   * Asks who is signed in; undefined: nobody. Keeps the session alive.
   *
   * @throws SessionClientError where the server cannot tell, such as `session_store_unavailable`
   */
  session(): Promise<SessionView | undefined>;
  /** @throws SessionClientError `invalid_credentials`, `session_required` and others */
  reauthenticate(proof: { readonly password: string }): Promise<LoginAnswer>;
}

/** What a page has, and a server that renders it has not. */
interface Page {
  readonly location?: { readonly href: string; readonly origin: string };
  readonly BroadcastChannel?: typeof BroadcastChannel;
}

// what they are given may return a promise: nobody waits for it
declare function setInterval(run: () => unknown, milliseconds: number): unknown;
declare function addEventListener(
  type: 'pageshow',
  listener: (event: { readonly persisted: boolean }) => unknown,
): void;

/** A CSRF token, behind the name of its header. */
type Token = readonly [header: string, csrfToken: string];

/**
 * How often the client looks whether the session's time has come, in milliseconds. A page that slept is late by this.
 */
const TICK = 10_000;

const WITH_COOKIES = { credentials: 'include' } as const;

const nothing = (): undefined => undefined;

const retryAfter = ({ headers }: Response): number => +headers.get('retry-after')! || 0;

/** The JSON of an error; undefined: there is none. */
const errorIn = (response: Response): Promise<ErrorAnswer | undefined> =>
  (response.json() as Promise<ErrorAnswer>).catch(nothing);

const read = async <T>(response: Response): Promise<T> => {
  if (response.ok) return (response.status === 204 || response.json()) as T;
  throw Object.assign(
    Error(),
    { statusCode: response.status, retryAfter: retryAfter(response) },
    await errorIn(response),
  );
};

/**
 * Makes a client of the endpoints at `path`, for pages and workers: one for each realm, as long as the page is there.
 * On a server that renders a page it can be made but not used. It keeps nothing but in memory.
 */
export function createSessionClient({
  path = '/auth',
  on = {},
  expiringBefore = 120_000,
}: SessionClientOptions = {}): SessionClient {
  const { location: page, BroadcastChannel: Channel } = globalThis as Page;
  const { href, origin } = new URL(path, page?.href ?? 'a://b');
  const auth = href.replace(/\/$/, '');
  const home = `${origin}/`;
  // `fetch` takes the header along on every redirect that it follows
  const confined: RequestInit = page?.origin === origin ? { mode: 'same-origin' } : { redirect: 'manual' };
  const channel = page && Channel && new Channel(`session ${auth}`);
  /** Who is signed in, as far as the client was told. */
  let known: SessionView | undefined;
  /** Counts what the client was told. */
  let turn = 0;
  let lostTurn: number;
  let header: string | undefined;
  let token: Token | Promise<Token> | '' | undefined;
  /** How far the server's clock is ahead at least, in milliseconds: what it has told of came before it told it. */
  let ahead = -Infinity;
  let warnedOf: string;
  const running: Record<string, Promise<unknown>> = {};

  /** Everybody who asks while it is running gets the same answer. */
  const once = (key: string, run: () => Promise<unknown>): Promise<unknown> =>
    (running[key] ??= run().finally(() => delete running[key]));

  const call = async (hook: string, argument?: unknown): Promise<unknown> =>
    on[hook as keyof SessionClientHooks]?.(argument as never);

  const told = (session?: SessionView): unknown => call(session ? 'login' : 'logout', session);

  const get = async <T>(route: string, headers?: Record<string, string>): Promise<T> =>
    read<T>(await fetch(auth + route, { ...WITH_COOKIES, headers }));

  const takeToken = (): Promise<Token> =>
    get<CsrfAnswer>('/csrf').then(
      ({ headerName, csrfToken }): Token => [(header = headerName), csrfToken],
      (error) => {
        token = '';
        throw error;
      },
    );

  const isDue = (): boolean =>
    Date.parse(known!.expiresAt) - Date.now() - ahead <= (warnedOf === known!.expiresAt ? 0 : expiringBefore);

  const accept = (session?: SessionView, csrfToken?: string): void => {
    turn++;
    known = session;
    token = csrfToken && header && [header, csrfToken];
    if (session) ahead = Math.max(ahead, Date.parse(session.lastActivityAt) - Date.now());
  };

  const lose = (error: unknown): void => {
    if (lostTurn !== (lostTurn = turn)) void call('sessionRequired', error);
  };

  const ask = async (passive?: Record<string, string>): Promise<void> => {
    const before = known;
    const asked = turn;
    try {
      const session = await get<SessionAnswer>('/session', passive);
      // a login or logout was quicker
      if (asked !== turn) return;
      accept(session, session.csrfToken);
      if (before && before.userId !== session.userId) void told(session);
      if (passive && isDue() && warnedOf !== (warnedOf = session.expiresAt)) void call('expiring', session);
    } catch (error) {
      if (asked !== turn) return;
      if ((error as ErrorAnswer).statusCode !== 401) throw error;
      // a passive request signs no remembered device in
      if (passive) return ask();
      accept();
      if (before) lose(error);
    }
  };

  const check = (passive?: Record<string, string>): Promise<unknown> => once('', () => ask(passive));

  const send = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const before = known;
    const asked = turn;
    if (!new Request((input as Request).url ?? input).url.startsWith(home)) return fetch(input, init);
    const request = new Request(input, { ...WITH_COOKIES, ...init });
    const unsafe = /^(GET|HEAD|OPTIONS)$/.test(request.method) ? undefined : confined;
    for (let met = ''; ;) {
      const used = unsafe && (token ||= takeToken());
      if (used) request.headers.set(...(await used));
      const response = await fetch(request.clone(), unsafe);
      if (response.ok || !response.url.startsWith(home)) return response;
      if (response.status === 429) void call('tooManyAttempts', retryAfter(response));
      const error = await errorIn(response.clone());
      const code = `${error?.code}`;
      if (met.includes(code)) return response;
      met += code;
      const isStale = used && code === 'csrf_failed';
      if (isStale || code === 'session_required') {
        if (token === used) token = '';
        // who is signed in by now? Several requests that have to know ask once
        if (asked === turn && (await check().catch((failure: unknown) => failure))) return response;
        if (known || isStale) {
          // what one user began is not done in the name of another
          if (!before || before.userId === known?.userId) continue;
        } else lose(error);
        return response;
      }
      if (
        !/_required$/.test(code) ||
        (await once(code, () =>
          call(
            code.replace(/_./g, ([, letter]) => letter!.toUpperCase()),
            error,
          ),
        )) !== true
      )
        return response;
    }
  };

  const post = async (route: string, body: object, isTold?: boolean): Promise<LoginAnswer> => {
    token = takeToken();
    const response = await send(auth + route, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answer = await read<LoginAnswer>(response);
    accept(answer.session, answer.csrfToken);
    if (isTold) {
      channel?.postMessage(known);
      void told(known);
    }
    return answer;
  };

  if (page) {
    // the browser has kept the page while others were open
    addEventListener('pageshow', ({ persisted }) => persisted && known && check().catch(nothing));
    setInterval(() => known && isDue() && check({ 'x-session-passive': '1' }).catch(nothing), TICK);
  }
  if (channel)
    channel.onmessage = ({ data }: { data: SessionView | undefined }) => {
      accept(data);
      void told(data);
    };

  return {
    fetch: send,
    login: (credentials) => post('/login', credentials, true),
    logout: () => post('/logout', {}, true) as Promise<never>,
    session: async () => {
      await check();
      return known;
    },
    reauthenticate: (proof) => post('/reauthenticate', proof),
  };
}
