import { Injectable } from '@nestjs/common';
import { BearerTokens } from '../crypto/bearer-tokens.js';
import { digestOf } from '../crypto/session-token.js';
import type { SessionEndReason } from '../events/session-event.js';
import type { ClientInfo } from '../users/client.js';
import type { SessionUserId } from '../users/session-user-provider.js';
import { checkAccount, userIdOf } from '../users/valid-user.js';
import { PersonalData, type EraseUser, type ExportUser, type UserErasure, type UserExport } from './personal-data.js';
import type { Authentication, NewSession, RenewingLogin } from './login-record.js';
import { RealmSessions, type EndSessionsOfRealm } from './realm-sessions.js';
import { SessionChanges } from './session-changes.js';
import { SessionReader } from './session-reader.js';
import type { SessionData, SessionRecord } from './session-record.js';
import { SessionRotation, type IssuedSession, type RotateSession } from './session-rotation.js';
import { sessionRequired } from './session-required.js';
import { SessionUpdates } from './session-updates.js';
import { Session } from './session.js';
import { UpstreamDigests, type UpstreamSession } from './upstream-session.js';
import { UserSessions } from './user-sessions.js';

/** A page of a user's sessions, newest first. */
export interface SessionsPage {
  readonly sessions: readonly Session[];
  /** Pass it as `cursor` for the next page; undefined on the last page. */
  readonly next?: string;
}

/**
 * The life of sessions, without HTTP: creates, finds, changes, rotates, ends and lists them.
 *
 * Every method that uses the store rejects with `session_store_unavailable` when the store fails or takes longer than
 * `storeTimeout`, and with `invalid_user` for an invalid user or id. Over HTTP use {@link SessionAuthService}, which
 * writes the cookies as well.
 */
@Injectable()
export class SessionLifecycleService {
  constructor(
    private readonly reader: SessionReader,
    private readonly changes: SessionChanges,
    private readonly rotation: SessionRotation,
    private readonly tokens: BearerTokens,
    private readonly updates: SessionUpdates,
    private readonly ofUsers: UserSessions,
    private readonly upstream: UpstreamDigests,
    private readonly personalData: PersonalData,
    private readonly ofRealm: RealmSessions,
  ) {}

  /**
   * Makes a session with a random token (ASVS 7.2.2), within the user's limit.
   *
   * @throws SessionAuthError `session_limit_reached` when the user is at the limit and the policy is `reject`
   * @throws SessionAuthError `invalid_session_data`, `session_data_too_large`
   * @throws SessionAuthError `invalid_configuration` for an `authenticatedAt` that is not a time, or an `upstream`
   *   without an id
   */
  async create(input: NewSession): Promise<IssuedSession> {
    const { token, session } = await this.changes.create(input);
    return { token: this.tokens.write(token), session };
  }

  /**
   * Returns the live session of a token, or undefined. Counts as activity. A token that was not issued here costs no
   * store call. Reports a token of an ended session as `session.used_after_end`, a replaced one as
   * `session.token_reused`, and a record that cannot be read or belongs to another session as `session.corrupt_record`.
   * The token alone does not say whose session it is: the store's user id is trusted.
   */
  async find(token: string, client?: ClientInfo): Promise<Session | undefined> {
    const genuine = this.tokens.read(token);
    return genuine === undefined ? undefined : this.reader.find(genuine, { client });
  }

  /**
   * Merges a patch into a session's data: see {@link Session.update}.
   *
   * @throws SessionAuthError `session_required` when the session has ended or is of another realm,
   *   `session_data_too_large`, `invalid_session_data`
   */
  async update(session: Session<object>, patch: SessionData): Promise<void> {
    if (session.realm !== this.updates.realm) throw sessionRequired();
    await session.update(patch);
  }

  /**
   * Gives a session a new token. The old one works until the new one is used, because the response may be lost, and for
   * `grace` milliseconds more, for requests in flight. With a `grace` of 0 it stops working at once, as a gain of
   * privilege requires (ASVS 7.2.4). Returns undefined when another request was first: the newer token is already on
   * its way.
   *
   * @throws SessionAuthError `session_required` when the session does not exist
   */
  rotate(session: Session<object>, options: RotateSession = {}): Promise<IssuedSession | undefined> {
    return this.#issued(this.rotation.rotate(session, options));
  }

