import type { FindOutcome, SessionRecord, Touch } from 'nestjs-session-auth';
import {
  digestOf,
  handleOf,
  issueHandle,
  issueNextSessionToken,
  issueSessionToken,
} from '../../libs/session-auth/src/crypto/session-token.js';

/** The time at which the records of tests are made. */
export const NOW = 1_800_000_000_000;
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** No limit for the user. */
export const NO_LIMIT = { max: Infinity, onLimit: 'reject' } as const;

/** The digest of a fresh token, for a session with this handle. */
export function newDigest(handle = issueHandle()): string {
  const token = issueSessionToken(undefined);
  return digestOf(token.replace(handleOf(token), handle));
}

/** The digest of another token of the same session. */
export function nextDigest(digest: string): string {
  return digestOf(issueNextSessionToken(digest));
}

/** A record made at {@link NOW} that lives an hour, a day at most; its handle is that of its digest. */
export function newRecord(userId: string | undefined, fields: Partial<SessionRecord> = {}): SessionRecord {
  const digest = fields.digest ?? newDigest(fields.id);
  return {
    digest,
    id: handleOf(digest),
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
