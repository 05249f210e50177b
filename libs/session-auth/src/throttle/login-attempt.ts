import type { LoginThrottleScope } from '../events/session-event.js';
import { DAY } from '../time/units.js';
import {
  isAfterChange,
  type FailureLimit,
  type LoginAttemptContext,
  type LoginAttemptKeys,
  type PairKeys,
} from './login-attempt-keys.js';
import type { FailureCount, FailureKey, LoginThrottleStore } from './login-throttle-store.js';

/** Why a login is refused. */
export interface ThrottleRefusal {
  readonly scope: LoginThrottleScope;
  readonly retryAfterSeconds: number;
}

/** How long a block makes the next one longer. */
const BLOCKS_WINDOW = DAY;

/**
 * One try of a password. Call `check` before verifying it, then `failed` or `succeeded` before the outcome is revealed.
 *
 * The order of the store's counts decides, so parallel tries cannot get more verdicts than the limit allows. A failure
 * that is counted beyond the limit is reported like a refusal, and so is a success that finds the limit reached. A
 * success counts nothing, so any number of parallel logins with the right password pass.
 */
export class LoginAttempt {
  /** Whether the client's device cookie is still valid for the user. Known after `check`. */
  isDeviceKnown = false;
  /** The counts that apply. */
  #limits: readonly FailureLimit[] = [];
  /** The counts that a success clears. */
  #ofUser: PairKeys | undefined;
  /** The networks whose counts a success also clears: a known address that contributed to them. */
  #networks: readonly FailureKey[] = [];
  #failedBefore = false;
  /** The key under which the address will be remembered, and until when it already is. */
  #known: { readonly key: FailureKey; readonly until: number } | undefined;

  constructor(
    private readonly context: LoginAttemptContext,
    private readonly keys: LoginAttemptKeys,
  ) {}

