import type { ServerResponse } from 'node:http';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { RequestSession } from '../http/request-session.js';
import { sessionEnded } from '../session/session-required.js';
import { Session } from '../session/session.js';
import type { SessionUser } from '../users/session-user-provider.js';
import { isDataKey, PassportSession, type SessionCallback, type SessionOwner } from './passport-session.js';
import {
  authOf,
  endBy,
  logInBy,
  logOutBy,
  tell,
  type PassportLoginOptions,
  type PassportLogoutOptions,
} from './passport-sign-in.js';

/** Changes by key; undefined removes the key. */
type Patch = Map<string, string | undefined>;

/** The most rounds of storing: each round stores what was written during the previous one. */
const MAX_ROUNDS = 100;

/**
 * The state behind `req.session` of one request: the session that it shows, the changes, and the operations under way.
 * Operations run one after the other.
 */
export class SessionView implements SessionOwner {
  #shown: PassportSession | undefined;
  #session: Session | undefined;
  /** The stored data, as JSON by key. */
  #stored = new Map<string, string>();
  /** The client's token when the view was created. */
  #token: string | undefined;
  /** The value that the application has assigned instead of the view. */
  #replacement: { readonly value: unknown } | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #underWay = 0;
  /** The error of an operation without a callback. */
  #failure: { readonly error: unknown } | undefined;

  private constructor(
    private readonly request: object,
    private readonly response: ServerResponse,
    private readonly requestSession: RequestSession,
    session: Session | undefined,
  ) {
    this.#show(session);
    const get = (): unknown => this.#current();
    const set = (value: unknown): void => {
      this.#replacement = value === this.#shown ? undefined : { value };
    };
    Object.defineProperty(request, 'session', { get, set, configurable: true, enumerable: true });
  }

  /** Sets `req.session` to a view of the request's session. */
  static async open(request: object, response: ServerResponse, requestSession: RequestSession): Promise<SessionView> {
    return new SessionView(request, response, requestSession, await requestSession.load());
  }