  /**
   * Turns a session of a user into that of a fresh login by the same user. It gets a new token, new deadlines and the
   * account's present roles, and the old token stops working at once. Data stays. Further factors are removed, because
   * the login has not proved them.
   *
   * @throws SessionAuthError `session_required` when the session has ended
   * @throws SessionAuthError `invalid_configuration` as in {@link create}
   */
  renew(session: Session<object>, login: RenewingLogin): Promise<IssuedSession | undefined> {
    return this.#issued(this.rotation.renew(session, login));
  }

  /**
   * Records that the user has proved their identity again. The session gets a new token, `authenticatedAt` of now and
   * the account's present roles, and the old token stops working at once. The absolute deadline stays, and so do
   * further factors with their times.
   *
   * @throws SessionAuthError `session_required` when the session has ended
   */
  reauthenticated(session: Session<object>, proof: Authentication): Promise<IssuedSession | undefined> {
    return this.#issued(this.rotation.reauthenticated(session, proof));
  }

  /**
   * Records that the user has proved a further factor, which the caller has verified. The session gets a new token, and
   * the old one stops working at once (ASVS 7.2.4). All deadlines stay. Returns undefined when another request was
   * first; the factor is not recorded then.
   *
   * @param factor its name, such as `'totp'`: 1 to 32 of a-z, 0-9, _ and -. At most eight in one session.
   * @throws SessionAuthError `session_required` when the session has ended or is anonymous, `invalid_configuration` for
   *   an invalid name of a factor, and for a ninth factor
   */
  factorCompleted(session: Session<object>, factor: string, client?: ClientInfo): Promise<IssuedSession | undefined> {
    return this.#issued(this.rotation.factorCompleted(session, factor, client));
  }

  /** Whether the session was found by a replaced token, which works only for its grace period. */
  isSuperseded(session: Session<object>): boolean {
    return Session.foundBy(session).standing.kind === 'superseded';
  }

  /** Whether the session's token must be replaced, by `lifetime.rotateEvery` or after a change of roles. */
  isRotationDue(session: Session<object>): boolean {
    return this.reader.isRotationDue(session);
  }

  /**
   * Ends the session of a token, which may be any token that the session has had. Does nothing when there is no
   * session. Returns whether there was one.
   */
  async destroy(token: string, reason: SessionEndReason = 'logout', client?: ClientInfo): Promise<boolean> {
    const genuine = this.tokens.read(token);
    return genuine !== undefined && this.changes.destroy(digestOf(genuine), reason, client);
  }

  /**
   * Ends a session, even if its token has been replaced meanwhile. Does nothing when it has already ended. Returns
   * whether it ended now.
   */
  destroySession(session: Session<object>, reason: SessionEndReason, client?: ClientInfo): Promise<boolean> {
    return this.changes.destroySession(session, reason, client);
  }

  /**
   * Lists the live sessions of a user, newest login first, in pages.
   *
   * @param page `limit` 1 to 1000 (default 100); `cursor` is the `next` of the previous page
   */
  async list(
    userId: SessionUserId,
    page: { readonly limit?: number; readonly cursor?: string } = {},
  ): Promise<SessionsPage> {
    const { records, next } = await this.ofUsers.list(userIdOf(userId), page);
    return { sessions: records.map((record) => new Session(record, this.updates)), next };
  }

  /** Ends the session of a user that has this handle. Returns false when the user has no such session. */
  async revoke(
    userId: SessionUserId,
    id: string,
    reason: SessionEndReason = 'revoked',
    client?: ClientInfo,
  ): Promise<boolean> {
    return this.ofUsers.revoke(userIdOf(userId), id, reason, client);
  }

  /** Ends all sessions of a user except the one with the handle `keep`. Returns how many ended. */
  async revokeOthers(
    userId: SessionUserId,
    keep: string,
    reason: SessionEndReason = 'revoked',
    client?: ClientInfo,
  ): Promise<number> {
    return this.ofUsers.revokeAll(userIdOf(userId), keep, reason, client);
  }

