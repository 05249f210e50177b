import type { OptionReader } from './options/option-reader.js';
import {
  DEFAULT_LOGIN_THROTTLE as DEFAULTS,
  MAX_THROTTLE_TIME,
  type LoginThrottleSettings,
} from './throttle/login-throttle-settings.js';

const MAX_FAILURES = 1_000_000;
const RANGE = { least: 1000, most: MAX_THROTTLE_TIME };

/** The slice `loginThrottle` of the options; undefined: off. */
export function resolveLoginThrottle(root: OptionReader): LoginThrottleSettings | undefined {
  if (root.get('loginThrottle') === false) return undefined;
  const throttle = root.slice('loginThrottle', ['client', 'address', 'account', 'knownFor']);
  const client = throttle.slice('client', ['failures', 'window', 'block', 'maxBlock']);
  const block = client.duration('block', DEFAULTS.client.block, RANGE);
  const maxBlock = client.duration('maxBlock', Math.max(DEFAULTS.client.maxBlock, block), RANGE);
  if (maxBlock < block) throw client.refuse('maxBlock', `at least loginThrottle.client.block, which is ${block} ms`);
  return {
    client: { ...limit(client, DEFAULTS.client), block, maxBlock },
    address: limit(throttle.slice('address', ['failures', 'window']), DEFAULTS.address),
    account: limit(throttle.slice('account', ['failures', 'window']), DEFAULTS.account),
    knownFor: throttle.duration('knownFor', DEFAULTS.knownFor, RANGE),
  };
}

function limit(
  options: OptionReader,
  defaults: { readonly failures: number; readonly window: number },
): { readonly failures: number; readonly window: number } {
  return {
    failures: options.integer('failures', defaults.failures, 1, MAX_FAILURES),
    window: options.duration('window', defaults.window, RANGE),
  };
}
