import type { SessionEndReason } from '../events/session-event.js';
import type { ClientInfo } from '../users/client.js';
import type { Admission } from './concurrency-limit.js';
import type { SessionLink } from './session-link.js';
import type { SessionData, SessionRecord, SessionRecordChanges } from './session-record.js';
import type { TokenChanges } from './session-tokens.js';

/** The outcome of {@link SessionStore.create}. */
export type CreateOutcome =
  | {
      readonly status: 'created';
      /** Sessions that had to leave because of the limit. */
      readonly evicted: readonly EndedSession[];
      /** Sessions that the same device had before. */
      readonly replaced: readonly EndedSession[];
    }
  /** A live session has the record's handle, or is shared with its device: its handle. Nothing changed. */
  | { readonly status: 'exists'; readonly id: string }
  /** The session that `admission.replaces` names has been used: nothing changed. */
  | { readonly status: 'in_use' }
  | { readonly status: 'limit_reached' };

/** A session that a store operation ended: what an event needs to say about it. */
export interface EndedSession {
  /** Its public handle. */
  readonly id: string;
  readonly userId?: string;
}

/** The outcome of {@link SessionStore.find}. `expired` is reported by the one call that removed the record. */
export type FindOutcome =
  | { readonly status: 'live'; readonly record: SessionRecord }
  | { readonly status: 'expired'; readonly ended: EndedSession }
  | { readonly status: 'absent' };

/** When a read counts as activity, and how far it moves the idle expiry. Milliseconds. */
export interface Touch {
  readonly now: number;
  /** `lifetime.idle` */
  readonly idle: number;
  /** `lifetime.touchInterval`: a record touched less long ago than this is not written. */
  readonly interval: number;
  /** Who asks: a touch keeps what is known of them, and reads this only when it takes place. @default nobody known */
  readonly client?: ClientInfo;
}

/** The outcome of {@link SessionStore.update}. */
export type UpdateOutcome =
  | { readonly status: 'updated'; readonly data: SessionData }
  | { readonly status: 'too_large' }
  | { readonly status: 'absent' };

/** What {@link SessionStore.rotate} is asked to do. */
export interface Rotation {
  /** The `revision` of the record that `changes` were worked out from. */
  readonly revision: number;
  readonly now: number;
  readonly changes: SessionRecordChanges & TokenChanges;
  /** Whether the {@link SessionStore.link} tells of it, whatever changes. @default by what changes */
  readonly isTold?: boolean;
}

/** The outcome of {@link SessionStore.rotate}. */
export type RotateOutcome =
  | { readonly status: 'rotated'; readonly record: SessionRecord }
  /** The record has another revision by now: here it is, unchanged. */
  | { readonly status: 'changed'; readonly record: SessionRecord }
  | { readonly status: 'absent' };

/** Which page of a user's sessions {@link SessionStore.list} is to answer. */
export interface SessionPage {
  /** At most this many records, 1 to 1000. */
  readonly limit: number;
  /** The `next` of the page before; undefined for the first page. */
  readonly cursor?: string;
}

/** A page of sessions, newest first. */
export interface SessionList {
  readonly records: readonly SessionRecord[];
  /** Hand this back as `cursor` for the next page; undefined on the last one. */
  readonly next?: string;
  /** How many records of the page were left out because they cannot be read. @default 0 */
  readonly unreadable?: number;
}

/** Which sessions of a user {@link SessionStore.deleteByUser} is to end. */
export interface UserSessionsToEnd {
  /** The handle of a session to leave. */
  readonly except?: string;
  readonly limit: number;
  /** As of {@link SessionStore.delete}. */
  readonly reason?: SessionEndReason;
}

/** The outcome of {@link SessionStore.deleteByUser}: one bounded step. */
export interface DeleteByUserOutcome {
  readonly ended: readonly EndedSession[];
  /** True when the step's limit was reached and more may be left: call again. */
  readonly more: boolean;
}

/**
 * Where sessions are kept. Extend it to keep them somewhere else, and run `sessionStoreContract` of
 * `nestjs-session-auth/testing` on the result.
 *
 * The contract, for all operations:
 *
 * - **A digest names a session** by the handle in it, whichever of the session's tokens it is of: `handleOf(digest)`.
 *   What a token is worth is told by `standingOf` and `isHonoured`, the same for every store; only `find` and `update`
 *   ask them.
 * - **Atomic.** Each call is one indivisible step against every other call, from this process or another. In
 *   particular `create` counts, evicts and admits in one step.
 * - **Conditional.** A record that was deleted, evicted or has expired never comes back: `update`, `rotate` and the
 *   touch in `find` change a live record or nothing.
 * - **Expiry is the store's to enforce**, by the `now` it is given, whatever the backend's own clock says: a record with
 *   `expiresAt <= now` is absent for every operation, counts for no limit and is in no list.
 * - **Absence is an answer, failure is an error.** What is not there is told by the outcome. A backend that fails, times
 *   out or answers nonsense makes the call reject, never answer "absent". A stored record that cannot be read, such as one with a time that no
 *   `Date` can hold, makes
 *   `find`, `update` and `rotate` reject with a `SessionAuthError` of code `corrupt_session_record`; `delete` removes
 *   it, and it does not stand in the way of its user's other sessions.
 * - **Copies in, copies out.** Nothing that goes in or comes out shares an object with what is stored.
 * - **Data is JSON by top-level key.** Values come in as JSON can carry them and come back equal.
 */