  /**
   * Returns whether the password may be checked. One call of the store; two when a device is no longer trusted.
   *
   * @throws SessionAuthError `session_store_unavailable`
   */
  check(): Promise<ThrottleRefusal | undefined> {
    return this.#ask(async (store, now) => {
      const { device, network } = this.keys;
      if (device === undefined) return this.#checkNetwork(store, now);
      const { changed, devices } = this.keys;
      const limits = this.#deviceLimits(device.ofUser);
      const { failures, blocks } = device.ofUser;
      // the address is remembered too: an owner who loses the device signs in from the same place without it
      const addresses = network === undefined ? [] : [network.known];
      const found = await store.read([changed, blocks, failures, devices, ...addresses], now);
      const [change, blocked, ...counts] = found;
      if (network !== undefined) this.#known = { key: network.known, until: counts[2]?.until ?? 0 };
      this.isDeviceKnown = isAfterChange(device.since, change);
      const isSpent = (counts[1]?.count ?? 0) >= this.context.settings.account.failures;
      // an attacker with many devices soon counts as a stranger with all of them; the owner still has an address
      if (!this.isDeviceKnown || isSpent) return this.#checkNetwork(store, now);
      return this.#begin(limits, device.ofUser, blocked, counts, now);
    });
  }

  /**
   * Counts a wrong password, in one call of the store; two more when a client's limit is reached. Tell the client that
   * it was wrong only if nothing is returned.
   *
   * @throws SessionAuthError `session_store_unavailable`
   */
  failed(): Promise<ThrottleRefusal | undefined> {
    return this.#ask(async (store, now) => {
      const limits = this.#limits;
      const counts = await store.add(
        limits.map(({ key, window }) => ({ ...key, window })),
        now,
      );
      // of parallel failures exactly one reaches the limit
      const full = limits.filter(({ failures }, place) => counts[place]!.count === failures);
      await this.#block(
        full.flatMap(({ key, blocks }) => (blocks === undefined ? [] : [{ key, blocks }])),
        store,
        now,
      );
      return refusalOf(
        limits.map((limit) => ({ ...limit, failures: limit.failures + 1 })),
        counts,
        now,
      );
    });
  }

  /**
   * Confirms a right password, in one call of the store. More writes follow if there are failures to clear or an
   * address to remember. Let the client in only if nothing is returned.
   *
   * @throws SessionAuthError `session_store_unavailable`
   */
  succeeded(): Promise<ThrottleRefusal | undefined> {
    return this.#ask(async (store, now) => {
      const limits = this.#limits;
      const counts = await store.read(
        limits.map(({ key }) => key),
        now,
      );
      const refusal = refusalOf(limits, counts, now);
      if (refusal !== undefined) return refusal;
      const { knownFor } = this.context.settings;
      const pair = this.#ofUser;
      const known = this.#known;
      const isForgiven = pair !== undefined && (this.#failedBefore || counts[0] !== undefined);
      // renewed when half of its time has passed, so that most logins write nothing
      const isDue = known !== undefined && known.until - now <= knownFor / 2;
      await Promise.all([
        isForgiven && store.delete([pair.failures, pair.blocks, ...this.#networks]),
        isDue && store.set(known.key, { count: 1, until: now + knownFor }, now),
      ]);
      return undefined;
    });
  }

  #ask<T>(operation: (store: LoginThrottleStore, now: number) => Promise<T>): Promise<T> {
    const { store, deadline, clock } = this.context;
    return deadline.run(() => operation(store, clock.now()));
  }

  /** A known address decides which counts apply, so all of them are read in one call. */
  async #checkNetwork(store: LoginThrottleStore, now: number): Promise<ThrottleRefusal | undefined> {
    const { network, address, accounts } = this.keys;
    const { client, account } = this.context.settings;
    const strangers = accounts.map((key) => ({ scope: 'account', key, ...account }) as const);
    if (network === undefined) {
      const limits = [...address, ...strangers];
      return this.#begin(limits, undefined, undefined, await store.read(keysOf(limits), now), now);
    }
    const { ofUser, ofName, known } = network;
    const { networks } = this.keys;
    const own = [pairLimit(ofUser, client), ...address];
    const all = [...own, pairLimit(ofName, client), ...strangers];
    const [found, blocked, together, ...counts] = await store.read(
      [known, ofUser.blocks, networks, ...keysOf(all)],
      now,
    );
    this.#known = { key: known, until: found?.until ?? 0 };
    if (found !== undefined) this.#networks = [networks];
    // an attacker with many addresses soon counts as a stranger at all of them; the owner still has a device
    const isKnown = found !== undefined && (together?.count ?? 0) < account.failures;
    if (!isKnown) return this.#begin(all, ofUser, blocked, counts, now);
    const limits = [...own, { scope: 'account', key: networks, ...account } as const];
    return this.#begin(limits, ofUser, blocked, [...counts.slice(0, own.length), together], now);
  }

  #deviceLimits(ofUser: PairKeys): readonly FailureLimit[] {
    const { client, account } = this.context.settings;
    return [pairLimit(ofUser, client), { scope: 'account', key: this.keys.devices, ...account }];
  }

  /** @param counts of the limits, in their order; there may be more after them */
  #begin(
    limits: readonly FailureLimit[],
    ofUser: PairKeys | undefined,
    blocked: FailureCount | undefined,
    counts: readonly (FailureCount | undefined)[],
    now: number,
  ): ThrottleRefusal | undefined {
    this.#limits = limits;
    this.#ofUser = ofUser;
    // blocks are remembered for longer than the failures themselves; a success clears them too
    this.#failedBefore = blocked !== undefined || counts[0] !== undefined;
    return refusalOf(limits, counts, now);
  }

  /** Until this is done the window itself blocks. */
  async #block(
    full: readonly { readonly key: FailureKey; readonly blocks: FailureKey }[],
    store: LoginThrottleStore,
    now: number,
  ): Promise<void> {
    if (full.length === 0) return;
    const { failures, block, maxBlock } = this.context.settings.client;
    const blocked = await store.add(
      full.map(({ blocks }) => ({ ...blocks, window: BLOCKS_WINDOW })),
      now,
    );
    await Promise.all(
      full.map(({ key }, place) => {
        const length = Math.min(block * 2 ** (blocked[place]!.count - 1), maxBlock);
        return store.set(key, { count: failures, until: now + length }, now);
      }),
    );
  }
}

function pairLimit(
  { failures: key, blocks }: PairKeys,
  { failures, window }: { readonly failures: number; readonly window: number },
): FailureLimit {
  return { scope: 'account_and_client', key, failures, window, blocks };
}

function keysOf(limits: readonly FailureLimit[]): FailureKey[] {
  return limits.map(({ key }) => key);
}

/** Returns the longest wait that full counts require. */
function refusalOf(
  limits: readonly FailureLimit[],
  counts: readonly (FailureCount | undefined)[],
  now: number,
): ThrottleRefusal | undefined {
  let scope: LoginThrottleScope | undefined;
  let until = 0;
  for (const [place, limit] of limits.entries()) {
    const count = counts[place];
    if (count === undefined || count.count < limit.failures || count.until <= until) continue;
    ({ scope } = limit);
    ({ until } = count);
  }
  return scope === undefined ? undefined : { scope, retryAfterSeconds: Math.max(Math.ceil((until - now) / 1000), 1) };
}
