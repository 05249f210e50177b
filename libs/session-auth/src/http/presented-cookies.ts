import { hash } from 'node:crypto';
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

/** 64 bits: what tells the devices of one user apart. */
const DEVICE_BYTES = 8;

/** A device that a user has signed in from. */
export interface UsedDevice {
  readonly id: string;
  /** When they did last, in milliseconds since the epoch. */
  readonly since: number;
}

/**
 * What the cookies of a request said when it came in, whatever the request has done since. Whether a session or a
 * remember-me token still lives is not known from it.
 */
export class PresentedCookies {
  /** null: the client sent none. */
  #sessionCookie: FoundCookie<PresentedToken> | null | undefined;
  /** null: the client sent none. */
  #rememberMeCookie: FoundCookie<OpenedRememberMeCookie> | null | undefined;

  constructor(
    private readonly exchange: HttpExchange,
    private readonly cookies: CookieSet,
    private readonly guessing: SessionGuessing,
    private readonly clock: Clock,
    private readonly events: SessionEventPublisher,
  ) {}

  /** The session cookie, genuine or not; null: there is none. */
  get sessionCookie(): FoundCookie<PresentedToken> | null {
    if (this.#sessionCookie !== undefined) return this.#sessionCookie;
    const found = this.cookies.session.find(this.exchange.headers.cookie, this.clock.now()) ?? null;
    this.#sessionCookie = found;
    if (found?.ambiguous === true) this.#reportAmbiguous('session');
    else if (found !== null && found.content === undefined) this.guessing.add(found.text, this.exchange.client);
    return found;
  }

  /** The genuine session cookie. */
  get session(): PresentedToken | undefined {
    return this.sessionCookie?.content;
  }

  /** The cookie that names a browser before it has a session, genuine or not. */
  get preSession(): FoundCookie<PreSession> | undefined {
    return this.cookies.preSession.find(this.exchange.headers.cookie, this.clock.now());
  }

  /** The genuine remember-me cookie. */
  get rememberMe(): OpenedRememberMeCookie | undefined {
    return this.rememberMeCookie?.content;
  }

  /** Whether the client sent a remember-me cookie, genuine or not. */
  get hasRememberMe(): boolean {
    return this.rememberMeCookie !== null;
  }

  /** The remember-me cookie, genuine or not; null: there is none. */
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

  /** The device that somebody signed in from before. */
  get device(): KnownDevice | undefined {
    return this.deviceCookie?.content;
  }

  /** What names the browser: the id in its device cookie, or before it has one, one that follows from its pre-session. */
  get deviceId(): string | undefined {
    const { device, preSession } = this;
    return device?.id ?? (preSession?.content && deviceIdOf(preSession.content.id));
  }

  /** Whether devices are recognised at all. */
  get knowsDevices(): boolean {
    return this.cookies.device !== undefined;
  }

  /**
   * The device, if its cookie says that this user has signed in from it, by a browser of the same family on the same
   * platform. Whether that still counts is the throttle's to say: the user's credentials may have changed since.
   */
  deviceUsedBy(user: Pick<SessionUser, 'id'>): UsedDevice | undefined {
    const { device } = this;
    const since = device?.since(this.userOnDevice(user), this.clock.now());
    return since === undefined ? undefined : { id: device!.id, since };
  }

  /**
   * What a session is known by to be this browser's: digest of the device's id, browser family and platform. Before the
   * first login a browser is known by its pre-session. Undefined for a client that keeps no cookies.
   */
  get deviceDigest(): string | undefined {
    const { deviceId } = this;
    if (deviceId === undefined) return undefined;
    const text = `device:${deviceId}:${deviceName(this.exchange.client.userAgent)}`;
    return hash('sha256', text, 'buffer').toString('base64url', 0, DEVICE_BYTES);
  }

  /** A user with one kind of browser: a cookie that was copied to another kind is of no known device. */
  userOnDevice({ id }: Pick<SessionUser, 'id'>): string {
    return `${deviceName(this.exchange.client.userAgent)}:${id}`;
  }

  #reportAmbiguous(cookie: 'session' | 'remember-me'): void {
    this.events.publish({ type: 'session.ambiguous_cookie', cookie, client: this.exchange.client });
  }
}
