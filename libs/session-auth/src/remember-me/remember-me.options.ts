import type { OptionReader } from '../options/option-reader.js';
import type { Duration } from '../time/durations.js';
import { DAY, MINUTE, SECOND } from '../time/units.js';

/** What happens when a stolen remember-me token shows up. */
export type OnTheft = 'revoke-tokens-and-sessions' | 'revoke-tokens';

/** All values of {@link OnTheft}. */
export const ON_THEFT_VALUES: readonly OnTheft[] = ['revoke-tokens-and-sessions', 'revoke-tokens'];

/** How devices stay signed in. */
export interface RememberMeOptions {
  /** How long a device is remembered after login; at most 400 days. @default '30d' */
  readonly lifetime?: Duration;
  /** `true`: each use starts the lifetime again. @default false */
  readonly sliding?: boolean;
  /**
   * How long all clients that present one token share a session and its next token: tabs that open together. During
   * this time, a replaced token is refused without an alarm, for requests in flight. Later it counts as stolen. At most
   * 10 minutes; 0 turns both off. @default '30s'
   */
  readonly reuseGrace?: Duration;
  /** What a stolen token ends for its user. @default 'revoke-tokens-and-sessions' */
  readonly onTheft?: OnTheft;
}

/** The resolved `rememberMe` options; times in milliseconds. */
export interface RememberMeSettings {
  readonly lifetime: number;
  readonly sliding: boolean;
  readonly reuseGrace: number;
  readonly onTheft: OnTheft;
}

/** Where {@link RememberMeSettings} are injected from; undefined: remember-me is off. */
export const REMEMBER_ME_SETTINGS = Symbol('nestjs-session-auth remember-me settings');

/** 30 days from the login, 30 seconds of grace; a theft ends tokens and sessions. */
export const DEFAULT_REMEMBER_ME: RememberMeSettings = {
  lifetime: 30 * DAY,
  sliding: false,
  reuseGrace: 30 * SECOND,
  onTheft: 'revoke-tokens-and-sessions',
};

// browsers keep no cookie longer (RFC 6265bis 5.5)
const MAX_LIFETIME = 400 * DAY;
// a thief gets the same time
const MAX_REUSE_GRACE = 10 * MINUTE;

/** The slice `rememberMe` of the options; undefined: off. */
export function resolveRememberMe(root: OptionReader): RememberMeSettings | undefined {
  if (root.get('rememberMe') === false) return undefined;
  const rememberMe = root.slice('rememberMe', ['lifetime', 'sliding', 'reuseGrace', 'onTheft']);
  const { lifetime, reuseGrace, sliding, onTheft } = DEFAULT_REMEMBER_ME;
  return {
    lifetime: rememberMe.duration('lifetime', lifetime, { least: SECOND, most: MAX_LIFETIME }),
    reuseGrace: rememberMe.duration('reuseGrace', reuseGrace, { least: 0, most: MAX_REUSE_GRACE }),
    sliding: rememberMe.flag('sliding', sliding),
    onTheft: rememberMe.oneOf('onTheft', ON_THEFT_VALUES, onTheft),
  };
}
