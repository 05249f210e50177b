import { randomBytes } from 'node:crypto';

export const NOW = 1_800_000_000_000;
export const HOUR = 3_600_000;
export const NO_LIMIT = { max: Infinity, onLimit: 'reject' };

/** A touch that writes nothing for an hour. */
export const UNTOUCHED = { now: NOW, idle: HOUR, interval: HOUR };

/** A session made at {@link NOW} that lives an hour. */
export function newRecord(userId, fields = {}) {
  const id = letters(20);
  return {
    digest: `aa${id}${letters(43)}`,
    id,
    userId,
    roles: [],
    createdAt: NOW,
    rotatedAt: NOW,
    lastActivityAt: NOW,
    expiresAt: NOW + HOUR,
    absoluteExpiresAt: NOW + 24 * HOUR,
    data: {},
    ...fields,
  };
}

function letters(count) {
  return randomBytes(count).toString('hex').slice(0, count);
}
