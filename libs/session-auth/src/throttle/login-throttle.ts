import { createHmac } from 'node:crypto';
import type { LoginThrottleScope } from '../events/session-event.js';
import { isStoreUnavailable, StoreDeadline } from '../async/store-deadline.js';
import { clientNetwork } from './client-network.js';
import { foldLoginName } from './login-name.js';
import type { FailureCount, FailureCounter, LoginThrottleStore } from './login-throttle-store.js';
import type { LoginThrottleSettings } from './login-throttle-settings.js';
import { KeyedSemaphore } from '../async/keyed-semaphore.js';

/** Who tries to log in, as far as it is known before the password is looked at. */
export interface LoginClient {
  readonly ip?: string;
  /** The id of the client's genuine device cookie, if that names this very login name. */
  readonly deviceId?: string;
}

/** Why a login is not let through. */
export interface ThrottleRefusal {
  readonly scope: LoginThrottleScope;
  readonly retryAfterSeconds: number;
}

const DAY_SECONDS = 24 * 60 * 60;

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
  /** @internal */
  readonly client: FailureCounter;
  /** @internal */
  readonly blocks: FailureCounter;
  /** @internal */
  readonly address: FailureCounter;
  /** @internal */
  readonly account: FailureCounter;
  /** @internal */
  readonly known: FailureCounter;
  /** @internal */
  readonly semaphore = new KeyedSemaphore(MAX_PARALLEL, isStoreUnavailable);
  readonly #deadline: StoreDeadline;

  /**
   * @param key for the digests of names and addresses
   * @param timeout milliseconds to wait for the store, before a login is refused with 503
   */
  constructor(
    store: LoginThrottleStore,
    readonly settings: LoginThrottleSettings,
    private readonly key: Buffer,
    timeout: number,
  ) {
    this.#deadline = new StoreDeadline(timeout);
    this.client = store.counter('client', toSeconds(settings.client.window));
    this.blocks = store.counter('blocks', DAY_SECONDS);
    this.address = store.counter('address', toSeconds(settings.address.window));
    this.account = store.counter('account', toSeconds(settings.account.window));
    this.known = store.counter('known', toSeconds(settings.knownFor));
  }

  attempt(loginName: string, client: LoginClient): LoginAttempt {
    const account = this.#digest(`account:${foldLoginName(loginName)}`);
    const network = client.ip === undefined ? undefined : clientNetwork(client.ip);
    const address = network === undefined ? undefined : this.#digest(`address:${network}`);
    const { deviceId } = client;
    const place = deviceId === undefined ? (network ?? 'unknown') : `device:${deviceId}`;
    return new LoginAttempt(this, {
      account,
      address: deviceId === undefined ? address : undefined,
      pair: this.#digest(`pair:${account}:${place}`),
      home: this.#digest(`home:${account}:${network ?? 'unknown'}`),
      isKnownDevice: deviceId !== undefined,
      turn: address ?? account,
    });
  }

  /** @internal */
  call<T>(operation: () => Promise<T>): Promise<T> {
    return this.#deadline.run(operation);
  }

  #digest(text: string): string {
    return createHmac('sha256', this.key).update(text).digest('base64url').slice(0, 22);
  }
}

interface LoginAttemptKeys {
  readonly account: string;
  /** undefined: not counted by address. */
  readonly address: string | undefined;
  readonly pair: string;
  /** The account at the address, whatever the device. */
  readonly home: string;
  readonly isKnownDevice: boolean;
  readonly turn: string;
}

/**
 * One try of a password. `check` before it is verified, then `failed` or `succeeded` before anybody hears of the
 * outcome.
 *
 * The order of the store's counts decides, so parallel tries cannot get more verdicts than the limit allows: a failure
 * that is counted beyond it is answered like a refusal, and so is a success that finds it reached. Since a success
 * counts nothing, any number of parallel logins with the right password pass.
 */
export class LoginAttempt {
  #isKnownAddress = false;
  #failedBefore = false;
  #knownUntil = 0;

  constructor(
    private readonly throttle: LoginThrottle,
    private readonly keys: LoginAttemptKeys,
  ) {}

