import { randomBytes } from 'node:crypto';
import type { FindOutcome, SessionRecord, Touch } from 'nestjs-session-auth';

/** The time at which the records of tests are made. */
export const NOW = 1_800_000_000_000;
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** No limit for the user. */
export const NO_LIMIT = { max: Infinity, onLimit: 'reject' } as const;

/** A fresh digest. */
export function newDigest(): string {
  return `aa${randomBytes(32).toString('base64url')}`;
}

/** A record made at {@link NOW} that lives an hour, a day at most. */
export function newRecord(userId: string | undefined, fields: Partial<SessionRecord> = {}): SessionRecord {
  return {
    digest: newDigest(),
    id: randomBytes(15).toString('base64url'),
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

/** A use of a session that lives an hour from then on, and is touched once a minute. */
export function touchAt(now: number): Touch {
  return { now, idle: HOUR, interval: MINUTE };
}

/** The record that a store has found. */
export function liveRecord(outcome: FindOutcome): SessionRecord {
  if (outcome.status !== 'live') throw new Error(`a session was ${outcome.status}`);
  return outcome.record;
}
