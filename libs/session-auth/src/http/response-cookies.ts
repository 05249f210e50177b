import type { CookieSet } from './cookie-set.js';
import type { FoundCookie } from '../cookies/sealed-cookie.js';
import { PreSessionCookie } from '../cookies/pre-session-cookie.js';
import type { SessionOfCookie } from '../cookies/session-cookie.js';
import type { Clock } from '../time/clock.js';
import type { SessionUser } from '../users/session-user-provider.js';
import type { HttpExchange } from './http-exchange.js';
import type { PresentedCookies } from './presented-cookies.js';

/** What is known of a kind of cookie to replace it. */
type OwnCookie = Pick<CookieSet['session'], 'name' | 'expire' | 'expireOthers'>;

/**
 * The cookies that the response carries. The last word on each cookie counts. Where the client sent several of a name, what
 * is written of it leaves none of them.
 */
export class ResponseCookies {
  /** The browser's pre-session id from this response on; null: none. Undefined: as presented. */
  #preSessionId: string | null | undefined;
  #isPreSessionWritten = false;

  constructor(
    private readonly exchange: HttpExchange,
    private readonly presented: PresentedCookies,
    private readonly cookies: CookieSet,
    private readonly clock: Clock,
  ) {}

  /**
   * Hands the token of a session to the client.
   *
   * @param until no cookie is written later than this, in milliseconds since the epoch: a newer one may be out by then
   */
  writeSession(token: string, session: SessionOfCookie, until = Infinity): void {
    const { session: cookie } = this.cookies;
    this.#set(cookie, this.presented.sessionCookie, cookie.issue(token, session, this.clock.now()), until);
  }

  /** Takes the session cookie from a client that sent one; none is handed to one that sent none. */
  clearSession(): void {
    this.#clear(this.cookies.session, this.presented.sessionCookie);
  }

  /** Hands a remember-me token of a user to the client, no later than `until`: see {@link writeSession}. */
  writeRememberMe(token: string, userId: string, expiresAt: Date, until = Infinity): void {
    const { rememberMe } = this.cookies;
    if (rememberMe === undefined) return;
    const serialized = rememberMe.issue(token, userId, expiresAt.getTime(), this.clock.now());
    this.#set(rememberMe, this.presented.rememberMeCookie, serialized, until);
  }

  /** Takes the remember-me cookie from a client that sent one; none is handed to one that sent none. */
  clearRememberMe(): void {
    const { rememberMe } = this.cookies;
    if (rememberMe !== undefined) this.#clear(rememberMe, this.presented.rememberMeCookie);
  }

  /**
   * Has the device remember that a user signed in from it.
   *
   * @param since when they did, in milliseconds since the epoch
   */
  writeDevice(user: Pick<SessionUser, 'id'>, since = this.clock.now()): void {
    const { device } = this.cookies;
    if (device === undefined) return;
    const { presented, clock } = this;
    const use = { user: presented.userOnDevice(user), since };
    const line = device.issue(presented.device, use, clock.now(), presented.deviceId);
    this.#set(device, presented.deviceCookie, line);
  }

  /** What {@link writeDevice} was told is not so. */
  dropDevice(): void {
    if (this.cookies.device !== undefined) this.exchange.dropCookie(this.cookies.device.name);
  }

  /**
   * The id of the request's genuine pre-session cookie, or of one that this response sets. None as soon as the request
   * has a session: what a login form was bound to does not speak for whom a remember-me cookie has signed in.
   */
  get preSessionId(): string | undefined {
    if (this.#preSessionId === undefined) this.#preSessionId = this.presented.preSession?.content?.id ?? null;
    return this.#preSessionId ?? undefined;
  }

  /** The id that names the browser until it has a session. It gets a cookie for it where it has none. */
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
   * A browser with a session is named by that: what a login form was bound to is worth nothing any more.
   *
   * @param until as of {@link writeSession}: without the session's cookie the browser keeps this one
   */
  endPreSession(until?: number): void {
    this.#preSessionId = null;
    this.#isPreSessionWritten = false;
    this.#clear(this.cookies.preSession, this.presented.preSession, until);
  }

  /** Takes the cookies that outlive a session from a client that sent them: pre-session and device. */
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
