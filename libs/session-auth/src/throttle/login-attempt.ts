import type { KeyedSemaphore } from '../async/keyed-semaphore.js';
import type { StoreDeadline } from '../async/store-deadline.js';
import type { LoginThrottleScope } from '../events/session-event.js';
import type { Clock } from '../time/clock.js';
import type { FailureCount, FailureKey, LoginThrottleStore } from './login-throttle-store.js';
import type { LoginThrottleSettings } from './login-throttle.options.js';

/** Why a login is not let through. */
export interface ThrottleRefusal {
  readonly scope: LoginThrottleScope;
  readonly retryAfterSeconds: number;
}

/** What all attempts at one throttle share. */
export interface LoginAttemptContext {
  readonly store: LoginThrottleStore;
  readonly deadline: StoreDeadline;
  readonly semaphore: KeyedSemaphore;
  readonly clock: Clock;
  readonly settings: LoginThrottleSettings;
}

/** Whom an attempt is counted for. */
export interface LoginAttemptKeys {
  readonly account: FailureKey;
  /** undefined: not counted by address. */
  readonly address: FailureKey | undefined;
  /** The account from one address or one known device: its failures. */
  readonly accountAndClient: FailureKey;
  /** How often that pair was blocked lately. */
  readonly blocks: FailureKey;
  /** The account from one network, whatever the device: there while it is known to have signed in from there. */
  readonly accountAtNetwork: FailureKey;
  readonly isKnownDevice: boolean;
  /** Attempts of one turn wait for each other. */
  readonly turn: string;
}

/** A count, and what it takes to fill it. */
interface FailureLimit {
  readonly scope: LoginThrottleScope;
  readonly key: FailureKey;
  readonly failures: number;
  readonly window: number;
}

/** How long a block makes the next one longer. */
const BLOCKS_WINDOW = 24 * 60 * 60 * 1000;

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
    private readonly context: LoginAttemptContext,
    private readonly keys: LoginAttemptKeys,
  ) {}

  /**
   * Runs a try when it is its turn: a flood from one address waits in line instead of running at once. Whoever waits
   * while the store fails those in front has waited for it long enough, and gets the same error.
   */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.context.semaphore.run(this.keys.turn, work);
  }

  /**
   * Whether the password may be looked at. One call of the store.
   *
   * @throws SessionAuthError `session_store_unavailable`
   */
  check(): Promise<ThrottleRefusal | undefined> {
    return this.#ask(async (store, now) => {
      const { accountAtNetwork, blocks } = this.keys;
      // whether the account's count applies is known only afterwards: it is read along
      const limits = this.#limits();
      const keys = [accountAtNetwork, blocks, ...limits.map(({ key }) => key)];
      const [known, blocked, ...counts] = await store.read(keys, now);
      this.#isKnownAddress = known !== undefined;
      this.#knownUntil = known?.until ?? 0;
      // blocks are remembered for longer than the failures themselves: a success forgets them too
      this.#failedBefore = blocked !== undefined || counts[0] !== undefined;
      return this.#refusal(limits, counts, now);
    });
  }

  /**
   * Counts a wrong password, in one call of the store; reaching the client's limit takes two more. The client may be told
   * that it was wrong only if nothing is returned.
   *
   * @throws SessionAuthError `session_store_unavailable`
   */
  failed(): Promise<ThrottleRefusal | undefined> {
    return this.#ask(async (store, now) => {
      const limits = this.#limits();
      const counts = await store.add(
        limits.map(({ key, window }) => ({ ...key, window })),
        now,
      );
      // of parallel failures exactly one reaches it
      if (counts[0]!.count === limits[0]!.failures) await this.#block(store, now);
      return this.#refusal(
        limits.map((limit) => ({ ...limit, failures: limit.failures + 1 })),
        counts,
        now,
      );
    });
  }

  /**
   * Confirms a right password, in one call of the store; writes follow where there were failures to forget or an address
   * to remember. The client may be let in only if nothing is returned.
   *
   * @throws SessionAuthError `session_store_unavailable`
   */
  succeeded(): Promise<ThrottleRefusal | undefined> {
    return this.#ask(async (store, now) => {
      const limits = this.#limits();
      const counts = await store.read(
        limits.map(({ key }) => key),
        now,
      );
      const refusal = this.#refusal(limits, counts, now);
      if (refusal !== undefined) return refusal;
      const { accountAndClient, blocks, accountAtNetwork, isKnownDevice } = this.keys;
      const { knownFor } = this.context.settings;
      const failedBefore = this.#failedBefore || counts[0] !== undefined;
      // written anew when half of its time is over, so that most logins write nothing
      const isDue = !isKnownDevice && this.#knownUntil - now <= knownFor / 2;
      await Promise.all([
        failedBefore && store.delete([accountAndClient, blocks]),
        isDue && store.set(accountAtNetwork, { count: 1, until: now + knownFor }, now),
      ]);
      return undefined;
    });
  }

  #ask<T>(operation: (store: LoginThrottleStore, now: number) => Promise<T>): Promise<T> {
    const { store, deadline, clock } = this.context;
    return deadline.run(() => operation(store, clock.now()));
  }

  /** The counts that apply, that of the account and client first. */
  #limits(): FailureLimit[] {
    const { accountAndClient, address, account, isKnownDevice } = this.keys;
    const { settings } = this.context;
    const limits: FailureLimit[] = [{ scope: 'account_and_client', key: accountAndClient, ...settings.client }];
    if (address !== undefined) limits.push({ scope: 'address', key: address, ...settings.address });
    if (!isKnownDevice && !this.#isKnownAddress) limits.push({ scope: 'account', key: account, ...settings.account });
    return limits;
  }

  /** The longest wait that full counts ask for. */
  #refusal(
    limits: readonly FailureLimit[],
    counts: readonly (FailureCount | undefined)[],
    now: number,
  ): ThrottleRefusal | undefined {
    let scope: LoginThrottleScope | undefined;
    let until = 0;
    for (const [place, limit] of limits.entries()) {
      const count = counts[place];
      if (count === undefined || count.count < limit.failures || count.until <= until) continue;
      if (limit.scope === 'account' && this.#isKnownAddress) continue;
      ({ scope } = limit);
      ({ until } = count);
    }
    return scope === undefined ? undefined : { scope, retryAfterSeconds: Math.max(Math.ceil((until - now) / 1000), 1) };
  }

  /** Until this is done the window itself blocks. */
  async #block(store: LoginThrottleStore, now: number): Promise<void> {
    const { accountAndClient, blocks } = this.keys;
    const { failures, block, maxBlock } = this.context.settings.client;
    const [blocked] = await store.add([{ ...blocks, window: BLOCKS_WINDOW }], now);
    const length = Math.min(block * 2 ** (blocked!.count - 1), maxBlock);
    await store.set(accountAndClient, { count: failures, until: now + length }, now);
  }
}