  /** Ends all sessions of a user. Returns how many ended. */
  async revokeAll(userId: SessionUserId, reason: SessionEndReason = 'revoked', client?: ClientInfo): Promise<number> {
    return this.ofUsers.revokeAll(userIdOf(userId), undefined, reason, client);
  }

  /**
   * Ends the sessions of a user that were started by a session at an identity provider, after that session has ended
   * (OpenID Connect Back-Channel Logout, ASVS 7.6.1). Forgets the devices that started them. Returns how many ended.
   * Reads all pages of the user's own sessions.
   *
   * @param upstream as it was given at login, with or without `issuer`
   * @throws SessionAuthError `invalid_configuration` for an `upstream` without an id
   */
  async revokeUpstream(userId: SessionUserId, upstream: UpstreamSession, client?: ClientInfo): Promise<number> {
    const digests = this.upstream.allOf(upstream);
    const isMeant = (record: SessionRecord): boolean => digests.includes(record.upstream ?? '');
    return this.ofUsers.revokeEach(userIdOf(userId), isMeant, 'upstream_logout', client);
  }

  /**
   * Ends all sessions of the realm and forgets all remembered devices, after a breach. When it resolves, every node
   * refuses them, within the `bound` of a near-cache; sockets and streams are closed. A login at the same time either
   * ends as well, or is later and stays: no clock decides. Publishes one event, `session.all_ended`.
   *
   * It does not depend on how many sessions there are, and takes at most a minute. When it rejects, a part may be done:
   * call it again, which is harmless.
   *
   * Call it when no node of a version without this method is left: such a node does not know of it.
   *
   * @throws SessionAuthError `not_configured` if a store of the application lacks `deleteByRealm`; nothing has ended
   */
  endEverySession(options: EndSessionsOfRealm = {}, client?: ClientInfo): Promise<void> {
    return this.ofRealm.endEvery(options, client);
  }

  /**
   * Ends the sessions of the realm that began before a date (`createdAt`), and forgets the devices that were remembered
   * before it. Otherwise as {@link endEverySession}. A login by a node whose clock is still before the date ends, too.
   *
   * @throws SessionAuthError `invalid_configuration` for a date in the future, and for an invalid date
   */
  endSessionsBefore(date: Date, options: EndSessionsOfRealm = {}, client?: ClientInfo): Promise<void> {
    return this.ofRealm.endBefore(date, options, client);
  }

  /**
   * Writes new roles or a new e-mail address to all live sessions of a user at once. The token of each session is
   * replaced on its next request, because a gain of privilege needs a new token. Returns how many changed.
   */
  async updateUser(
    userId: SessionUserId,
    changes: { readonly roles?: readonly string[]; readonly email?: string },
  ): Promise<number> {
    checkAccount(changes);
    return this.ofUsers.update(userIdOf(userId), changes);
  }

  /**
   * Returns everything that is stored about a user, for a request under privacy law (GDPR articles 15 and 20): sessions
   * with their data, remembered devices, counts of failed logins, records of the audit log. It contains no token and no
   * digest.
   */
  async exportUser(userId: SessionUserId, options: ExportUser = {}): Promise<UserExport> {
    return this.personalData.export(userIdOf(userId), options);
  }

  /**
   * Erases everything that {@link exportUser} returns (GDPR article 17), and signs the user out everywhere. Remove or
   * disable the account first: a login under way then finds no account and leaves nothing.
   *
   * When it rejects, a part may be done: call it again. A call that finds nothing returns zeros.
   *
   * @throws SessionAuthError `session_store_unavailable` also when the audit log fails
   */
  async eraseUser(userId: SessionUserId, options: EraseUser = {}): Promise<UserErasure> {
    return this.personalData.erase(userIdOf(userId), options);
  }

  async #issued(issuing: Promise<IssuedSession | undefined>): Promise<IssuedSession | undefined> {
    const issued = await issuing;
    return issued && { token: this.tokens.write(issued.token), session: issued.session };
  }
}
