import type { Admission } from '../session/concurrency-limit.js';
import { MINUTE } from '../time/units.js';
import type {
  RememberMeChanges,
  RememberMeSuccessor,
  RememberMeTokenRecord,
  ReplacedValidator,
} from './remember-me-token-store.js';

/*
 * Who presents the present validator is handed a successor, and a session with it. The answer that carries both may get
 * lost. So the present validator stays the present one until its successor is presented, and meanwhile:
 *
 * - All who present it within `reuseGrace` of the hand-out share that successor and its session (tabs that start
 *   together).
 * - Later, the answer was lost, and another successor is handed out. Its session takes the place of the one that the
 *   lost answer signed in. If that one was used, the answer was not lost: somebody else holds the validator as well.
 *
 * A successor that is presented becomes the present validator, and is handed a successor itself. For `reuseGrace` from
 * then on, requests that present the validator before were in flight: they are signed in by nothing, and are no sign of
 * theft. Any other validator of the record is. The functions of this file are pure; a store applies their changes with
 * `RememberMeTokenStore.replace`, if the record has not changed meanwhile.
 */

/**
 * What a validator is worth.
 *
 * - `present`: signs its device in.
 * - `successor`: does so as well, and is the present one from then on.
 * - `in-flight`: replaced a moment ago. Signs nobody in, and nobody is to be told.
 * - `replaced`: two hold the token, and one of them is a thief. So is every validator that was never handed out.
 */
export type ValidatorStanding = 'present' | 'successor' | 'in-flight' | 'replaced';

/** For how long the session of an answer that got lost can have been used: browsers save cookies every 30 seconds. */
export const MAX_USE_OF_LOST_SESSION = MINUTE;

/** The most replaced validators that a record holds. */
const MAX_REPLACED = 8;

/** What the validator of a digest is worth, if the digest is that of a validator of this record at all. */
export function standingOf(record: RememberMeTokenRecord, digest: string, now: number): ValidatorStanding {
  if (record.validatorDigest === digest) return 'present';
  if (record.successor?.digest === digest) return 'successor';
  return replacedLately(record, now).some((replaced) => replaced.digest === digest) ? 'in-flight' : 'replaced';
}

/** Whether all who present the present validator now share the successor that is out. Else they get another one. */
export function isShared({ successor }: RememberMeTokenRecord, now: number, reuseGrace: number): boolean {
  return successor !== undefined && now - successor.at < reuseGrace;
}

/** What a hand-out brings. */
export interface HandOut extends Pick<RememberMeSuccessor, 'digest' | 'nonce' | 'sessionId'> {
  readonly now: number;
  readonly reuseGrace: number;
  /** The record's new end; undefined keeps it. */
  readonly expiresAt?: number;
}

/** The changes by which whoever presented the present validator, or its successor, is handed the next one. */
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
 * The session that the one of the successor takes the place of; undefined when that has been done. The session of a
 * lost answer is replaced only if nobody used it.
 */
export function replacedSession({ successor, sessionId }: RememberMeTokenRecord): Admission['replaces'] {
  if (successor === undefined || successor.sessionId === sessionId) return undefined;
  return successor.isRepeated === true ? { id: sessionId, unlessUsedFor: MAX_USE_OF_LOST_SESSION } : { id: sessionId };
}

/** The handles of the sessions that a device was signed in by last: two while a hand-out is under way. */
export function sessionsOf({ sessionId, successor }: RememberMeTokenRecord): readonly string[] {
  return successor === undefined || successor.sessionId === sessionId ? [sessionId] : [sessionId, successor.sessionId];
}

/**
 * The session that an answer signed in which got lost, if the present validator is presented; undefined when no answer
 * was sent since that validator is the present one.
 */
export function sessionOfLostAnswer({ sessionId, successor }: RememberMeTokenRecord): string | undefined {
  if (successor === undefined) return undefined;
  return successor.isRepeated === true || successor.sessionId === sessionId ? sessionId : undefined;
}

function replacedLately({ replaced = [] }: RememberMeTokenRecord, now: number): readonly ReplacedValidator[] {
  return replaced.filter(({ until }) => until > now);
}
