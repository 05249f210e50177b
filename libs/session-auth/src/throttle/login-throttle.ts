import { createHmac } from 'node:crypto';
import { KeyedSemaphore } from '../async/keyed-semaphore.js';
import { isStoreUnavailable, StoreDeadline } from '../async/store-deadline.js';
import { requireCompleteStore } from '../errors/require-complete-store.js';
import { Clock } from '../time/clock.js';
import { clientNetwork } from '../users/client-network.js';
import { LoginAttempt, type LoginAttemptContext } from './login-attempt.js';
import { foldLoginName } from './login-name.js';
import { LoginThrottleStore } from './login-throttle-store.js';
import type { LoginThrottleSettings } from './login-throttle.options.js';

const OPERATIONS = {
  read: true,
  add: true,
  set: true,
  delete: true,
  list: true,
  deleteExpired: true,
} satisfies Record<keyof LoginThrottleStore, true>;

/** Who tries to log in, as far as it is known before the password is looked at. */
export interface LoginClient {
  readonly ip?: string;
  /** The id of the client's genuine device cookie, if that names this very login name. */
  readonly deviceId?: string;
}

/** Checks of passwords from one address that run at a time: more would gain it nothing, bcrypt has four threads. */
const MAX_PARALLEL = 8;

/**
 * Slows down guessing of passwords, without giving strangers a way to lock a user out.
 *
 * Three counts of failures, all by digest:
 *
 * 1. **account and client**: `client.failures` from one address (or one known device) at one account block that pair
 *    for `client.block`, doubled with each further block of a day, up to `client.maxBlock`. A success resets it.
 * 2. **address**: `address.failures` from one address, at whatever accounts, refuse it until its window is over.
 * 3. **account**: `account.failures` at one account, from wherever, refuse it until the window is over: but only to
 *    clients that the account was not signed in from before.
 *
 * A client with a genuine device cookie of the account is counted by 1 alone, and by its device instead of its
 * address. An address that the account was signed in from within `knownFor` is counted by 1 and 2. So whatever
 * strangers do, the owner gets in from where they got in before.
 *
 * A verdict on a password is only given out when it was counted first: see {@link LoginAttempt}.
 */
export class LoginThrottle {
  readonly #context: LoginAttemptContext;

  /**
   * @param key for the digests of names and addresses
   * @param timeout milliseconds to wait for the store, before a login is refused with 503
   */
  constructor(
    store: LoginThrottleStore,
    clock: Clock,
    settings: LoginThrottleSettings,
    private readonly key: Buffer,
    timeout: number,
  ) {
    requireCompleteStore(store, 'storage.throttle', 'LoginThrottleStore', OPERATIONS);
    const deadline = new StoreDeadline(timeout);
    const semaphore = new KeyedSemaphore(MAX_PARALLEL, isStoreUnavailable);
    this.#context = { store, clock, settings, deadline, semaphore };
  }

  attempt(loginName: string, { ip, deviceId }: LoginClient): LoginAttempt {
    const account = this.#digest(`account:${foldLoginName(loginName)}`);
    const network = ip === undefined ? undefined : clientNetwork(ip);
    const address = network === undefined ? undefined : this.#digest(`address:${network}`);
    // a digest for each account: which accounts share an address cannot be read off the counts
    const client = this.#digest(
      `client:${account}:${deviceId === undefined ? (network ?? 'unknown') : `device:${deviceId}`}`,
    );
    const accountAtNetwork = this.#digest(`network:${account}:${network ?? 'unknown'}`);
    return new LoginAttempt(this.#context, {
      account: { subject: account, counter: 'failures' },
      address: address === undefined || deviceId !== undefined ? undefined : { subject: address, counter: 'failures' },
      accountAndClient: { subject: account, counter: `failures:${client}` },
      blocks: { subject: account, counter: `blocks:${client}` },
      accountAtNetwork: { subject: account, counter: `known:${accountAtNetwork}` },
      isKnownDevice: deviceId !== undefined,
      turn: address ?? account,
    });
  }

  #digest(text: string): string {
    return createHmac('sha256', this.key).update(text).digest('base64url').slice(0, 22);
  }
}
