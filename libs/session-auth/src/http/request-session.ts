import { SessionAuthError } from '../errors/session-auth.error.js';
import type { IssuedSession } from '../session/session-lifecycle.js';
import type { SessionEventPublisher } from '../events/event-publisher.js';
import type { SessionLifecycleService } from '../session/session-lifecycle.service.js';
import { Session } from '../session/session.js';
import type { Clock } from '../time/clock.js';
import type { SessionUser, SessionUserProvider } from '../users/session-user-provider.js';
import type { Fingerprint, FingerprintMismatch } from '../fingerprint/fingerprint.js';
import type { HttpExchange } from './http-exchange.js';
import { PreSessionCookie, type OpenedPreSession } from '../cookies/pre-session-cookie.js';
import type { OpenedSessionCookie, SessionCookie } from '../cookies/session-cookie.js';
import type { SessionGuessing } from '../throttle/session-guessing.js';

/** What request sessions are made with. */
export interface RequestSessionParts {
  readonly cookie: SessionCookie;
  readonly preSessionCookie: PreSessionCookie;
  readonly guessing: SessionGuessing;
  /** Absent where the check is off. */
  readonly fingerprint: Fingerprint | undefined;
  readonly events: SessionEventPublisher;
  readonly lifecycle: SessionLifecycleService;
  readonly clock: Clock;
  /** Absent where the application configured no `users`. */
  readonly users: SessionUserProvider | undefined;
  /** Absent where remember-me is off. */
  readonly remembered: RememberedLoginResumer | undefined;
}

/** Signs in a remembered device that has no live session. */
export interface RememberedLoginResumer {
  resume(bound: RequestSession): Promise<Session | undefined>;
  /** Takes the remember-me cookie from a client that sent one. */
  clearCookie(bound: RequestSession): void;
  /** Whether the client sent a remember-me cookie, genuine or not. */
  isSent(bound: RequestSession): boolean;
  /** Whether the client sent a genuine remember-me cookie. Whether its token is still good is not known from it. */
  isPresented(bound: RequestSession): boolean;
}

/**
 * The session of one request: read from the store once, when somebody first asks, and not at all if nobody does.
 */
export class RequestSession {
  #opened: Pick<OpenedSessionCookie, 'token' | 'outdated'> | undefined;
  #isOpened = false;
  #isVaried = false;
  #presented: OpenedSessionCookie | undefined;
  /** null: there is none. */
  #preSession: OpenedPreSession | null | undefined;
  #live: Promise<Session | undefined> | undefined;
  #session: Promise<Session | undefined> | undefined;
  #loaded: Session | undefined;
  /** A live session that was not this client's: not to be made up for by a remembered login. */
  #isForeign = false;
  #user: Promise<SessionUser | undefined> | undefined;

  constructor(
    readonly exchange: HttpExchange,
    private readonly parts: RequestSessionParts,
  ) {}

  /** The token that the request's cookie holds, if it is genuine. Whether its session lives is not known from it. */
  get token(): string | undefined {
    return this.#open()?.token;
  }

  /**
   * The token that the request's cookie held when it came in, if it was genuine: also after this request has replaced
   * or cleared it.
   */
  get presentedToken(): string | undefined {
    this.#open();
    return this.#presented?.token;
  }

  /** What the user of {@link presentedToken} is known by. */
  get presentedUserMark(): Uint8Array | undefined {
    this.#open();
    return this.#presented?.userMark;
  }

  /**
   * The id of the request's genuine pre-session cookie, or of one that this response sets. None as soon as the request
   * has a session: what a login form was bound to does not speak for whom a remember-me cookie has signed in.
   */
  get preSessionId(): string | undefined {
    return this.#openPreSession()?.id;
  }

  /** Whether the request came with a genuine cookie that signs somebody in, be it for a session or a device. */
  get isAuthenticating(): boolean {
    return this.presentedToken !== undefined || this.parts.remembered?.isPresented(this) === true;
  }

