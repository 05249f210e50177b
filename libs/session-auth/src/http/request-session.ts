import { digestOf } from '../crypto/session-token.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { FingerprintMismatch } from '../fingerprint/fingerprint.js';
import type { IssuedSession } from '../session/session-rotation.js';
import { handedOutAt } from '../session/session-tokens.js';
import { isSessionRequired } from '../session/session-required.js';
import { Session } from '../session/session.js';
import type { SessionUser } from '../users/session-user-provider.js';
import type { HttpExchange } from './http-exchange.js';
import { PresentedCookies } from './presented-cookies.js';
import type { RequestServices } from './request-services.js';
import { ResponseCookies } from './response-cookies.js';
import type { Forgetting } from './session-resumer.js';

/** The session of one request. It is read from the store once, on the first use, and never without a use. */
export class RequestSession {
  readonly presented: PresentedCookies;
  #responseCookies: ResponseCookies | undefined;
  /** The client's new token; null: the cookie was cleared; undefined: the presented token is unchanged. */
  #token: string | null | undefined;
  #live: Promise<Session | undefined> | undefined;
  #session: Promise<Session | undefined> | undefined;
  /** The session is alive but belongs to another client: a remembered login must not replace it. */
  #isForeign = false;
  /** Until when the client may be given the session that resumed it, with any of its tokens. */
  #latestResumption = Infinity;
  #user: Promise<SessionUser | undefined> | undefined;
  #refuseResumption: (() => never) | undefined;
  /** The same request in all realms that were used, including this one. */
  #inRealms: Map<RequestServices, RequestSession> | undefined;

  /** @param isPassive the request does not count as activity of the user */
  constructor(
    readonly exchange: HttpExchange,
    readonly services: RequestServices,
    private readonly isPassive = false,
  ) {
    const { cookies, guessing, clock, events } = services;
    this.presented = new PresentedCookies(exchange, cookies, guessing, clock, events);
  }

  get realm(): string {
    return this.services.realm;
  }

  /** The request in the realm that applies to it. */
  get present(): this {
    return this;
  }

  /** Returns the same request in another realm. Its cookies are opened on the first use of its session. */
  inRealm(services: RequestServices): RequestSession {
    if (services === this.services) return this;
    this.#inRealms ??= new Map([[this.services, this]]);
    let other = this.#inRealms.get(services);
    if (other === undefined) {
      other = new RequestSession(this.exchange, services, this.isPassive);
      other.#inRealms = this.#inRealms;
      this.#inRealms.set(services, other);
    }
    return other;
  }

  /** The cookies that the response carries. */
  get responseCookies(): ResponseCookies {
    const { cookies, clock } = this.services;
    this.#responseCookies ??= new ResponseCookies(this.exchange, this.presented, cookies, clock);
    return this.#responseCookies;
  }

  /** The client's token after this response. Its session may have ended. */
  get token(): string | undefined {
    return this.#token === undefined ? this.presented.session?.token : (this.#token ?? undefined);
  }

  /** The fingerprint for a session that begins with this request; undefined when the check is off. */
  get fingerprint(): string | undefined {
    return this.services.fingerprint?.of(this.exchange);
  }

  /** As {@link fingerprint}, bound only to the signals that `isKnown` accepts. */
  fingerprintBy(isKnown: (signal: string) => boolean): string | undefined {
    return this.services.fingerprint?.of(this.exchange, isKnown);
  }

  /**
   * Returns the live session, or undefined. Signs in a remembered device without a session. Writes a fresh cookie in
   * that case, after a change of keys, when `Max-Age` follows the idle deadline, and when the token must be rotated.
   */
  load(): Promise<Session | undefined> {
    this.#session ??= this.#resume();
    return this.#session;
  }

