import { Injectable } from '@nestjs/common';
import { BearerTokens } from '../crypto/bearer-tokens.js';
import { digestOf } from '../crypto/session-token.js';
import type { SessionEndReason } from '../events/session-event.js';
import type { ClientInfo } from '../users/client.js';
import type { SessionUserId } from '../users/session-user-provider.js';
import { checkAccount, userIdOf } from '../users/valid-user.js';
import { PersonalData, type EraseUser, type ExportUser, type UserErasure, type UserExport } from './personal-data.js';
import type { Authentication, NewSession, RenewingLogin } from './login-record.js';
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
  /** Hand this back for the next page; undefined on the last one. */
  readonly next?: string;
}

/**
 * The life of sessions, without HTTP: make, find, change, rotate, end, list.
 *
 * Every method that touches the store rejects with `session_store_unavailable` when the store fails or takes longer
 * than `storeTimeout`, and with `invalid_user` for a user or an id that no account can have. Over HTTP use {@link SessionAuthService}, which writes the cookies as well.
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
  ) {}

  /**
   * Makes a session with a token that nobody chose (ASVS 7.2.2), under the user's limit.
   *
   * @throws SessionAuthError `session_limit_reached` when the user is at the limit and the policy is `reject`
   * @throws SessionAuthError `invalid_session_data`, `session_data_too_large`
   * @throws SessionAuthError `invalid_configuration` for an `authenticatedAt` that is no time, or a nameless `upstream`
   */
  async create(input: NewSession): Promise<IssuedSession> {
    const { token, session } = await this.changes.create(input);
    return { token: this.tokens.write(token), session };
  }

  /**
   * The live session of a token, or undefined. Counts as activity. What was not issued here costs no store call; a token
   * whose session is over is reported as `session.used_after_end`, one that was replaced as `session.token_reused`, a
   * record that cannot be read or is not the session's as `session.corrupt_record`. The store is believed whose session
   * a token stands for.
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
   * Gives a session a new token. The old one goes on working until the new one is used, whose answer may get lost, and
   * for `grace` milliseconds more, for requests in flight. With a `grace` of 0 it is dead at once, which is what a gain
   * of privilege asks for (ASVS 7.2.4). Returns undefined when another request was first: the newer token is out
   * already.
   *
   * @throws SessionAuthError `session_required` when the session does not exist
   */
  rotate(session: Session<object>, options: RotateSession = {}): Promise<IssuedSession | undefined> {
    return this.#issued(this.rotation.rotate(session, options));
  }

  /**
   * Turns a session of a user into that of a fresh login by the same user: new token, the old one dead at once, new
   * deadlines, the account's present roles. Data stays, further factors do not: the login has proved none.
   *
   * @throws SessionAuthError `session_required` when the session has ended
   * @throws SessionAuthError `invalid_configuration` as for {@link create}
   */
  renew(session: Session<object>, login: RenewingLogin): Promise<IssuedSession | undefined> {
    return this.#issued(this.rotation.renew(session, login));
  }

  /**
   * Records that the user has just proved again who they are: new token, the old one dead at once, `authenticatedAt`
   * now, the account's present roles. The absolute deadline stays, and so do further factors with their times.
   *
   * @throws SessionAuthError `session_required` when the session has ended
   */
  reauthenticated(session: Session<object>, proof: Authentication): Promise<IssuedSession | undefined> {
    return this.#issued(this.rotation.reauthenticated(session, proof));
  }

  /**
   * Records that the user has just proved a further factor, which the caller has verified: new token, the old one dead
   * at once (ASVS 7.2.4), all deadlines as they were. Returns undefined when another request was first: the factor is
   * not recorded then.
   *
   * @param factor its name, such as `'totp'`: 1 to 32 of a-z, 0-9, _ and -. At most eight a session.
   * @throws SessionAuthError `session_required` when the session has ended or is nobody's, `invalid_configuration` for
   *   what is no name of a factor, and for a ninth
   */
  factorCompleted(session: Session<object>, factor: string, client?: ClientInfo): Promise<IssuedSession | undefined> {
    return this.#issued(this.rotation.factorCompleted(session, factor, client));
  }

  /** Whether the session was found by a token that has been replaced and is only honoured for its grace. */
  isSuperseded(session: Session<object>): boolean {
    return Session.foundBy(session).standing.kind === 'superseded';
  }

  /** Whether the session's token is due to be replaced, by `lifetime.rotateEvery` or after a change of roles. */
  isRotationDue(session: Session<object>): boolean {
    return this.reader.isRotationDue(session);
  }

  /**
   * Ends the session of a token, whichever of the tokens it has ever had. Harmless when there is none. Returns whether
   * there was one.
   */
  async destroy(token: string, reason: SessionEndReason = 'logout', client?: ClientInfo): Promise<boolean> {
    const genuine = this.tokens.read(token);
    return genuine !== undefined && this.changes.destroy(digestOf(genuine), reason, client);
  }

  /** Ends a session at hand, whatever token it has by now. Harmless when it has ended already; returns whether not. */
  destroySession(session: Session<object>, reason: SessionEndReason, client?: ClientInfo): Promise<boolean> {
    return this.changes.destroySession(session, reason, client);
  }

  /**
   * The live sessions of a user, newest login first, by pages.
   *
   * @param page `limit` 1 to 1000 (default 100); `cursor` is the `next` of the page before
   */
  async list(
    userId: SessionUserId,
    page: { readonly limit?: number; readonly cursor?: string } = {},
  ): Promise<SessionsPage> {
    const { records, next } = await this.ofUsers.list(userIdOf(userId), page);
    return { sessions: records.map((record) => new Session(record, this.updates)), next };
  }

  /** Ends the session of a user that has this handle. Answers false when the user has none such. */
  async revoke(
    userId: SessionUserId,
    id: string,
    reason: SessionEndReason = 'revoked',
    client?: ClientInfo,
  ): Promise<boolean> {
    return this.ofUsers.revoke(userIdOf(userId), id, reason, client);
  }

  /** Ends all sessions of a user but the one with the handle `keep`. Answers how many. */
  async revokeOthers(
    userId: SessionUserId,
    keep: string,
    reason: SessionEndReason = 'revoked',
    client?: ClientInfo,
  ): Promise<number> {
    return this.ofUsers.revokeAll(userIdOf(userId), keep, reason, client);
  }

  /** Ends all sessions of a user. Answers how many. */
  async revokeAll(userId: SessionUserId, reason: SessionEndReason = 'revoked', client?: ClientInfo): Promise<number> {
    return this.ofUsers.revokeAll(userIdOf(userId), undefined, reason, client);
  }

  /**
   * Ends the sessions of a user whose login came of this session at an identity provider, which has ended there
   * (OpenID Connect Back-Channel Logout, ASVS 7.6.1), and forgets the devices they were signed in from. Answers how many.
   * Reads the user's own sessions, all pages of them.
   *
   * @param upstream as it was given at login, with or without `issuer`
   * @throws SessionAuthError `invalid_configuration` for a nameless `upstream`
   */
  async revokeUpstream(userId: SessionUserId, upstream: UpstreamSession, client?: ClientInfo): Promise<number> {
    const digests = this.upstream.allOf(upstream);
    const isMeant = (record: SessionRecord): boolean => digests.includes(record.upstream ?? '');
    return this.ofUsers.revokeEach(userIdOf(userId), isMeant, 'upstream_logout', client);
  }

  /**
   * Tells a user's live sessions of new roles or a new e-mail address, all at once. A session's token is due for
   * rotation afterwards and is replaced on its next request (a gain of privilege rotates). Answers how many.
   */
  async updateUser(
    userId: SessionUserId,
    changes: { readonly roles?: readonly string[]; readonly email?: string },
  ): Promise<number> {
    checkAccount(changes);
    return this.ofUsers.update(userIdOf(userId), changes);
  }

  /**
   * What is kept of a user, for a request under privacy law (GDPR articles 15 and 20): sessions with their data,
   * remembered devices, counts of failed logins, records of the audit log. No token and no digest is among it.
   */
  async exportUser(userId: SessionUserId, options: ExportUser = {}): Promise<UserExport> {
    return this.personalData.export(userIdOf(userId), options);
  }

  /**
   * Erases what {@link exportUser} returns (GDPR article 17), and signs the user out everywhere. Remove or disable the
   * account first: a login under way looks it up again, and leaves nothing.
   *
   * When it rejects, part of it may be done: call it again. A call that finds nothing returns zeros.
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