  /**
   * Runs a try when it is its turn: a flood from one address waits in line instead of running at once. Whoever waits
   * while the store fails those in front has waited for it long enough, and gets the same error.
   */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.throttle.semaphore.run(this.keys.turn, work);
  }

  /**
   * Whether the password may be looked at. One round trip of parallel reads.
   *
   * @throws SessionAuthError `session_store_unavailable`
   */
  async check(): Promise<ThrottleRefusal | undefined> {
    const { throttle, keys } = this;
    return throttle.call(async () => {
      const [known, blocks, refusal] = await Promise.all([
        keys.isKnownDevice ? null : throttle.known.get(keys.home),
        // longer remembered than the failures themselves: a success forgets them too
        throttle.blocks.get(keys.pair),
        // until the mark is there, the account's count is read along and left out afterwards
        this.#read(),
      ]);
      this.#failedBefore ||= blocks !== null;
      this.#knownUntil = known?.msBeforeNext ?? 0;
      this.#isKnownAddress = keys.isKnownDevice || this.#knownUntil > 0;
      return this.#worst(refusal);
    });
  }

  /** Counts a wrong password. The client may be told that it was wrong only if nothing is answered. */
  async failed(): Promise<ThrottleRefusal | undefined> {
    const { throttle, keys } = this;
    const { client, address, account } = throttle.settings;
    return throttle.call(async () => {
      const [pair, byAddress, byAccount] = await Promise.all([
        throttle.client.penalty(keys.pair),
        keys.address === undefined ? null : throttle.address.penalty(keys.address),
        this.#isKnownAddress ? null : throttle.account.penalty(keys.account),
      ]);
      if (pair.consumedPoints === client.failures) await this.#block();
      return this.#worst([
        over('account_and_client', pair, client.failures + 1),
        over('address', byAddress, address.failures + 1),
        over('account', byAccount, account.failures + 1),
      ]);
    });
  }

  /** Confirms a right password. The client may be let in only if nothing is answered. */
  async succeeded(): Promise<ThrottleRefusal | undefined> {
    const { throttle, keys } = this;
    return throttle.call(async () => {
      const refusal = this.#worst(await this.#read());
      if (refusal !== undefined) return refusal;
      const { knownFor } = throttle.settings;
      await Promise.all([
        ...(this.#failedBefore ? [throttle.client.delete(keys.pair), throttle.blocks.delete(keys.pair)] : []),
        // written anew when half of its time is over, so that most logins write nothing
        ...(keys.isKnownDevice || this.#knownUntil > knownFor / 2
          ? []
          : [throttle.known.set(keys.home, 1, toSeconds(knownFor))]),
      ]);
      return undefined;
    });
  }

  async #read(): Promise<(ThrottleRefusal | undefined)[]> {
    const { throttle, keys } = this;
    const { client, address, account } = throttle.settings;
    const [pair, byAddress, byAccount] = await Promise.all([
      throttle.client.get(keys.pair),
      keys.address === undefined ? null : throttle.address.get(keys.address),
      this.#isKnownAddress || keys.isKnownDevice ? null : throttle.account.get(keys.account),
    ]);
    this.#failedBefore ||= pair !== null;
    return [
      over('account_and_client', pair, client.failures),
      over('address', byAddress, address.failures),
      over('account', byAccount, account.failures),
    ];
  }

  #worst(refusals: readonly (ThrottleRefusal | undefined)[]): ThrottleRefusal | undefined {
    const holding = refusals.filter(
      (refusal) => refusal !== undefined && !(refusal.scope === 'account' && this.#isKnownAddress),
    ) as ThrottleRefusal[];
    return holding.sort((a, b) => b.retryAfterSeconds - a.retryAfterSeconds)[0];
  }

  /** Reached the limit: of parallel failures exactly one sees this. Until it is done the window itself blocks. */
  async #block(): Promise<void> {
    const { throttle, keys } = this;
    const { failures, block, maxBlock } = throttle.settings.client;
    const { consumedPoints } = await throttle.blocks.penalty(keys.pair);
    const length = Math.min(block * 2 ** (consumedPoints - 1), maxBlock);
    await throttle.client.set(keys.pair, failures, toSeconds(length));
  }
}

function over(scope: LoginThrottleScope, count: FailureCount | null, limit: number): ThrottleRefusal | undefined {
  if (count === null || count.consumedPoints < limit || count.msBeforeNext <= 0) return undefined;
  return { scope, retryAfterSeconds: toSeconds(count.msBeforeNext) };
}

function toSeconds(milliseconds: number): number {
  return Math.max(Math.ceil(milliseconds / 1000), 1);
}
