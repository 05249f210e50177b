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
      /** Sessions that were evicted because of the limit. */
      readonly evicted: readonly EndedSession[];
      /** Sessions that the same device had before. */
      readonly replaced: readonly EndedSession[];
    }
  /** A live session has the record's handle, or is shared with its device: its handle. Nothing changed. */
  | { readonly status: 'exists'; readonly id: string }
  /** The session in `admission.replaces` is in use. Nothing changed. */
  | { readonly status: 'in_use' }
  | { readonly status: 'limit_reached' };

/** A session that a store operation ended, with the fields that its event needs. */
export interface EndedSession {
  /** Its public handle. */
  readonly id: string;
  readonly userId?: string;
  /**
   * Whether the end was reported before, by {@link SessionStore.deleteByRealm}. A cleanup counts the removed record,
   * and publishes no event for it. @default false
   */
  readonly isReported?: boolean;
}

/** The outcome of {@link SessionStore.find}. `expired` is returned once, by the call that removed the record. */
export type FindOutcome =
  | { readonly status: 'live'; readonly record: SessionRecord }
  | { readonly status: 'expired'; readonly ended: EndedSession }
  | { readonly status: 'absent' };

/** When a read counts as activity, and how far it moves the idle deadline. Milliseconds. */
export interface Touch {
  readonly now: number;
  /** `lifetime.idle` */
  readonly idle: number;
  /** `lifetime.touchInterval`: a record touched more recently than this is not written. */
  readonly interval: number;
  /** The client of the request. A touch stores it; read it only then, and from this object. @default unknown */
  readonly client?: ClientInfo;
}

/** The outcome of {@link SessionStore.update}. */
export type UpdateOutcome =
  | { readonly status: 'updated'; readonly data: SessionData }
  | { readonly status: 'too_large' }
  | { readonly status: 'absent' };

/** The arguments of {@link SessionStore.rotate}. */
export interface Rotation {
  /** The `revision` of the record that `changes` are based on. */
  readonly revision: number;
  readonly now: number;
  readonly changes: SessionRecordChanges & TokenChanges;
  /** Whether the {@link SessionStore.link} tells of it, whatever changes. @default by what changes */
  readonly isTold?: boolean;
}

/** The outcome of {@link SessionStore.rotate}. */
export type RotateOutcome =
  | { readonly status: 'rotated'; readonly record: SessionRecord }
  /** The record has another revision now. It is returned unchanged. */
  | { readonly status: 'changed'; readonly record: SessionRecord }
  | { readonly status: 'absent' };

/** Which page of a user's sessions {@link SessionStore.list} returns. */
export interface SessionPage {
  /** At most this many records, 1 to 1000. */
  readonly limit: number;
  /** The `next` of the previous page; undefined for the first page. */
  readonly cursor?: string;
}

/** A page of sessions, newest first. */
export interface SessionList {
  readonly records: readonly SessionRecord[];
  /** Pass it as `cursor` for the next page; undefined on the last page. */
  readonly next?: string;
  /** How many records of the page were left out because they cannot be read. @default 0 */
  readonly unreadable?: number;
}

/** Which sessions of a user {@link SessionStore.deleteByUser} ends. */
export interface UserSessionsToEnd {
  /** The handle of a session to keep. */
  readonly except?: string;
  readonly limit: number;
  /** As in {@link SessionStore.delete}. */
  readonly reason?: SessionEndReason;
}

/** Which sessions of a realm {@link SessionStore.deleteByRealm} ends. */
export interface RealmSessionsToEnd {
  /** Only sessions with an earlier `createdAt`, in milliseconds since the epoch. @default all sessions */
  readonly createdBefore?: number;
  /** As in {@link SessionStore.delete}. */
  readonly reason?: SessionEndReason;
}

/** The outcome of {@link SessionStore.deleteByUser}: one bounded step. */
export interface DeleteByUserOutcome {
  readonly ended: readonly EndedSession[];
  /** True when the step's limit was reached and more may be left: call again. */
  readonly more: boolean;
}

/**
 * Where sessions are kept. Extend it for a backend of your own, and run `sessionStoreContract` of
 * `nestjs-session-auth/testing` on the result.
 *
 * The contract, for all operations:
 *
 * - **A digest names a session** by the handle in it: `handleOf(digest)`. It may be the digest of any token of the
 *   session. `standingOf` and `isHonoured` say what a token is worth, for all stores alike; only `find` and `update`
 *   check it.
 * - **Atomic.** Each call is one indivisible step against every other call, from this process or another. In particular
 *   `create` counts, evicts and admits in one step.
 * - **Conditional.** A record that was deleted, evicted or has expired never comes back: `update`, `rotate` and the
 *   touch in `find` change a live record or nothing.
 * - **The store enforces expiry**, by the `now` of the call and not by the backend's clock: a record with
 *   `expiresAt <= now` is absent for every operation, counts for no limit and is in no list.
 * - **Absence is an answer, failure is an error.** The outcome says that something is absent. A backend that fails,
 *   times out or returns nonsense makes the call reject; it never counts as absence. A stored record that cannot be
 *   read, such as one with a time that no `Date` can hold, makes `find`, `update` and `rotate` reject with a
 *   `SessionAuthError` of code `corrupt_session_record`. `delete` removes it, and it does not affect the user's other
 *   sessions.
 * - **Copies in, copies out.** Arguments and results share no object with the stored records.
 * - **Data is JSON by top-level key.** Values are valid JSON and come back equal.
 */
