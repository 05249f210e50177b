import { Inject, Injectable } from '@nestjs/common';
import { KeyRing } from '../crypto/key-ring.js';
import { REMEMBER_ME_SETTINGS, type RememberMeSettings } from '../remember-me/remember-me.options.js';
import { SESSION_LIFETIME, type SessionLifetime } from '../session/lifetime.options.js';
import { COOKIE_ATTRIBUTES, type CookieAttributes } from '../cookies/cookie.options.js';
import { DEVICE_COOKIE_SETTINGS, type DeviceCookieSettings } from '../cookies/device-cookie.options.js';
import { DeviceCookie } from '../cookies/device-cookie.js';
import { PreSessionCookie } from '../cookies/pre-session-cookie.js';
import { RememberMeCookie } from '../cookies/remember-me-cookie.js';
import { SessionCookie } from '../cookies/session-cookie.js';

/** All cookies of the library. */
@Injectable()
export class CookieSet {
  readonly session: SessionCookie;
  readonly preSession: PreSessionCookie;
  /** Undefined when the application has switched it off. */
  readonly rememberMe: RememberMeCookie | undefined;
  /** Undefined when the application has switched it off. */
  readonly device: DeviceCookie | undefined;

  constructor(
    keys: KeyRing,
    @Inject(COOKIE_ATTRIBUTES) attributes: CookieAttributes,
    @Inject(SESSION_LIFETIME) { absolute, idle }: SessionLifetime,
    @Inject(REMEMBER_ME_SETTINGS) rememberMe: RememberMeSettings | undefined,
    @Inject(DEVICE_COOKIE_SETTINGS) device: DeviceCookieSettings | undefined,
  ) {
    this.session = new SessionCookie(keys, { attributes, absolute, idle });
    this.preSession = new PreSessionCookie(keys, attributes, absolute);
    this.rememberMe = rememberMe && new RememberMeCookie(keys, attributes);
    this.device = device && new DeviceCookie(keys, attributes, device.lifetime);
  }
}
