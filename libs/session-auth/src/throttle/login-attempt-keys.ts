import type { StoreDeadline } from '../async/store-deadline.js';
import type { LoginThrottleScope } from '../events/session-event.js';
import type { Clock } from '../time/clock.js';
import { DAY } from '../time/units.js';
import type { FailureCount, FailureKey, LoginThrottleStore } from './login-throttle-store.js';
import type { LoginThrottleSettings } from './login-throttle.options.js';

/**
 * How many milliseconds a change of credentials is remembered. No device cookie lives longer, so nobody needs it after
 * that.
 */
export const CHANGE_KNOWN_FOR = 400 * DAY;

/** Whether a login at this time came after the last remembered change of credentials. */
export function isAfterChange(since: number, change: FailureCount | undefined): boolean {
  return change === undefined || since > change.until - CHANGE_KNOWN_FOR;
}

/** What all attempts share. */
export interface LoginAttemptContext {
  readonly store: LoginThrottleStore;
  readonly deadline: StoreDeadline;
  readonly clock: Clock;
  readonly settings: LoginThrottleSettings;
}

/** One account, by user or by name, from one client. */
export interface PairKeys {
  readonly failures: FailureKey;
  /** How often the pair was blocked recently. */
  readonly blocks: FailureKey;
}

/** The counts of an attempt. */
export interface LoginAttemptKeys {
  /** A count that exists while a change of the user's credentials is remembered. */
  readonly changed: FailureKey;
  /** All known devices of the user together. */
  readonly devices: FailureKey;
  /** All addresses together that the user is known to have signed in from. */
  readonly networks: FailureKey;
  /** undefined: the client has no device cookie of the user. */
  readonly device: { readonly since: number; readonly ofUser: PairKeys } | undefined;
  /** undefined: the client's address is not known. */
  readonly network:
    | {
        readonly ofUser: PairKeys;
        readonly ofName: PairKeys;
        /** A count that exists while the user is known to have signed in from there. */
        readonly known: FailureKey;
      }
    | undefined;
  readonly address: readonly FailureLimit[];
  /** The account from all addresses, by user and by name. */
  readonly accounts: readonly FailureKey[];
}

/** A count and its limit. */
export interface FailureLimit {
  readonly scope: LoginThrottleScope;
  readonly key: FailureKey;
  readonly failures: number;
  readonly window: number;
  /** A full count blocks, longer each time. */
  readonly blocks?: FailureKey;
}