export abstract class SessionStore {
  /**
   * Adds a session, under the account's limit.
   *
   * Where a live session of `record.userId` has the record's handle, nothing changes and the outcome is `exists`: of
   * parallel creates of one handle, one succeeds.
   *
   * Then what the same device had before is looked at. A live session of the user with `record.device` that was created
   * less than `admission.sharedFor` ago is shared: nothing changes and the outcome is `exists` with its handle. One
   * that a node whose clock is ahead created after `now` counts as created at `now`. An older one ends, and is reported
   * in `replaced`. So does the session that `admission.replaces` names, unless it was used for longer than that allows
   * (`lastActivityAt - createdAt > unlessUsedFor`): nothing changes then and the outcome is `in_use`.
   *
   * The other live sessions of the user are counted. At `admission.max` or more: `'reject'` adds and ends nothing and
   * the outcome is `limit_reached`; `'evict-oldest'` ends those with the earliest `createdAt`, `'evict-least-recent'`
   * those with the earliest `lastActivityAt`, as many as it takes, and reports them. An anonymous record is always
   * admitted. Without a limit a store may look for device and handle among the user's 500 newest sessions only.
   */
  abstract create(record: SessionRecord, admission: Admission, now: number): Promise<CreateOutcome>;

  /**
   * The session of a digest, whatever the digest's token is worth. When the token is honoured and the last activity is
   * `touch.interval` or longer ago, the same step sets `lastActivityAt` to `now` and `expiresAt` to `now + idle` or
   * `absoluteExpiresAt`, whichever comes first, and `ip` and `userAgent` to those of `touch.client` that are given;
   * otherwise nothing is written. Time never runs backwards in a record.
   */
  abstract find(digest: string, touch: Touch): Promise<FindOutcome>;

  /**
   * Merges `patch` into the data, key by key: other keys stay, `undefined` removes a key. Parallel updates of
   * different keys lose nothing. Answers the merged data, or `too_large` when it would take more than `maxBytes`
   * of JSON, in which case nothing changes; a merge that does not enlarge is never refused. By a token that is not
   * honoured, the session is absent.
   *
   * @param isTold whether the {@link link} tells of it as a change. @default false
   */
  abstract update(
    digest: string,
    patch: SessionData,
    now: number,
    maxBytes: number,
    isTold?: boolean,
  ): Promise<UpdateOutcome>;

  /**
   * Applies `changes` to a session in one step and adds 1 to its `revision`, if that is still `rotation.revision`.
   * Otherwise nothing changes. Data, handle and whatever else `changes` leave out stay as they are in the store, also
   * what a touch or an update has changed since the record was read.
   */
  abstract rotate(digest: string, rotation: Rotation): Promise<RotateOutcome>;

  /**
   * Ends the session of a digest. Answers what was ended; idempotent.
   *
   * @param reason what a {@link link} tells others. @default 'revoked'
   */
  abstract delete(digest: string, now: number, reason?: SessionEndReason): Promise<EndedSession | undefined>;

  /** The live sessions of a user, newest `createdAt` first (equal times: greater handle first), by pages. */
  abstract list(userId: string, page: SessionPage, now: number): Promise<SessionList>;

  /** Ends the session of a user that has this handle. Answers what was ended, if it was that user's. */
  abstract deleteByHandle(
    userId: string,
    handle: string,
    now: number,
    reason?: SessionEndReason,
  ): Promise<EndedSession | undefined>;

  /**
   * Ends at most `limit` sessions of a user, all but the one with the handle `except`. Sessions that had expired
   * already are removed without being reported.
   */
  abstract deleteByUser(userId: string, which: UserSessionsToEnd, now: number): Promise<DeleteByUserOutcome>;

  /**
   * Sets roles or e-mail on all live sessions of a user, makes the token of each due for rotation (`rotatedAt` becomes
   * 0) and adds 1 to its `revision`. Where the roles of a session change, those of before are added to the end of its
   * `formerRoles`. Answers how many.
   */
  abstract updateByUser(
    userId: string,
    changes: { readonly roles?: readonly string[]; readonly email?: string },
    now: number,
  ): Promise<number>;

  /**
   * Removes at most `limit` expired records and answers what they were; each is reported by one call only. A backend
   * that expires by itself, such as Redis, answers an empty list.
   */
  abstract deleteExpired(now: number, limit: number): Promise<readonly EndedSession[]>;

  /**
   * Runs a sweep of expired records while no other node runs one, and answers what it answers; undefined when another
   * node does, in which case nothing runs. Optional: without it each node sweeps for itself, which is harmless, since
   * `deleteExpired` reports each record once, but does the work several times.
   */
  withCleanupLock?<T>(sweep: () => Promise<T>): Promise<T | undefined>;

  /**
   * Returns a store of the same backend for another realm than the default one: no record, no count and no sweep of it
   * reaches another realm's, also where user ids are equal. Called once a realm at boot; two calls with one name return
   * stores on the same records. Optional: without it a store serves one realm, and a second one is refused at boot.
   */
  ofRealm?(realm: string): SessionStore;
  /**
   * Returns what tells this node of sessions of the store's realm that end or change; undefined where the store was not
   * told to. Called at boot. Optional: without it, what needs the link is refused at boot.
   */
  link?(): SessionLink | undefined;
}