  /** Whether the response has to wait. */
  get isDue(): boolean {
    if (this.#underWay > 0 || this.#failure !== undefined) return true;
    try {
      return this.#changes().size > 0;
    } catch {
      // `settle` reports the error
      return true;
    }
  }

  /**
   * Waits for the operations under way, and stores the changes.
   *
   * @throws SessionAuthError `session_required` when the session has ended meanwhile, `session_store_unavailable`,
   *   `invalid_session_data`, `session_data_too_large`, `response_already_sent`
   */
  async settle(): Promise<void> {
    for (let round = 0; this.isDue && round < MAX_ROUNDS; round += 1) {
      await this.#queue;
      if (this.#failure !== undefined) throw this.#failure.error;
      await this.#run(() => this.#write());
    }
  }

  save(view: PassportSession, callback?: SessionCallback): void {
    this.#report(
      this.#run(() => (this.#isShown(view) ? this.#write() : Promise.reject(sessionEnded()))),
      callback,
    );
  }

  destroy(view: PassportSession, callback?: SessionCallback): void {
    if (!this.#isShown(view)) return this.#report(Promise.resolve(), callback);
    this.#shown = undefined;
    this.#report(
      this.#run(async () => {
        const { token, presented } = this.requestSession;
        if (token !== undefined || presented.hasRememberMe) await logOutBy(this.requestSession, this.request);
      }),
      callback,
    );
  }

  regenerate(view: PassportSession, callback?: SessionCallback): void {
    this.#report(
      this.#run(async () => {
        if (!this.#isShown(view)) throw sessionEnded();
        await endBy(this.requestSession);
        this.#show(undefined);
      }),
      callback,
    );
  }

  reload(view: PassportSession, callback?: SessionCallback): void {
    this.#report(
      this.#run(async () => {
        const { exchange, services } = this.requestSession;
        const present = this.#isShown(view) ? await this.requestSession.load() : undefined;
        const { digest } = present === undefined ? {} : Session.foundBy(present);
        const session = digest && (await services.reader.read(digest, exchange, { isUse: false }));
        if (!session) throw sessionEnded();
        this.#show(session);
      }),
      callback,
    );
  }

  /** `req.logIn`, in the current realm of the request. */
  logIn(requestSession: RequestSession, user: SessionUser, options: PassportLoginOptions): Promise<void> {
    return this.#run(async () => {
      const before = this.#session?.userId;
      const kept = this.#kept(options);
      const session = await logInBy(requestSession, this.request, user, options);
      if (requestSession.services !== this.requestSession.services) return;
      this.#show(session);
      // data of another user is never kept, even with keepSessionInfo
      if (kept !== undefined && (before === undefined || before === session.userId)) this.#restore(kept);
    });
  }

  /** `req.logOut`, in the current realm of the request. */
  logOut(requestSession: RequestSession, options: PassportLogoutOptions): Promise<void> {
    return this.#run(async () => {
      const kept = this.#kept(options);
      await logOutBy(requestSession, this.request);
      if (requestSession.services !== this.requestSession.services) return;
      this.#show(undefined);
      if (kept !== undefined) this.#restore(kept);
    });
  }

  #current(): unknown {
    if (this.#replacement !== undefined) return this.#replacement.value;
    // the application has logged out through the service, not through a method of the request
    const isOver = this.#token !== undefined && this.requestSession.token === undefined;
    if (isOver && this.#shown !== undefined) this.#show(undefined);
    return this.#shown;
  }

  #isShown(view: PassportSession): boolean {
    return this.#current() === view;
  }

  #show(session: Session | undefined): void {
    this.#session = session;
    this.#token = this.requestSession.token;
    this.#shown = new PassportSession(this, session);
    this.#replacement = undefined;
    this.#stored = jsonOf(this.#shown);
  }

  #kept({ keepSessionInfo }: { readonly keepSessionInfo?: boolean }): Record<string, unknown> | undefined {
    return keepSessionInfo === true && this.#shown !== undefined ? { ...this.#shown } : undefined;
  }

  #restore(kept: Record<string, unknown>): void {
    const shown = this.#shown!;
    for (const key of Object.keys(shown)) delete shown[key];
    Object.assign(shown, kept);
  }

  #changes(): Patch {
    const patch: Patch = new Map();
    const current = Object.hasOwn(this.request, 'session') ? this.#current() : undefined;
    if (!(current instanceof PassportSession)) return patch;
    const present = jsonOf(current);
    for (const [key, json] of present) if (json !== this.#stored.get(key)) patch.set(key, json);
    for (const key of this.#stored.keys()) if (!present.has(key)) patch.set(key, undefined);
    return patch;
  }

  async #write(): Promise<void> {
    const patch = this.#changes();
    if (patch.size === 0) return;
    const session = await this.requestSession.loadOrSignIn();
    const before = this.#session?.userId;
    if (session === undefined) return this.#create(patch);
    // the application has signed in another user through the service: data of one user must not reach another
    if (before !== undefined && before !== session.userId) return this.#show(session);
    await session.update(dataOf(patch));
    this.#remember(patch);
  }

  async #create(patch: Patch): Promise<void> {
    const isWorthIt = [...patch.values()].some((json) => json !== undefined && json !== '{}');
    if (isWorthIt) {
      const written = new Map([...patch].filter(([, json]) => json !== undefined));
      this.#session = await authOf(this.requestSession).ensureSession(this.request, dataOf(written));
      this.#token = this.requestSession.token;
      // a browser would discard the new cookie with the old ones
      if (this.response.hasHeader('clear-site-data')) this.response.setHeader('clear-site-data', '"storage"');
    }
    this.#remember(patch);
  }

  #remember(patch: Patch): void {
    for (const [key, json] of patch) {
      if (json === undefined) this.#stored.delete(key);
      else this.#stored.set(key, json);
    }
  }

  #run<T>(operation: () => Promise<T>): Promise<T> {
    this.#underWay += 1;
    const done = this.#queue.then(async () => {
      try {
        return await operation();
      } finally {
        this.#underWay -= 1;
      }
    });
    this.#queue = done.catch(() => undefined);
    return done;
  }

  /** Without a callback, the error is sent instead of the response. */
  #report(done: Promise<unknown>, callback: SessionCallback | undefined): void {
    if (typeof callback === 'function') tell(done, callback);
    else done.catch((error: unknown) => (this.#failure ??= { error }));
  }
}

/** The data of a view by key, without values that JSON omits. */
function jsonOf(view: PassportSession): Map<string, string> {
  const found = new Map<string, string>();
  for (const key of Object.keys(view)) {
    const json = isDataKey(key) ? textOf(key, view[key]) : undefined;
    if (json !== undefined) found.set(key, json);
  }
  return found;
}

function textOf(key: string, value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    const message = `req.session: "${key}" cannot be turned into JSON`;
    throw new SessionAuthError('invalid_session_data', message, { cause });
  }
}

function dataOf(patch: Patch): Record<string, unknown> {
  const parsed = [...patch].map(([key, json]) => [key, json === undefined ? undefined : (JSON.parse(json) as unknown)]);
  return Object.fromEntries(parsed) as Record<string, unknown>;
}
