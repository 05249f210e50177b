import { hash } from 'node:crypto';
import { LruCache } from '../cache/lru-cache.js';
import type { CookieSet } from './cookie-set.js';
import { deviceIdOf, type KnownDevice } from '../cookies/device-cookie.js';
import type { PreSession } from '../cookies/pre-session-cookie.js';
import type { OpenedRememberMeCookie } from '../cookies/remember-me-cookie.js';
import type { FoundCookie } from '../cookies/sealed-cookie.js';
import type { SessionEventPublisher } from '../events/event-publisher.js';
import type { PresentedToken } from '../session/session-reader.js';
import type { SessionGuessing } from '../throttle/session-guessing.js';
import type { Clock } from '../time/clock.js';
import { deviceName } from '../users/client.js';
import type { SessionUser } from '../users/session-user-provider.js';
import type { HttpExchange } from './http-exchange.js';

/** 64 bits: enough to distinguish the devices of one user. */
const DEVICE_BYTES = 8;

/** User agents whose names are kept in memory. */
const REMEMBERED = 500;
const LONGEST = 512;

/** To name a device takes a dozen regular expressions, and a login needs the name several times. */
const deviceNames = new LruCache<string>(REMEMBERED, LONGEST);

/** A device that a user has signed in from. */
export interface UsedDevice {
  readonly id: string;
  /** The time of their last login, in milliseconds since the epoch. */
  readonly since: number;
}

/**
 * The content of the request's cookies as they arrived, unaffected by later changes. It does not say whether a session
 * or a remember-me token is still alive.
 */
export class PresentedCookies {
  /** null: the client sent no such cookie. */
  #sessionCookie: FoundCookie<PresentedToken> | null | undefined;
  /** null: the client sent no such cookie. */
  #rememberMeCookie: FoundCookie<OpenedRememberMeCookie> | null | undefined;

  constructor(
    private readonly exchange: HttpExchange,
    private readonly cookies: CookieSet,
    private readonly guessing: SessionGuessing,
    private readonly clock: Clock,
    private readonly events: SessionEventPublisher,
  ) {}

  /** The session cookie, genuine or not; null if absent. */
  get sessionCookie(): FoundCookie<PresentedToken> | null {
    if (this.#sessionCookie !== undefined) return this.#sessionCookie;
    const found = this.cookies.session.find(this.exchange.headers.cookie, this.clock.now()) ?? null;
    this.#sessionCookie = found;
    if (found?.ambiguous === true) this.#reportAmbiguous('session');
    else if (found !== null && found.content === undefined) this.guessing.add(found.text, this.exchange.client);
    return found;
  }

  /** The content of a genuine session cookie. */
  get session(): PresentedToken | undefined {
    return this.sessionCookie?.content;
  }

  /** The cookie that identifies a browser before it has a session, genuine or not. */
  get preSession(): FoundCookie<PreSession> | undefined {
    return this.cookies.preSession.find(this.exchange.headers.cookie, this.clock.now());
  }

  /** The content of a genuine remember-me cookie. */
  get rememberMe(): OpenedRememberMeCookie | undefined {
    return this.rememberMeCookie?.content;
  }

  /** Whether the client sent a remember-me cookie, genuine or not. */
  get hasRememberMe(): boolean {
    return this.rememberMeCookie !== null;
  }

  /** The remember-me cookie, genuine or not; null if absent. */
  get rememberMeCookie(): FoundCookie<OpenedRememberMeCookie> | null {
    if (this.#rememberMeCookie !== undefined) return this.#rememberMeCookie;
    const found = this.cookies.rememberMe?.find(this.exchange.headers.cookie, this.clock.now()) ?? null;
    this.#rememberMeCookie = found;
    if (found?.ambiguous === true) this.#reportAmbiguous('remember-me');
    return found;
  }

  /** The cookie of the device, genuine or not. */
  get deviceCookie(): FoundCookie<KnownDevice> | undefined {
    return this.cookies.device?.find(this.exchange.headers.cookie, this.clock.now());
  }

  /** The known device, if somebody has signed in from it. */
  get device(): KnownDevice | undefined {
    return this.deviceCookie?.content;
  }

  /** The id of the browser: from its device cookie, or before it has one, derived from its pre-session. */
  get deviceId(): string | undefined {
    const { device, preSession } = this;
    return device?.id ?? (preSession?.content && deviceIdOf(preSession.content.id));
  }

  /** Whether devices are recognised at all. */
  get knowsDevices(): boolean {
    return this.cookies.device !== undefined;
  }

  /**
   * Returns the device if its cookie says that this user has signed in from it, with a browser of the same family on
   * the same platform. The throttle decides whether that still counts, because the user's credentials may have changed.
   */
  deviceUsedBy(user: Pick<SessionUser, 'id'>): UsedDevice | undefined {
    const { device } = this;
    const since = device?.since(this.userOnDevice(user), this.clock.now());
    return since === undefined ? undefined : { id: device!.id, since };
  }

  /**
   * A digest that ties a session to this browser: the device's id, browser family and platform. Before the first login,
   * the id comes from the pre-session. Undefined for a client that keeps no cookies.
   */
  get deviceDigest(): string | undefined {
    const { deviceId } = this;
    if (deviceId === undefined) return undefined;
    const text = `device:${deviceId}:${this.#deviceName}`;
    return hash('sha256', text, 'buffer').toString('base64url', 0, DEVICE_BYTES);
  }

  /**
   * Combines a user with the kind of browser: a cookie copied to another kind of browser does not count as a known
   * device.
   */
  userOnDevice({ id }: Pick<SessionUser, 'id'>): string {
    return `${this.#deviceName}:${id}`;
  }

  get #deviceName(): string {
    return deviceNames.of(this.exchange.client.userAgent ?? '', deviceName);
  }

  #reportAmbiguous(cookie: 'session' | 'remember-me'): void {
    this.events.publish({ type: 'session.ambiguous_cookie', cookie, client: this.exchange.client });
  }
}