  /** The id that the browser is known by until it has a session; it gets a cookie for it where it has none. */
  ensurePreSession(): string {
    const { preSessionCookie, clock } = this.parts;
    let preSession = this.#openPreSession();
    if (preSession === null || preSession.outdated) {
      preSession = { id: preSession?.id ?? PreSessionCookie.newId(), outdated: false };
      this.#preSession = preSession;
      this.exchange.setCookie(preSessionCookie.name, preSessionCookie.issue(preSession.id, clock.now()));
    }
    return preSession.id;
  }

  /** What a session that begins with this request is bound to of its client; undefined where the check is off. */
  get fingerprint(): string | undefined {
    return this.parts.fingerprint?.of(this.exchange.traits);
  }

  /** The same, bound only to what a signal named by `isKnown` says. */
  fingerprintBy(isKnown: (signal: string) => boolean): string | undefined {
    return this.parts.fingerprint?.of(this.exchange.traits, isKnown);
  }

  /**
   * The live session, or undefined. A device that is remembered and has none is signed in by this. May write a fresh
   * cookie: after that, after a change of keys, when `Max-Age` follows the idle expiry, and when the token is due for
   * rotation.
   */
  load(): Promise<Session | undefined> {
    this.#session ??= this.#resolve();
    return this.#session;
  }

  /** The live session of the request's own cookie, or undefined: nobody is signed in by being remembered. */
  loadLive(): Promise<Session | undefined> {
    this.#varyByCookie();
    this.#live ??= this.#find();
    return this.#live;
  }

  /** Whether the client sent nothing that a session could be found by: known without waiting, and then there is none. */
  get isWithoutCookie(): boolean {
    this.#varyByCookie();
    return this.#open() === undefined && this.parts.remembered?.isSent(this) !== true;
  }

  /** What {@link load} answers, where it is known already: to be had without waiting. */
  get loaded(): Session | undefined {
    return this.#loaded;
  }

  /**
   * The session's user as the application knows them, read once a request; undefined without a session of a user.
   * A user who is gone or disabled is signed out everywhere (ASVS 7.4.2).
   *
   * @throws SessionAuthError `not_configured` without `users`
   */
  loadUser(): Promise<SessionUser | undefined> {
    this.#user ??= this.#findUser();
    return this.#user;
  }

  /**
   * Makes a newly issued token the request's: the client gets its cookie, whoever asks from now on its session. One that
   * several logins share may have been replaced already: the client has the newer one.
   */
  replace({ token, session }: IssuedSession): void {
    this.#open();
    this.#opened = { token, outdated: false };
    this.#session = this.#live = Promise.resolve(session);
    this.#loaded = session;
    if (!this.parts.lifecycle.isSuperseded(session)) this.#write(token, session);
    this.#endPreSession();
  }

  /** Takes the cookies from the client. */
  clear(): void {
    this.#open();
    this.#opened = undefined;
    this.#session = this.#live = Promise.resolve(undefined);
    this.#loaded = undefined;
    this.parts.remembered?.clearCookie(this);
    this.exchange.setCookie(this.parts.cookie.name, this.parts.cookie.expire());
  }

