import { randomUUID } from 'node:crypto';
import {
  digestOf,
  handleOf,
  hashOf,
  issueHandle,
  issueNextSessionToken,
  issueSessionToken,
} from '../../crypto/session-token.js';
import type { Admission } from '../../session/concurrency-limit.js';
import type { SessionRecord } from '../../session/session-record.js';
import type { OtherToken } from '../../session/session-tokens.js';
import type { Touch } from '../../session/session-store.js';
import { HOUR, MINUTE, SECOND } from '../../time/units.js';

/** The lifetimes of the sample records: long enough that nothing expires by the backend's own clock. */
export const IDLE = 30 * MINUTE;
export const ABSOLUTE = 8 * HOUR;
export const GRACE = MINUTE;

/** The time of the tests. Far from today, to detect a store that uses its own clock. */
export const NOW = Date.UTC(2024, 1, 29, 12);

export const NO_LIMIT: Admission = { max: Infinity, onLimit: 'reject' };

/** More bytes of data than any test has. */
export const NO_MAXIMUM = 1_000_000;

/** A read that never needs to write. */
export function untouched(now: number): Touch {
  return { now, idle: IDLE, interval: 365 * 24 * HOUR };
}

/** A user that no other test uses. */
export function newUser(): string {
  return `user-${randomUUID()}`;
}

/** The digest of a fresh token of a user, for a session with this handle; undefined: an anonymous session. */
export function newDigest(userId: string | undefined, handle = issueHandle()): string {
  const token = issueSessionToken(userId);
  return digestOf(token.replace(handleOf(token), handle));
}

/** The digest of another token of the same session. */
export function nextDigest(digest: string): string {
  return digestOf(issueNextSessionToken(digest));
}

/** A token for a record besides its present one; `digest`: a token of the same session with this digest. */
export function newToken(kind: OtherToken['kind'], at: number, digest = newDigest(undefined)): OtherToken {
  return { hash: hashOf(digest), kind, at };
}

/** A device that no other test uses: 11 characters, as in a record. */
export function newDevice(): string {
  return issueHandle().slice(0, 11);
}

/** The record of a login at `NOW`, or at the given `createdAt`; its handle is that of its digest. */
export function newRecord(userId: string | undefined, given: Partial<SessionRecord> = {}): SessionRecord {
  const { createdAt = NOW, digest = newDigest(userId, given.id) } = given;
  return {
    digest,
    id: handleOf(digest),
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
    revision: 7,
    tokens: [
      { ...newToken('successor', NOW - 10 * SECOND), rolesSince: 3, grace: 5 * SECOND },
      { ...newToken('successor', NOW - 20 * SECOND), rolesSince: 2, grace: 0 },
      { ...newToken('superseded', NOW + GRACE), rolesSince: 1 },
      newToken('superseded', NOW + GRACE / 2),
      newToken('renewable', NOW + GRACE / 4),
      newToken('retired', NOW - SECOND),
    ],
    email: `"o'hara"+ünï\u2028@exämple.com`,
    roles: ['admin', 'a,b', '"quoted"', 'line\nbreak', ''],
    formerRoles: [['admin'], [], ['', '"quoted"', 'line\nbreak', 'a,b'], ['[]', 'ünï\u2028']],
    rolesSince: 2,
    authenticatedAt: NOW - 2 * MINUTE,
    authentication: 'remember-me',
    factors: { totp: NOW - MINUTE, 'security-key_2': NOW - 30 * SECOND },
    upstream: 'b3RoZXIgc2Vzc2lvbg-_',
    device: newDevice(),
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
