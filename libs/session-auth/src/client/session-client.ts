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
   * Like the browser's `fetch`. A request to the origin of the endpoints carries the CSRF token, and is sent once more
   * if a new token helps; its response may call hooks. A request to any other origin is not changed. An unsafe request
   * does not follow a redirect to another origin.
   *
   * A body that is a stream is kept in memory until the response arrives.
   *
   * @throws SessionClientError if the client could not get a token; the request was not sent
   */
  readonly fetch: typeof globalThis.fetch;
  /** @throws SessionClientError `invalid_credentials`, `too_many_attempts` and others */
  login(credentials: LoginCredentials): Promise<LoginAnswer>;
  /** @throws SessionClientError if the server could not process the logout; the user is still signed in then */
  logout(): Promise<void>;
  /**
   * Returns the session of the signed-in user, or undefined if nobody is signed in. Keeps the session alive.
   *
   * @throws SessionClientError if the server does not know, for example `session_store_unavailable`
   */
  session(): Promise<SessionView | undefined>;
  /** @throws SessionClientError `invalid_credentials`, `session_required` and others */
  reauthenticate(proof: { readonly password: string }): Promise<LoginAnswer>;
}

/** Globals that exist in a page, but not on a server that renders it. */
interface Page {
  readonly location?: { readonly href: string; readonly origin: string };
  readonly BroadcastChannel?: typeof BroadcastChannel;
}

// the callback may return a promise; nobody waits for it
declare function setInterval(run: () => unknown, milliseconds: number): unknown;
declare function addEventListener(
  type: 'pageshow',
  listener: (event: { readonly persisted: boolean }) => unknown,
): void;

/** The name of the CSRF header, and the token. */
type Token = readonly [header: string, csrfToken: string];

/**
 * How often the client checks whether the session's time has come, in milliseconds. A page that slept is late by at
 * most this.
 */
const TICK = 10_000;

const WITH_COOKIES = { credentials: 'include' } as const;

const nothing = (): undefined => undefined;

const retryAfter = ({ headers }: Response): number => +headers.get('retry-after')! || 0;

/** The JSON of an error; undefined if the response has no such JSON. */
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
 * Creates a client of the endpoints at `path`, for pages and workers. Create one for each realm, for the lifetime of
 * the page. A server that renders a page can create a client, but not use it. The client stores data only in memory.
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
  // `fetch` repeats the header on every redirect that it follows
  const confined: RequestInit = page?.origin === origin ? { mode: 'same-origin' } : { redirect: 'manual' };
  const channel = page && Channel && new Channel(`session ${auth}`);
  /** The signed-in user, as the server or another tab last reported. */
  let known: SessionView | undefined;
  /** Counts these reports. */
  let turn = 0;
  let lostTurn: number;
  let header: string | undefined;
  let token: Token | Promise<Token> | '' | undefined;
  /** The least that the server's clock is ahead, in milliseconds: the server reports an activity only after it. */
  let ahead = -Infinity;
  let warnedOf: string;
  const running: Record<string, Promise<unknown>> = {};

  /** All callers get the same result while it is running. */
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
      // a login or logout finished first
      if (asked !== turn) return;
      accept(session, session.csrfToken);
      if (before && before.userId !== session.userId) void told(session);
      if (passive && isDue() && warnedOf !== (warnedOf = session.expiresAt)) void call('expiring', session);
    } catch (error) {
      if (asked !== turn) return;
      if ((error as ErrorAnswer).statusCode !== 401) throw error;
      // a passive request does not sign in a remembered device
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
        // who is signed in now? Several requests that need to know share one check
        if (asked === turn && (await check().catch((failure: unknown) => failure))) return response;
        if (known || isStale) {
          // a request that one user began is not sent in the name of another
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
    // the browser kept this page while it showed others
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
