import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { shardTagOf } from '../../crypto/session-token.js';
import type {
  RememberMeChanges,
  RememberMeReplaceOutcome,
  RememberMeSuccessor,
  RememberMeTokenRecord,
  RememberMeTokenStore,
} from '../../remember-me/remember-me-token-store.js';
import { DAY } from '../../time/units.js';
import type { StoreTest } from '../store-tests.js';

/** Declares a test of a store of remember-me tokens. */
export type DeclareTest = (title: string, body: StoreTest<RememberMeTokenStore>) => void;

/** The time at which the records of tests are made. */
export const NOW = Date.UTC(2026, 0, 15, 12);

/** More tokens than a test makes for a user. */
export const MAX = 100;

/** The record of a selector, which must be there. */
export async function find(
  store: RememberMeTokenStore,
  { selector }: RememberMeTokenRecord,
): Promise<RememberMeTokenRecord> {
  const found = await store.find(selector, NOW);
  assert.ok(found !== undefined, 'the record is missing');
  return found;
}

/** Replaces a record, which must be there. */
export async function replace(
  store: RememberMeTokenStore,
  { selector }: RememberMeTokenRecord,
  revision: number,
  changes: RememberMeChanges,
): Promise<Exclude<RememberMeReplaceOutcome, { readonly status: 'absent' }>> {
  const outcome = await store.replace(selector, { revision, now: NOW, changes });
  assert.ok(outcome.status !== 'absent', 'the record is missing');
  return outcome;
}

export function newUser(): string {
  return `user-${randomBytes(9).toString('base64url')}`;
}

export function newHandle(): string {
  return randomBytes(15).toString('base64url');
}

export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

export function newSuccessor(changes: Partial<RememberMeSuccessor> = {}): RememberMeSuccessor {
  const nonce = randomBytes(16).toString('base64url');
  return { digest: newSecret(), nonce, at: NOW, sessionId: newHandle(), ...changes };
}

/** A record as version 0.1 stored it, without later fields. */
export function newRecord(userId: string, changes: Partial<RememberMeTokenRecord> = {}): RememberMeTokenRecord {
  return {
    selector: shardTagOf(userId) + randomBytes(16).toString('base64url'),
    id: newHandle(),
    userId,
    validatorDigest: newSecret(),
    createdAt: NOW,
    lastUsedAt: NOW,
    expiresAt: NOW + 30 * DAY,
    sessionId: newHandle(),
    ...changes,
  };
}

export function idsOf(records: readonly RememberMeTokenRecord[]): string[] {
  return records.map(({ id }) => id);
}

/** Removes the fields that a store may leave out: undefined values, a revision of 0, an empty list. */
export function defined<T extends RememberMeChanges & { readonly revision?: number }>(
  record: T | undefined,
): Partial<T> {
  const isLeftOut = ([key, value]: [string, unknown]): boolean =>
    value === undefined || (key === 'revision' && value === 0) || (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(record ?? {}).filter((entry) => !isLeftOut(entry))) as Partial<T>;
}
