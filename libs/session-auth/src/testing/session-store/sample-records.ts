import { randomUUID } from 'node:crypto';
import { digestOf, issueHandle, issueSessionToken } from '../../crypto/session-token.js';
import type { Admission } from '../../session/concurrency-limit.js';
import type { SessionRecord } from '../../session/session-record.js';
import type { Touch } from '../../session/session-store.js';
import { HOUR, MINUTE, SECOND } from '../../time/units.js';

/** The lifetimes of the sample records: long enough that nothing runs out by the backend's own clock. */
export const IDLE = 30 * MINUTE;
export const ABSOLUTE = 8 * HOUR;
export const GRACE = MINUTE;

/** When the tests take place. Far from today, so that a store that asks its own clock is found out. */
export const NOW = Date.UTC(2024, 1, 29, 12);

export const NO_LIMIT: Admission = { max: Infinity, onLimit: 'reject' };

/** More bytes of data than any test has. */
export const NO_MAXIMUM = 1_000_000;

/** A read that is never due to write. */
export function untouched(now: number): Touch {
  return { now, idle: IDLE, interval: 365 * 24 * HOUR };
}

/** A user whom no other test knows. */
export function newUser(): string {
  return `user-${randomUUID()}`;
}

/** The digest of a fresh token of a user; undefined: of an anonymous session. */
export function newDigest(userId: string | undefined): string {
  return digestOf(issueSessionToken(userId));
}

/** A digest for the same session as another: of the same shard, as rotation asks for. */
export function nextDigest(digest: string): string {
  return digest.slice(0, 2) + newDigest(undefined).slice(2);
}

/** The record of a login at `NOW`, or at the `createdAt` that is given. */
export function newRecord(userId: string | undefined, given: Partial<SessionRecord> = {}): SessionRecord {
  const { createdAt = NOW } = given;
  return {
    digest: newDigest(userId),
    id: issueHandle(),
    userId,
    roles: [],
    createdAt,
    rotatedAt: createdAt,
    lastActivityAt: createdAt,
    expiresAt: createdAt + IDLE,
    absoluteExpiresAt: createdAt + ABSOLUTE,
    data: {},
    ...given,
  };
}

/** A record in which every field is set, with text that is easily mangled. */
export function fullRecord(userId: string): SessionRecord {
  return newRecord(userId, {
    email: `"o'hara"+ünï\u2028@exämple.com`,
    roles: ['admin', 'a,b', '"quoted"', 'line\nbreak', ''],
    authenticatedAt: NOW - 2 * MINUTE,
    authentication: 'remember-me',
    factors: { totp: NOW - MINUTE, 'security-key_2': NOW - 30 * SECOND },
    upstream: 'b3RoZXIgc2Vzc2lvbg-_',
    createdAt: NOW - 3 * MINUTE,
    rotatedAt: NOW - MINUTE,
    lastActivityAt: NOW - 30 * SECOND,
    expiresAt: NOW + 20 * MINUTE,
    absoluteExpiresAt: NOW + 7 * HOUR,
    ip: '2001:db8::1',
    userAgent: `Mozilla/5.0 (X11; "Linux"\\) '${'x'.repeat(500)}' 👩‍💻`,
    fingerprint: 'Zm9vYmFy-_',
    data: { cart: { items: [{ sku: 'a-1', count: 2 }] } },
  });
}
