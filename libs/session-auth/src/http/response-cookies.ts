import type { CookieSet } from './cookie-set.js';
import type { FoundCookie } from '../cookies/sealed-cookie.js';
import { PreSessionCookie } from '../cookies/pre-session-cookie.js';
import type { SessionOfCookie } from '../cookies/session-cookie.js';
import type { Clock } from '../time/clock.js';
import type { SessionUser } from '../users/session-user-provider.js';
import type { HttpExchange } from './http-exchange.js';
import type { PresentedCookies } from './presented-cookies.js';

/** The parts of a cookie that are needed to replace it. */
type OwnCookie = Pick<CookieSet['session'], 'name' | 'expire' | 'expireOthers'>;

/**
 * The cookies that the response sets. The last call for each cookie wins. If the client sent several of one name,
 * writing the cookie clears all of them.
 */
export class ResponseCookies {
  /** The browser's pre-session id after this response; null: cleared; undefined: unchanged. */
  #preSessionId: string | null | undefined;
  #isPreSessionWritten = false;

  constructor(
    private readonly exchange: HttpExchange,
    private readonly presented: PresentedCookies,
    private readonly cookies: CookieSet,
    private readonly clock: Clock,
  ) {}

  /**
   * Sends the token of a session to the client.
   *
   * @param until no cookie is written later than this, in milliseconds since the epoch: a newer one may exist by then
   */
  writeSession(token: string, session: SessionOfCookie, until = Infinity): void {
    const { session: cookie } = this.cookies;
    this.#set(cookie, this.presented.sessionCookie, cookie.issue(token, session, this.clock.now()), until);
  }

  /** Clears the session cookie, if the client sent one; sends no new one. */
  clearSession(): void {
    this.#clear(this.cookies.session, this.presented.sessionCookie);
  }

  /** Sends a user's remember-me token to the client, no later than `until`: see {@link writeSession}. */
  writeRememberMe(token: string, userId: string, expiresAt: Date, until = Infinity): void {
    const { rememberMe } = this.cookies;
    if (rememberMe === undefined) return;
    const serialized = rememberMe.issue(token, userId, expiresAt.getTime(), this.clock.now());
    this.#set(rememberMe, this.presented.rememberMeCookie, serialized, until);
  }

  /** Clears the remember-me cookie, if the client sent one; sends no new one. */
  clearRememberMe(): void {
    const { rememberMe } = this.cookies;
    if (rememberMe !== undefined) this.#clear(rememberMe, this.presented.rememberMeCookie);
  }

  /**
   * Records in the device cookie that a user signed in from the device.
   *
   * @param since the time of the login, in milliseconds since the epoch
   */
  writeDevice(user: Pick<SessionUser, 'id'>, since = this.clock.now()): void {
    const { device } = this.cookies;
    if (device === undefined) return;
    const { presented, clock } = this;
    const use = { user: presented.userOnDevice(user), since };
    const line = device.issue(presented.device, use, clock.now(), presented.deviceId);
    this.#set(device, presented.deviceCookie, line);
  }

  /** Takes {@link writeDevice} back. */
  dropDevice(): void {
    if (this.cookies.device !== undefined) this.exchange.dropCookie(this.cookies.device.name);
  }

  /**
   * The id of the request's genuine pre-session cookie, or of one that this response sets. Undefined once the request
   * has a session: the binding of a login form says nothing about a user whom a remember-me cookie signed in.
   */
  get preSessionId(): string | undefined {
    if (this.#preSessionId === undefined) this.#preSessionId = this.presented.preSession?.content?.id ?? null;
    return this.#preSessionId ?? undefined;
  }

  /** Returns the id of the browser until it has a session. Sends a cookie for it if needed. */
  ensurePreSession(): string {
    const { preSession } = this.cookies;
    const known = this.preSessionId;
    if (known !== undefined && (this.#isPreSessionWritten || this.presented.preSession?.outdated === false))
      return known;
    const id = known ?? PreSessionCookie.newId();
    this.#preSessionId = id;
    this.#isPreSessionWritten = true;
    this.#set(preSession, this.presented.preSession, preSession.issue(id, this.clock.now()));
    return id;
  }

  /**
   * Ends the pre-session of a browser that has a session: tokens of the login form stop working.
   *
   * @param until as in {@link writeSession}: without the session's cookie the browser keeps this one
   */
  endPreSession(until?: number): void {
    this.#preSessionId = null;
    this.#isPreSessionWritten = false;
    this.#clear(this.cookies.preSession, this.presented.preSession, until);
  }

  /** Clears the cookies that outlive a session, if the client sent them: pre-session and device. */
  clearOthers(): void {
    this.endPreSession();
    if (this.cookies.device !== undefined) this.#clear(this.cookies.device, this.presented.deviceCookie);
  }

  #clear(cookie: OwnCookie, found: FoundCookie<object> | null | undefined, until?: number): void {
    if (this.exchange.headersSent) return;
    if (found) this.#set(cookie, found, cookie.expire(), until);
    else this.exchange.dropCookie(cookie.name);
  }

  #set(cookie: OwnCookie, found: FoundCookie<object> | null | undefined, serialized: string, until = Infinity): void {
    const { exchange } = this;
    const lines = found?.ambiguous === true ? [...cookie.expireOthers(exchange), serialized] : [serialized];
    exchange.setCookie(cookie.name, lines, () => this.clock.now() > until);
  }
}
