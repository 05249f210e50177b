import type { Admission } from '../session/concurrency-limit.js';
import { MINUTE } from '../time/units.js';
import type {
  RememberMeChanges,
  RememberMeSuccessor,
  RememberMeTokenRecord,
  ReplacedValidator,
} from './remember-me-token-store.js';

/*
 * A client that presents the present validator gets a successor, and a session with it. The response with both may get
 * lost. So the present validator stays valid until its successor is presented. Meanwhile:
 *
 * - All clients that present it within `reuseGrace` of the hand-out share that successor and its session (tabs that
 *   open together).
 * - Later, the response counts as lost, and another successor is issued. Its session replaces the one of the lost
 *   response. If that session was used, the response was not lost: somebody else holds the validator as well.
 *
 * A presented successor becomes the present validator, and gets a successor itself. For `reuseGrace` from then on,
 * requests with the previous validator count as in flight: they are refused, but are not a sign of theft. Any other
 * validator of the record is one. The functions of this file are pure; a store applies their changes with
 * `RememberMeTokenStore.replace`, if the record has not changed meanwhile.
 */

/**
 * What a validator is worth.
 *
 * - `present`: signs its device in.
 * - `successor`: signs its device in too, and becomes the present one.
 * - `in-flight`: replaced a moment ago. Signs nobody in, and raises no alarm.
 * - `replaced`: two clients hold the token, and one of them is a thief. A validator that was never issued counts as
 *   this too.
 */
export type ValidatorStanding = 'present' | 'successor' | 'in-flight' | 'replaced';

/** How long the session of a lost response can have been used: browsers save cookies every 30 seconds. */
export const MAX_USE_OF_LOST_SESSION = MINUTE;

/** The most replaced validators in a record. */
const MAX_REPLACED = 8;

/** Returns what the validator of a digest is worth, or that it does not belong to this record. */
export function standingOf(record: RememberMeTokenRecord, digest: string, now: number): ValidatorStanding {
  if (record.validatorDigest === digest) return 'present';
  if (record.successor?.digest === digest) return 'successor';
  return replacedLately(record, now).some((replaced) => replaced.digest === digest) ? 'in-flight' : 'replaced';
}

/**
 * Whether all clients that present the present validator now share the present successor. Otherwise they get another
 * one.
 */
export function isShared({ successor }: RememberMeTokenRecord, now: number, reuseGrace: number): boolean {
  return successor !== undefined && now - successor.at < reuseGrace;
}

/** The result of a hand-out. */
export interface HandOut extends Pick<RememberMeSuccessor, 'digest' | 'nonce' | 'sessionId'> {
  readonly now: number;
  readonly reuseGrace: number;
  /** The record's new expiry; undefined keeps it. */
  readonly expiresAt?: number;
}

/** Returns the changes that issue the next validator to a client that presented the present one or its successor. */
export function withSuccessor(
  record: RememberMeTokenRecord,
  presented: 'present' | 'successor',
  { digest, nonce, sessionId, now, reuseGrace, expiresAt }: HandOut,
): RememberMeChanges {
  const { validatorDigest, successor: before } = record;
  const use = { lastUsedAt: now, expiresAt };
  const successor = { digest, nonce, sessionId, at: now };
  if (presented === 'successor') {
    const replaced = [{ digest: validatorDigest, until: now + reuseGrace }, ...replacedLately(record, now)];
    return {
      ...use,
      validatorDigest: before!.digest,
      successor,
      replaced: replaced.slice(0, MAX_REPLACED),
      sessionId: before!.sessionId,
    };
  }
  const isRepeated = before !== undefined && (before.isRepeated === true || before.sessionId === record.sessionId);
  return { ...use, successor: isRepeated ? { ...successor, isRepeated } : successor };
}

/**
 * Returns the session that the successor's session replaces; undefined when it has been replaced already. The session
 * of a lost response is replaced only if nobody used it.
 */
export function replacedSession({ successor, sessionId }: RememberMeTokenRecord): Admission['replaces'] {
  if (successor === undefined || successor.sessionId === sessionId) return undefined;
  return successor.isRepeated === true ? { id: sessionId, unlessUsedFor: MAX_USE_OF_LOST_SESSION } : { id: sessionId };
}

/** Returns the handles of the device's latest sessions: two while a hand-out is under way. */
export function sessionsOf({ sessionId, successor }: RememberMeTokenRecord): readonly string[] {
  return successor === undefined || successor.sessionId === sessionId ? [sessionId] : [sessionId, successor.sessionId];
}

/**
 * Returns the session of a lost response when the present validator is presented; undefined if no response was sent
 * since that validator became the present one.
 */
export function sessionOfLostAnswer({ sessionId, successor }: RememberMeTokenRecord): string | undefined {
  if (successor === undefined) return undefined;
  return successor.isRepeated === true || successor.sessionId === sessionId ? sessionId : undefined;
}

function replacedLately({ replaced = [] }: RememberMeTokenRecord, now: number): readonly ReplacedValidator[] {
  return replaced.filter(({ until }) => until > now);
}
