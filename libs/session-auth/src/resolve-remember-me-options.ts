import type { OptionReader } from './options/option-reader.js';
import { DEFAULT_REMEMBER_ME, ON_THEFT_VALUES, type RememberMeSettings } from './remember-me/remember-me.options.js';

const MINUTE = 60_000;
// browsers keep no cookie longer (RFC 6265bis 5.5)
const MAX_LIFETIME = 400 * 24 * 60 * MINUTE;
// a thief has as long
const MAX_REUSE_GRACE = 10 * MINUTE;

/** The `rememberMe` options with their defaults; undefined: off. */
export function resolveRememberMe(root: OptionReader): RememberMeSettings | undefined {
  if (root.get('rememberMe') === false) return undefined;
  const rememberMe = root.slice('rememberMe', ['lifetime', 'sliding', 'reuseGrace', 'onTheft']);
  const { lifetime, reuseGrace, sliding, onTheft } = DEFAULT_REMEMBER_ME;
  return {
    lifetime: rememberMe.duration('lifetime', lifetime, { least: 1000, most: MAX_LIFETIME }),
    reuseGrace: rememberMe.duration('reuseGrace', reuseGrace, { least: 0, most: MAX_REUSE_GRACE }),
    sliding: rememberMe.flag('sliding', sliding),
    onTheft: rememberMe.oneOf('onTheft', ON_THEFT_VALUES, onTheft),
  };
}
