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

/** The client of a login, as far as it is known before the password is checked. */
export interface LoginClient {
  readonly ip?: string;
  /** What the client's genuine device cookie says about the user with this login name. */
  readonly device?: {
    readonly id: string;
    /** When the user last signed in from it, in milliseconds since the epoch. */
    readonly since: number;
  };
}

/** A site of 56 bits has 256 networks of 64 bits. Together they may fail this many times as often as one of them. */
const SITE_FACTOR = 2;
/** A time before any count expired, so that expired counts that still exist are listed too. */
const EVER = 0;

/**
 * Slows down guessing of passwords, without letting strangers lock a user out. {@link LoginAttempt} counts the failures
 * and refuses an attempt; `login/credential-check.ts` responds with 429 then.
 *
 * Counts of failures, all by digest:
 *
 * 1. **account and client**: `client.failures` from one address (or one known device) at one account block that pair
 *    for `client.block`, doubled with each further block of a day, up to `client.maxBlock`. A success resets it.
 * 2. **address**: `address.failures` from one address, at any accounts, refuse it until its window ends; twice as many
 *    from an IPv6 site of 56 bits.
 * 3. **account**: `account.failures` at one account, from any address, refuse it until the window ends, but only for
 *    clients that have not signed in to the account before.
 *
 * An account is counted by the typed login name, with all look-alikes as one, and by the id of its user. Only the id is
 * used to clear counts and to grant trust, so an account with a look-alike name cannot help or harm another one. A name
 * without a user is counted the same way, so that it looks the same.
 *
 * A client with a genuine device cookie of the user is counted by its device, instead of its address and the name, and
 * together with all devices of that user as 3. Beyond that it counts as a stranger. An address that the user signed in
 * from within `knownFor` is counted by the user's id, as 2, and together with all such addresses as 3, in the same way.
 * So the owner can always sign in from where they have signed in before. Clients without an address are all counted as
 * one for 2, and as 3.
 *
 * A verdict on a password is revealed only after it was counted.
 */
export class LoginThrottle {
  readonly #logger = new Logger('SessionAuth');
  readonly #context: LoginAttemptContext;
  #hasWarned = false;

  /**
   * @param key for the digests of names and addresses
   * @param timeout milliseconds to wait for the store before a login is refused with 503
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

  /** @param userId the id of the user with this name; undefined for an unknown name */
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
   * Forgets all devices that the user has signed in from.
   *
   * @returns the time of the change; only devices with a later login are known
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
   * Whether a device cookie is still valid for a user: their credentials have not changed since.
   *
   * @throws SessionAuthError `session_store_unavailable`
   */
  async isDeviceKnown(userId: string, since: number): Promise<boolean> {
    const key = changedKey(this.#userSubject(userId));
    const [changed] = await this.#context.deadline.run(() => this.store.read([key], this.clock.now()));
    return isAfterChange(since, changed);
  }

  /**
   * Returns the counts of a user's id and of login names. The caller must know that the names belong to the user.
   *
   * @throws SessionAuthError `session_store_unavailable`
   */
  async countsOf(userId: string, loginNames: readonly string[]): Promise<ExportedLoginCount[]> {
    const counts: ExportedLoginCount[] = [];
    for (const { of, subject } of this.#subjectsOf(userId, loginNames)) {
      for (const { counter, count, until } of await this.#list(subject, this.clock.now())) {
        // the part after the colon is a digest
        counts.push({ of, kind: counter.split(':')[0]!, count, until: new Date(until).toISOString() });
      }
    }
    return counts;
  }

  /**
   * Deletes what {@link countsOf} returns, including expired counts, and returns how many there were.
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

  /** A separate digest for each account, so that the counts do not reveal which accounts share an address. */
  #pair(subject: string, client: string): PairKeys {
    const digest = this.#digest(`client:${subject}:${client}`);
    return { failures: { subject, counter: `failures:${digest}` }, blocks: { subject, counter: `blocks:${digest}` } };
  }

  /** The networks of a site are counted under the site's subject, so that one call of the backend covers both. */
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

  /** Returns the subject under which an unknown name is counted. */
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
      'a client has no address (for example behind a Unix socket). All such clients share one count of failed logins; ' +
        'let the adapter trust the proxy, so that it sees their addresses',
    );
  }
}

/** Returns the key of a count that exists while a change of the user's credentials is remembered. */
function changedKey(subject: string): FailureKey {
  return { subject, counter: 'changed' };
}
