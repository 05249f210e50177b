import { randomBytes } from 'node:crypto';
import type { FailureCount, FailureKey, LoginThrottleStore } from '../../throttle/login-throttle-store.js';
import type { StoreTest } from '../store-tests.js';

/** A test of the contract: its body receives a store, and one of the nodes for each of parallel calls. */
export type Body = StoreTest<LoginThrottleStore>;

export const NOW = Date.UTC(2026, 0, 15, 12);
export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;

export function newSubject(): string {
  return randomBytes(16).toString('base64url');
}

export function newKey(): FailureKey {
  return { subject: newSubject(), counter: 'failures' };
}

export async function addTo(store: LoginThrottleStore, key: FailureKey, now: number, window = MINUTE): Promise<number> {
  const [count] = await store.add([{ ...key, window }], now);
  return count!.count;
}

export async function countOf(
  store: LoginThrottleStore,
  key: FailureKey,
  now: number,
): Promise<FailureCount | undefined> {
  return (await store.read([key], now))[0];
}
