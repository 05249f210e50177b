import { createHmac } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { StoreDeadline } from '../async/store-deadline.js';
import { requireCompleteStore } from '../errors/require-complete-store.js';
import type { ExportedLoginCount } from '../session/personal-data.js';
import { Clock } from '../time/clock.js';
import { clientNetwork, siteOf } from '../users/client.js';
import { LoginAttempt } from './login-attempt.js';
import {
  CHANGE_KNOWN_FOR,
  isAfterChange,
  type FailureLimit,
  type LoginAttemptContext,
  type LoginAttemptKeys,
  type PairKeys,
} from './login-attempt-keys.js';
import { foldLoginName } from './login-name.js';
import { LoginThrottleStore, type FailureKey } from './login-throttle-store.js';
import type { LoginThrottleSettings } from './login-throttle.options.js';

const OPERATIONS = {
  read: true,
  add: true,
  set: true,
  delete: true,
  list: true,
  deleteExpired: true,
} satisfies Record<Exclude<keyof LoginThrottleStore, 'ofRealm'>, true>;

/** Who tries to log in, as far as it is known before the password is looked at. */
export interface LoginClient {
  readonly ip?: string;
  /** What the client's genuine device cookie says of the user whose login name it is. */
  readonly device?: {
    readonly id: string;
    /** When the user last signed in from it, in milliseconds since the epoch. */
    readonly since: number;
  };
}

/** A site of 56 bits has room for 256 networks of 64: together they may fail so many times as often as one of them. */
const SITE_FACTOR = 2;
/** A time at which no count was over yet: what has expired, and is not cleaned up yet, is listed as well. */
const EVER = 0;

/**
 * Slows down guessing of passwords, without giving strangers a way to lock a user out. {@link LoginAttempt} counts the
 * failures and refuses an attempt; `login/credential-check.ts` answers 429 then.
 *
 * Counts of failures, all by digest:
 *
 * 1. **account and client**: `client.failures` from one address (or one known device) at one account block that pair
 *    for `client.block`, doubled with each further block of a day, up to `client.maxBlock`. A success resets it.
 * 2. **address**: `address.failures` from one address, at whatever accounts, refuse it until its window is over; of an
 *    IPv6 site of 56 bits twice as many.
 * 3. **account**: `account.failures` at one account, from wherever, refuse it until the window is over: but only to
 *    clients that the account was not signed in from before.
 *
 * An account is counted by the login name that was typed, all look-alikes as one, and by the id of the user whom it
 * names. What forgives and trusts goes by the id alone: whoever has an account with a name like another's can do nothing
 * for or against that one. A name without a user is counted the same way, so that nothing tells it from a user's.
 *
 * A client with a genuine device cookie of the user is counted by its device instead of its address and of the name, and
 * with all devices of that user together as 3; beyond that it is a stranger again. An address that the user was signed
 * in from within `knownFor` is counted by the user's id, by 2, and with all such addresses together as 3, in the same way.
 * So whatever strangers do, the owner gets in from where they got in before. A client without an address is counted by 2,
 * all of them as one, and by 3.
 *
 * A verdict on a password is only given out when it was counted first.
 */
export class LoginThrottle {
  readonly #logger = new Logger('SessionAuth');
  readonly #context: LoginAttemptContext;
  #hasWarned = false;

  /**
   * @param key for the digests of names and addresses
   * @param timeout milliseconds to wait for the store, before a login is refused with 503
   */
  constructor(
    private readonly store: LoginThrottleStore,
    private readonly clock: Clock,
    private readonly settings: LoginThrottleSettings,
    private readonly key: Buffer,
    timeout: number,
  ) {
    requireCompleteStore(store, 'storage.throttle', 'LoginThrottleStore', OPERATIONS);
    this.#context = { store, clock, settings, deadline: new StoreDeadline(timeout) };
  }

