import { randomBytes } from 'node:crypto';
import type { SessionRecord } from 'nestjs-session-auth';

const HOUR = 3_600_000;

/** A session of this moment that lives an hour, a day at most. */
export function newRecord(userId: string): SessionRecord {
  const now = Date.now();
  const id = randomBytes(15).toString('base64url');
  return {
    digest: `AA${id}${randomBytes(32).toString('base64url')}`,
    id,
    userId,
    roles: [],
    createdAt: now,
    rotatedAt: now,
    lastActivityAt: now,
    expiresAt: now + HOUR,
    absoluteExpiresAt: now + 24 * HOUR,
    data: {},
  };
}