  /**
   * As {@link load}, for code that makes a session if there is none. A new session would keep a remembered device from
   * being signed in, so even a passive request signs the device in here.
   */
  async loadOrSignIn(): Promise<Session | undefined> {
    const session = await this.load();
    if (session !== undefined || !this.isPassive) return session;
    return (this.#session = this.#resume(false));
  }

  /** Returns the live session of the request's own cookie, or undefined. No remembered device is signed in. */
  loadLive(): Promise<Session | undefined> {
    this.#live ??= this.#find();
    return this.#live;
  }

  /**
   * Returns the session's user from the application, read once for each request; undefined without a session of a user.
   * A user who was deleted or disabled is signed out everywhere (ASVS 7.4.2).
   *
   * @throws SessionAuthError `not_configured` without `users`, `invalid_user` for an invalid result of `users`
   */
  loadUser(): Promise<SessionUser | undefined> {
    this.#user ??= this.#findUser();
    return this.#user;
  }

  /**
   * Returns the session of a token that a proof has just replaced, for a request that repeats the proof; undefined in
   * any other case. It does not become the request's session, and must not be used for anything else.
   */
  async loadRenewable(): Promise<Session | undefined> {
    const { presented, exchange, services } = this;
    if (presented.session === undefined) return undefined;
    const session = await services.reader.readRetired(presented.session, exchange);
    if (session === undefined || Session.foundBy(session).standing.kind !== 'renewable') return undefined;
    const mismatch = services.fingerprint?.compare(Session.recordOf(session).fingerprint, exchange);
    return mismatch === undefined || mismatch.action === 'report' ? session : undefined;
  }

  /**
   * Makes {@link load} reject when it would sign a remembered device in: the CSRF token of this request was not issued
   * for that user.
   *
   * @param refuse throws the error of `load`
   */
  refuseResumption(refuse: () => never): void {
    this.#refuseResumption = refuse;
  }

  /**
   * Call it before the store, in code that must write a cookie.
   *
   * @throws SessionAuthError `response_already_sent`, `response_not_bound`
   */
  requireUnsent(): void {
    if (!this.exchange.headersSent) return;
    this.exchange.requireResponse();
    throw new SessionAuthError(
      'response_already_sent',
      'the head of the response is already written, so cookies cannot be set',
    );
  }

  /**
   * Makes a newly issued token the request's token: the client gets its cookie, and later reads in this request get its
   * session. A token that several logins share may have been replaced already: then the client has the newer one, or
   * will have it.
   *
   * @param until as in {@link ResponseCookies.writeSession}
   */
  replace(issued: IssuedSession, until = Infinity): void {
    const { token, session } = issued;
    Session.attach(session, this.exchange);
    const latest = Math.min(until, this.#latestResumption);
    this.#token = token;
    this.#session = this.#live = Promise.resolve(session);
    if (isNewest(issued)) this.responseCookies.writeSession(token, session, latest);
    this.responseCookies.endPreSession(latest);
  }

  /** Clears the client's cookies, and drops those that the response was about to set. */
  clear(): void {
    this.#token = null;
    this.#session = this.#live = Promise.resolve(undefined);
    this.responseCookies.clearRememberMe();
    this.responseCookies.clearSession();
    this.responseCookies.dropDevice();
  }

  /** Forgets the remembered device of the request and clears its cookie. Costs nothing without such a device. */
  async forgetDevice(how: Forgetting): Promise<void> {
    if (this.presented.hasRememberMe) await this.services.resumer?.forget(this, how);
  }

  /** After this time, the next request with the same token may have been given another cookie. */
  latestHead(): number {
    return this.services.clock.now() + this.services.reader.handOverGrace;
  }

  async #findUser(): Promise<SessionUser | undefined> {
    const session = await this.load();
    if (session?.userId === undefined) return undefined;
    const user = await this.services.findUser(session.userId, this.exchange.client);
    if (user === undefined) this.clear();
    return user;
  }

  async #resume(isPassive = this.isPassive): Promise<Session | undefined> {
    const live = await (this.#live ??= this.#find());
    const { resumer } = this.services;
    if (live !== undefined || this.#isForeign || isPassive) return live;
    if (resumer === undefined || this.exchange.headersSent) return undefined;
    // a request in flight: another one has replaced its token, and has the session
    const { session: presented } = this.presented;
    if (presented !== undefined && this.presented.hasRememberMe) {
      if ((await this.services.reader.readRetired(presented, this.exchange)) !== undefined) return undefined;
    }
    const issued = await resumer.resume(this);
    if (issued === undefined) return undefined;
    this.#latestResumption = issued.until ?? Infinity;
    this.replace(issued);
    const refuse = this.#refuseResumption;
    return refuse === undefined ? issued.session : this.#refuseAll(refuse);
  }

  /** Refuses all later reads in this request as well: an application may have caught the first error. */
  #refuseAll(refuse: () => never): Promise<never> {
    const refused = Promise.resolve().then(refuse);
    // there may be no later read
    refused.catch(() => undefined);
    this.#session = refused;
    return refused;
  }

  async #find(): Promise<Session | undefined> {
    const { presented, exchange, services } = this;
    exchange.dependOnSession(services.http.noStore);
    const cookie = presented.sessionCookie;
    if (cookie?.ambiguous === true) this.responseCookies.clearSession();
    if (cookie?.content === undefined) return undefined;
    const { token, digest, userMark } = cookie.content;
    const askedAt = services.clock.now();
    const found = await services.reader.read(digest, exchange, { userMark, isActivity: !this.isPassive });
    if (found === undefined) return undefined;
    const mismatch = services.fingerprint?.compare(Session.recordOf(found).fingerprint, exchange);
    if (mismatch !== undefined && !(await this.#isTolerated(found, mismatch))) return undefined;
    if (this.isPassive) return found;
    const isFirstUse = Session.foundBy(found).standing.kind === 'successor';
    const session = isFirstUse ? await services.reader.accept(found, exchange) : found;
    if (session === undefined) return undefined;
    if (services.reader.isRotationDue(session)) return this.#handOver(session);
    const isMoved = services.cookies.session.followsIdle && Session.recordOf(found).lastActivityAt >= askedAt;
    // never over a newer token that is on its way to the client, or may be before this response is
    if ((cookie.outdated || isMoved) && !exchange.headersSent && services.reader.isLasting(session))
      this.responseCookies.writeSession(token, session, this.latestHead());
    return session;
  }

  /**
   * Returns the session with a successor of its token for the client; undefined when it has ended since it was read.
   */
  async #handOver(session: Session): Promise<Session | undefined> {
    if (this.exchange.headersSent) return session;
    const until = this.latestHead();
    try {
      const issued = await this.services.rotation.handOver(session, this.exchange.client);
      if (issued === undefined) return session;
      this.#token = issued.token;
      this.responseCookies.writeSession(issued.token, session, until);
      return session;
    } catch (error) {
      if (isSessionRequired(error)) return undefined;
      throw error;
    }
  }

  async #isTolerated(session: Session, mismatch: FingerprintMismatch): Promise<boolean> {
    const { client } = this.exchange;
    this.services.reportMismatch(session, mismatch, client);
    if (mismatch.action === 'report') return true;
    this.#isForeign = true;
    if (mismatch.action === 'reject') return false;
    await this.services.changes.destroySession(session, 'fingerprint_mismatch', client);
    // otherwise the next request would sign it in again
    await this.forgetDevice({ reason: 'fingerprint_mismatch', exceptSessionId: session.id });
    this.#token = null;
    if (!this.exchange.headersSent) this.responseCookies.clearSession();
    return false;
  }
}

/** Whether the client does not have a newer token of the session, and none is on its way. */
function isNewest({ token, session }: IssuedSession): boolean {
  if (Session.foundBy(session).standing.kind === 'superseded') return false;
  const record = Session.recordOf(session);
  return record.tokens === undefined || handedOutAt(record) === undefined || digestOf(token) !== record.digest;
}
