import type { OptionReader } from '../options/option-reader.js';
import type { Duration } from '../time/durations.js';
import { DAY, SECOND } from '../time/units.js';
import { MAX_COOKIE_AGE } from './cookie.options.js';

/** The cookie that recognises a device after a login. */
export interface DeviceCookieOptions {
  /** How long after a login the device is recognised; at most 400 days. @default '180d' */
  readonly lifetime?: Duration;
}

/** The resolved `deviceCookie` options. */
export interface DeviceCookieSettings {
  /** How long a device is recognised, in milliseconds. */
  readonly lifetime: number;
}

/** Where {@link DeviceCookieSettings} are injected from; undefined: no device is recognised. */
export const DEVICE_COOKIE_SETTINGS = Symbol('nestjs-session-auth device cookie settings');

const DEFAULT_LIFETIME = 180 * DAY;

/** The slice `deviceCookie` of the options; undefined: off. */
export function resolveDeviceCookie(root: OptionReader): DeviceCookieSettings | undefined {
  if (root.get('deviceCookie') === false) return undefined;
  const deviceCookie = root.slice('deviceCookie', ['lifetime']);
  return { lifetime: deviceCookie.duration('lifetime', DEFAULT_LIFETIME, { least: SECOND, most: MAX_COOKIE_AGE }) };
}
