import type { OptionReader } from '../options/option-reader.js';
import type { Duration } from '../time/durations.js';
import { DAY, HOUR, MINUTE, SECOND } from '../time/units.js';

/** A number of failures and the time in which they count. */
export interface FailureLimitOptions {
  /**
   * The most failures; beyond that the response is 429. A whole number from 1. @default that of the count, see
   * {@link LoginThrottleOptions}
   */
  readonly failures?: number;
  /** How long failures count; at most 24 days. @default that of the count, see {@link LoginThrottleOptions} */
  readonly window?: Duration;
}

/** The limit of one client at one account, and the block beyond it. */
export interface ClientFailureLimitOptions extends FailureLimitOptions {
  /**
   * The length of the first block; each further one within a day is twice as long as the previous one. @default '1m'
   */
  readonly block?: Duration;
  /** The longest block. @default '1h' */
  readonly maxBlock?: Duration;
}

/**
 * How guessing of passwords is slowed down. Only failures count, of login and re-authentication together. Beyond a
 * limit the response is 429 `too_many_attempts` with `Retry-After`, the same for existing and unknown accounts.
 *
 * **No stranger can lock a user out.** The count of an account as a whole never refuses a device or address that the
 * account was signed in from before. These have their own counts, and are blocked for `client.maxBlock` at most.
 *
 * An account is counted by the typed login name, with all look-alikes as one, and by the id of its user. Only the id is
 * used to clear counts and to grant trust.
 *
 * Every count is stored under a keyed digest, in the storage of the slot `throttle`. Durations are at most 24 days.
 */
export interface LoginThrottleOptions {
  /**
   * One account from one address (an IPv6 network of 64 bits counts as one), or from one device that signed in to it
   * before. A success resets it, for the user who signed in.
   *
   * @default 5 failures in 15 minutes, then a block of 1 minute, 2, 4, … up to 1 hour
   */
  readonly client?: ClientFailureLimitOptions;
  /**
   * One address at all accounts together, against one password tried at many accounts. An IPv6 site of 56 bits has
   * twice as many. All clients without a known address count as one.
   *
   * @default 100 failures in 1 hour
   */
  readonly address?: FailureLimitOptions;
  /**
   * One account from all addresses together, except those it was signed in from before. All known devices of a user
   * together have the same limit, and so have all known addresses; beyond it they count as strangers.
   *
   * @default 50 failures in 1 hour
   */
  readonly account?: FailureLimitOptions;
  /** How long an address stays known after a login to the account, also with a known device. @default '21d' */
  readonly knownFor?: Duration;
}

/** The resolved `loginThrottle` options. Times are milliseconds. */
export interface LoginThrottleSettings {
  readonly client: {
    readonly failures: number;
    readonly window: number;
    readonly block: number;
    readonly maxBlock: number;
  };
  readonly address: { readonly failures: number; readonly window: number };
  readonly account: { readonly failures: number; readonly window: number };
  readonly knownFor: number;
}

/** Where {@link LoginThrottleSettings} are injected from; undefined: nothing is throttled. */
export const LOGIN_THROTTLE_SETTINGS = Symbol('nestjs-session-auth login throttle settings');

/** The longest time that a count may be kept: older tries say nothing about today. */
const MAX_THROTTLE_TIME = 24 * DAY;

/** The defaults of {@link LoginThrottleOptions}. */
export const DEFAULT_LOGIN_THROTTLE: LoginThrottleSettings = {
  client: { failures: 5, window: 15 * MINUTE, block: MINUTE, maxBlock: HOUR },
  address: { failures: 100, window: HOUR },
  account: { failures: 50, window: HOUR },
  knownFor: 21 * DAY,
};

const MAX_FAILURES = 1_000_000;
const RANGE = { least: SECOND, most: MAX_THROTTLE_TIME };

/** The slice `loginThrottle` of the options; undefined: off. */
export function resolveLoginThrottle(root: OptionReader): LoginThrottleSettings | undefined {
  if (root.get('loginThrottle') === false) return undefined;
  const throttle = root.slice('loginThrottle', ['client', 'address', 'account', 'knownFor']);
  const client = throttle.slice('client', ['failures', 'window', 'block', 'maxBlock']);
  const block = client.duration('block', DEFAULT_LOGIN_THROTTLE.client.block, RANGE);
  const maxBlock = client.duration('maxBlock', Math.max(DEFAULT_LOGIN_THROTTLE.client.maxBlock, block), RANGE);
  if (maxBlock < block) throw client.refuse('maxBlock', `at least loginThrottle.client.block, which is ${block} ms`);
  return {
    client: { ...limit(client, DEFAULT_LOGIN_THROTTLE.client), block, maxBlock },
    address: limit(throttle.slice('address', ['failures', 'window']), DEFAULT_LOGIN_THROTTLE.address),
    account: limit(throttle.slice('account', ['failures', 'window']), DEFAULT_LOGIN_THROTTLE.account),
    knownFor: throttle.duration('knownFor', DEFAULT_LOGIN_THROTTLE.knownFor, RANGE),
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