  /** @param userId of the user whom the name belongs to; undefined where it is nobody's */
  attempt(loginName: string, userId: string | undefined, { ip, device }: LoginClient): LoginAttempt {
    const folded = foldLoginName(loginName);
    const name = this.#nameSubject(folded);
    const user = userId === undefined ? this.#nobodySubject(folded) : this.#userSubject(userId);
    const network = ip === undefined || ip === '' ? undefined : clientNetwork(ip);
    if (network === undefined) this.#warn();
    const keys: LoginAttemptKeys = {
      changed: changedKey(user),
      devices: { subject: user, counter: `failures:${this.#digest(`devices:${user}`)}` },
      networks: { subject: user, counter: `failures:${this.#digest(`networks:${user}`)}` },
      device: device && { since: device.since, ofUser: this.#pair(user, `device:${device.id}`) },
      network: network === undefined ? undefined : this.#networkKeys(user, name, network),
      address: this.#addressLimits(network),
      accounts: [user, name].map((subject) => ({ subject, counter: 'failures' })),
    };
    return new LoginAttempt(this.#context, keys);
  }

  /**
   * From now on no device that the user has signed in from is known.
   *
   * @returns the time of it; a device is known that the user has signed in from later
   * @throws SessionAuthError `session_store_unavailable`
   */
  async credentialsChanged(userId: string): Promise<number> {
    const now = this.clock.now();
    const key = changedKey(this.#userSubject(userId));
    const { deadline } = this.#context;
    await deadline.run(() => this.store.set(key, { count: 1, until: now + CHANGE_KNOWN_FOR }, now));
    return now;
  }

  /**
   * Whether what a device cookie says of a user still holds: their credentials have not changed since.
   *
   * @throws SessionAuthError `session_store_unavailable`
   */
  async isDeviceKnown(userId: string, since: number): Promise<boolean> {
    const key = changedKey(this.#userSubject(userId));
    const [changed] = await this.#context.deadline.run(() => this.store.read([key], this.clock.now()));
    return isAfterChange(since, changed);
  }

  /**
   * What is counted of a user by the id, and of login names; whether these are the user's is for the caller to know.
   *
   * @throws SessionAuthError `session_store_unavailable`
   */
  async countsOf(userId: string, loginNames: readonly string[]): Promise<ExportedLoginCount[]> {
    const counts: ExportedLoginCount[] = [];
    for (const { of, subject } of this.#subjectsOf(userId, loginNames)) {
      for (const { counter, count, until } of await this.#list(subject, this.clock.now())) {
        // what is behind the colon is a digest
        counts.push({ of, kind: counter.split(':')[0]!, count, until: new Date(until).toISOString() });
      }
    }
    return counts;
  }

  /**
   * Forgets what {@link countsOf} returns, with what has expired, and returns how many counts there were.
   *
   * @throws SessionAuthError `session_store_unavailable`
   */
  async forget(userId: string, loginNames: readonly string[]): Promise<number> {
    let forgotten = 0;
    for (const { subject } of this.#subjectsOf(userId, loginNames)) {
      const counts = await this.#list(subject, EVER);
      if (counts.length === 0) continue;
      await this.#context.deadline.run(() => this.store.delete(counts.map(({ counter }) => ({ subject, counter }))));
      forgotten += counts.length;
    }
    return forgotten;
  }

  #subjectsOf(
    userId: string,
    loginNames: readonly string[],
  ): readonly (Pick<ExportedLoginCount, 'of'> & { readonly subject: string })[] {
    const folded = [...new Set(loginNames.map(foldLoginName))];
    const names = folded.flatMap((name) => [this.#nameSubject(name), this.#nobodySubject(name)]);
    return [
      { of: 'user', subject: this.#userSubject(userId) },
      ...names.map((subject) => ({ of: 'login name', subject }) as const),
    ];
  }

  #list(subject: string, now: number): ReturnType<LoginThrottleStore['list']> {
    return this.#context.deadline.run(() => this.store.list(subject, now));
  }

  #networkKeys(user: string, name: string, network: string): LoginAttemptKeys['network'] {
    return {
      ofUser: this.#pair(user, network),
      ofName: this.#pair(name, network),
      known: { subject: user, counter: `known:${this.#digest(`network:${user}:${network}`)}` },
    };
  }

  /** A digest for each account: which accounts share an address cannot be read off the counts. */
  #pair(subject: string, client: string): PairKeys {
    const digest = this.#digest(`client:${subject}:${client}`);
    return { failures: { subject, counter: `failures:${digest}` }, blocks: { subject, counter: `blocks:${digest}` } };
  }

  /** The networks of a site are counted under the site's subject: one call of the store's backend for both. */
  #addressLimits(network = 'unknown'): readonly FailureLimit[] {
    const { failures, window } = this.settings.address;
    const site = siteOf(network);
    const subject = this.#digest(`address:${site ?? network}`);
    const whole = { scope: 'address', key: { subject, counter: 'failures' }, window } as const;
    if (site === undefined) return [{ ...whole, failures }];
    const key = { subject, counter: `failures:${this.#digest(`network:${network}`)}` };
    return [
      { ...whole, failures: SITE_FACTOR * failures },
      { ...whole, key, failures },
    ];
  }

  #nameSubject(folded: string): string {
    return this.#digest(`account:${folded}`);
  }

  /** The user that a name without one is counted for. */
  #nobodySubject(folded: string): string {
    return this.#digest(`nobody:${folded}`);
  }

  #userSubject(userId: string): string {
    return this.#digest(`user:${userId}`);
  }

  #digest(text: string): string {
    return createHmac('sha256', this.key).update(text).digest('base64url').slice(0, 22);
  }

  #warn(): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.#logger.warn(
      'a client has no address (as behind a Unix socket): all such clients share one count of failed logins; ' +
        'have the adapter trust the proxy, so that their own addresses are known',
    );
  }
}

/** There while it is known that a user's credentials have changed. */
function changedKey(subject: string): FailureKey {
  return { subject, counter: 'changed' };
}