export abstract class SessionStore {
  /**
   * Adds a session, within the account's limit.
   *
   * If a live session of `record.userId` has the record's handle, nothing changes and the outcome is `exists`: of
   * parallel creates of one handle, one succeeds.
   *
   * Next come the sessions of the same device. A live session of the user with `record.device` that was created less
   * than `admission.sharedFor` ago is shared: nothing changes and the outcome is `exists` with its handle. If a node
   * whose clock is ahead created it after `now`, it counts as created at `now`. An older session of the device ends,
   * and is reported in `replaced`. So does the session that `admission.replaces` names, unless it was used for longer
   * than that allows (`lastActivityAt - createdAt > unlessUsedFor`): then nothing changes and the outcome is `in_use`.
   *
   * Then the other live sessions of the user are counted. At `admission.max` or more, `'reject'` changes nothing and
   * the outcome is `limit_reached`. `'evict-oldest'` ends as many sessions as needed, those with the earliest
   * `createdAt`; `'evict-least-recent'` those with the earliest `lastActivityAt`. The outcome reports them. An
   * anonymous record is always admitted. Without a limit, a store may look for device and handle only among the user's
   * 500 newest sessions.
   */
  abstract create(record: SessionRecord, admission: Admission, now: number): Promise<CreateOutcome>;

  /**
   * Returns the session of a digest, even if the digest's token is no longer honoured. When the token is honoured and
   * the last activity is `touch.interval` or longer ago, the same step sets `lastActivityAt` to `now`, and `expiresAt`
   * to `now + idle` or `absoluteExpiresAt`, whichever is earlier. It also sets `ip` and `userAgent` to those of
   * `touch.client` that are given. Otherwise nothing is written. No time in a record ever decreases.
   */
  abstract find(digest: string, touch: Touch): Promise<FindOutcome>;

  /**
   * Merges `patch` into the data, key by key: other keys stay, `undefined` removes a key. Parallel updates of different
   * keys lose nothing. Returns the merged data, or `too_large` if it would take more than `maxBytes` of JSON, in which
   * case nothing changes. A merge that does not enlarge the data is never refused. For a token that is not honoured,
   * the session is absent.
   *
   * @param isTold whether the {@link link} publishes it as a change. @default false
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
   * Otherwise nothing changes. Data, handle and all fields that `changes` leaves out stay as they are in the store,
   * including what a touch or an update has changed since the record was read.
   */
  abstract rotate(digest: string, rotation: Rotation): Promise<RotateOutcome>;

  /**
   * Ends the session of a digest. Returns the ended session. Idempotent.
   *
   * @param reason the reason that a {@link link} reports. @default 'revoked'
   */
  abstract delete(digest: string, now: number, reason?: SessionEndReason): Promise<EndedSession | undefined>;

  /** Returns the live sessions of a user, newest `createdAt` first (equal times: greater handle first), in pages. */
  abstract list(userId: string, page: SessionPage, now: number): Promise<SessionList>;

  /** Ends the session of a user that has this handle. Returns the ended session, if there was one. */
  abstract deleteByHandle(
    userId: string,
    handle: string,
    now: number,
    reason?: SessionEndReason,
  ): Promise<EndedSession | undefined>;

  /**
   * Ends at most `limit` sessions of a user, all except the one with the handle `except`. Sessions that had already
   * expired are removed without being reported.
   */
  abstract deleteByUser(userId: string, which: UserSessionsToEnd, now: number): Promise<DeleteByUserOutcome>;

  /**
   * Ends all sessions of the store's realm, or those with a `createdAt` before a time. When it resolves, they are
   * absent for every operation, a limit does not count them, and nothing brings one back. It does not read all records:
   * a cleanup may remove them later, and reports them as {@link EndedSession.isReported}.
   *
   * Without `createdBefore`, no clock decides: in parallel to it, each `create` takes place either before, and its
   * session ends, or after it. With `createdBefore`, a later session with an earlier `createdAt` is absent as well.
   *
   * When it rejects, some of the sessions may have ended. Calling it again ends the others, and is harmless. With a
   * {@link link}, it publishes one signal of type `all_ended`, after the sessions have ended.
   *
   * Optional. Without it `endEverySession` and `endSessionsBefore` throw `not_configured`.
   */
  deleteByRealm?(which: RealmSessionsToEnd, now: number): Promise<void>;

  /**
   * Sets roles or e-mail on all live sessions of a user, marks the token of each for replacement (`rotatedAt` becomes
   * 0) and adds 1 to its `revision`. If the roles of a session change, its previous roles are appended to its
   * `formerRoles`. Returns how many changed.
   */
  abstract updateByUser(
    userId: string,
    changes: { readonly roles?: readonly string[]; readonly email?: string },
    now: number,
  ): Promise<number>;

  /**
   * Removes at most `limit` expired records and returns them. Each is reported by one call only. A backend that removes
   * expired records by itself, such as Redis, returns an empty list.
   */
  abstract deleteExpired(now: number, limit: number): Promise<readonly EndedSession[]>;

  /**
   * Runs a sweep of expired records while no other node runs one, and returns its result. If another node runs one,
   * nothing runs and the result is undefined. Optional. Without it each node sweeps by itself: this is harmless,
   * because `deleteExpired` reports each record once, but repeats the work.
   */
  withCleanupLock?<T>(sweep: () => Promise<T>): Promise<T | undefined>;

  /**
   * Returns a store of the same backend for a realm other than the default one. None of its records, counts and sweeps
   * affects another realm, even when user ids are equal. Called once for each realm at boot; two calls with one name
   * return stores on the same records. Optional. Without it a store serves one realm, and a second realm is refused at
   * boot.
   */
  ofRealm?(realm: string): SessionStore;
  /**
   * Returns the link that reports sessions of the store's realm that end or change; undefined if the link was not
   * enabled. Called at boot. Optional. Without it, everything that needs the link is refused at boot.
   */
  link?(): SessionLink | undefined;
}