  async #findUser(): Promise<SessionUser | undefined> {
    const { users, lifecycle } = this.parts;
    const session = await this.load();
    if (session?.userId === undefined) return undefined;
    if (users === undefined)
      throw new SessionAuthError('not_configured', 'SessionAuthModule was given no users provider');
    const user = await users.findById(session.userId);
    if (user && user.disabled !== true) return user;
    await lifecycle.revokeAll(session.userId, 'account_disabled', this.exchange.client);
    this.clear();
    return undefined;
  }

  #open(): Pick<OpenedSessionCookie, 'token' | 'outdated'> | undefined {
    if (!this.#isOpened) {
      const { cookie, clock, guessing } = this.parts;
      const { cookieHeader } = this.exchange;
      const found = cookie.find(cookieHeader, clock.now());
      this.#isOpened = true;
      this.#opened = this.#presented = found?.opened;
      if (found !== undefined && found.opened === undefined) guessing.add(found.text, this.exchange.client);
    }
    return this.#opened;
  }

  #openPreSession(): OpenedPreSession | null {
    if (this.#preSession === undefined) {
      const { preSessionCookie, clock } = this.parts;
      this.#preSession = preSessionCookie.read(this.exchange.cookieHeader, clock.now()) ?? null;
    }
    return this.#preSession;
  }

  /** A browser with a session is known by that; what a login form was bound to is worth nothing any more. */
  #endPreSession(): void {
    const { preSessionCookie } = this.parts;
    if (!this.#preSession && !preSessionCookie.isIn(this.exchange.cookieHeader)) return;
    this.#preSession = null;
    this.exchange.setCookie(preSessionCookie.name, preSessionCookie.expire());
  }

  #varyByCookie(): void {
    if (this.#isVaried) return;
    this.#isVaried = true;
    if (!this.exchange.headersSent) this.exchange.vary('Cookie');
  }

  async #resolve(): Promise<Session | undefined> {
    const live = await this.loadLive();
    const { remembered } = this.parts;
    if (live !== undefined || this.#isForeign || remembered === undefined || this.exchange.headersSent) return live;
    return remembered.resume(this);
  }

  async #find(): Promise<Session | undefined> {
    this.#open();
    const opened = this.#presented;
    if (opened === undefined) return undefined;
    const askedAt = this.parts.clock.now();
    const session = await this.parts.lifecycle.findPresented(opened, this.exchange);
    if (session === undefined) return undefined;
    const mismatch = this.#mismatchOf(session);
    if (mismatch !== undefined && !(await this.#survives(session, mismatch))) {
      this.#isForeign = true;
      return undefined;
    }
    // a token that has been replaced already must not be written over the newer one that is on its way to the client
    if (!this.exchange.headersSent && !this.parts.lifecycle.isSuperseded(session)) {
      if (this.parts.lifecycle.isRotationDue(session)) {
        if (!(await this.#rotate(session))) return undefined;
      } else if (opened.outdated || (this.parts.cookie.followsIdle && session.lastActivityAt.getTime() >= askedAt)) {
        this.#write(opened.token, session);
      }
    }
    // a logout or a login that took place meanwhile has had the last word
    if (this.#opened === opened) this.#loaded = session;
    return session;
  }

  /** Gives the session a new token and the client its cookie. Answers false when it has ended since it was read. */
  async #rotate(session: Session): Promise<boolean> {
    try {
      const issued = await this.parts.lifecycle.rotate(session, { reason: 'interval', client: this.exchange.client });
      if (issued !== undefined) {
        this.#opened = { token: issued.token, outdated: false };
        this.#write(issued.token, session);
      }
      return true;
    } catch (error) {
      if (error instanceof SessionAuthError && error.code === 'session_required') return false;
      throw error;
    }
  }

  /** How this client differs from the session's. One from before the check was switched on is anybody's. */
  #mismatchOf(session: Session): FingerprintMismatch | undefined {
    const { fingerprint } = this.parts;
    const stored = Session.recordOf(session).fingerprint;
    return stored === undefined ? undefined : fingerprint?.compare(stored, this.exchange.traits);
  }

  /** Whether a session goes on for a client that is another than at login. */
  async #survives(session: Session, mismatch: FingerprintMismatch): Promise<boolean> {
    const { lifecycle, events } = this.parts;
    const { client } = this.exchange;
    events.publish({
      type: 'session.fingerprint_mismatch',
      sessionId: session.id,
      userId: session.userId,
      ...mismatch,
      client,
    });
    if (mismatch.action !== 'destroy') return mismatch.action === 'report';
    await lifecycle.destroySession(session, 'fingerprint_mismatch', client);
    this.#opened = undefined;
    if (!this.exchange.headersSent) this.exchange.setCookie(this.parts.cookie.name, this.parts.cookie.expire());
    return false;
  }

  #write(token: string, session: Session): void {
    const cookie = this.parts.cookie.issue(token, session, this.parts.clock.now());
    this.exchange.setCookie(this.parts.cookie.name, cookie);
  }
}
