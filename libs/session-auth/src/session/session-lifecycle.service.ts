import { SessionMark, markOfSession } from '../crypto/identity-mark.js';
import {
  digestOf,
  isSessionToken,
  issueHandle,
  issueNextSessionToken,
  issueSessionToken,
} from '../crypto/session-token.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { SessionEventPublisher } from '../events/event-publisher.js';
import type { SessionEndReason } from '../events/session-event.js';
import type { Clock } from '../time/clock.js';
import type { ClientInfo } from '../users/client-info.js';
import { admissionFor } from './concurrency-limit.js';
import { accountOf, changesOfLogin, recordOfLogin, type LoginContext } from './login-record.js';
import type { NewSessionAnnouncer } from './new-session-announcer.js';
import { sessionDataBytes, toSessionData } from './session-data.js';
import { withFactor } from './session-factors.js';
import { isRotationDue } from './session-lifetime.js';
import type { RememberedDevices } from './remembered-devices.js';
import type { SessionData, SessionRecord } from './session-record.js';
import type { EndedSession, FindOutcome, SessionStore, Touch } from './session-store.js';
import type {
  Authentication,
  IssuedSession,
  NewSession,
  ClientSource,
  PresentedToken,
  RenewingLogin,
  RotateSession,
  SessionLifecycleSettings,
  SessionsPage,
} from './session-lifecycle.js';
import { Session } from './session.js';
import { UpstreamDigests, type UpstreamSession } from './upstream-session.js';
import { destroyed, UserSessions } from './user-sessions.js';
import { StoreDeadline } from '../async/store-deadline.js';

/**
 * The life of sessions, without HTTP: make, find, change, rotate, end, list.
 *
 * Every method that touches the store rejects with `session_store_unavailable` when the store fails or takes longer
 * than `storeTimeout`. Over HTTP use {@link SessionAuthService}, which writes the cookies as well.
 */
export class SessionLifecycleService {
  readonly #ofUsers: UserSessions;
  readonly #upstream: UpstreamDigests;
  readonly #deadline: StoreDeadline;

  constructor(
    private readonly store: SessionStore,
    private readonly settings: SessionLifecycleSettings,
    private readonly clock: Clock,
    private readonly events: SessionEventPublisher,
    private readonly announcer?: NewSessionAnnouncer,
    devices?: RememberedDevices,
  ) {
    this.#upstream = new UpstreamDigests(settings.upstreamKeys);
    this.#deadline = new StoreDeadline(settings.storeTimeout);
    this.#ofUsers = new UserSessions({ store, clock, events, devices, deadline: this.#deadline });
  }

  /**
   * Makes a session with a token that nobody chose (ASVS 7.2.2), under the user's limit.
   *
   * @throws SessionAuthError `session_limit_reached` when the user is at the limit and the policy is `reject`
   * @throws SessionAuthError `session_required` when the session of `identity` has been given another token meanwhile,
   *   or has just ended
   * @throws SessionAuthError `invalid_session_data`, `session_data_too_large`
   * @throws SessionAuthError `invalid_configuration` for an `authenticatedAt` that is no time, or a nameless `upstream`
   */
  async create(input: NewSession): Promise<IssuedSession> {
    const { user, client } = input;
    const userId = user === undefined ? undefined : String(user.id);
    const admission =
      user === undefined
        ? { max: Infinity, onLimit: 'reject' as const }
        : await admissionFor(this.settings.concurrency, user);
    const { token, id } = input.identity ?? { token: issueSessionToken(userId), id: issueHandle() };
    const now = this.clock.now();
    const data = withoutUndefined(toSessionData(input.data ?? {}));
    if (sessionDataBytes(data) > this.settings.maxDataSize) throw dataTooLarge(this.settings.maxDataSize);
    const record = recordOfLogin(input, { token, id }, data, this.#loginContext(now));
    const outcome = await this.#call(() => this.store.create(record, admission, now));
    if (outcome.status === 'limit_reached') {
      if (userId !== undefined) this.events.publish({ type: 'session.limit_reached', userId, client });
      throw new SessionAuthError('session_limit_reached', 'this account has as many sessions as it may have');
    }
    if (outcome.status === 'exists') return { token, session: await this.#shared(token, record, client) };
    for (const evicted of outcome.evicted) {
      this.events.publish({ type: 'session.evicted', sessionId: evicted.id, userId: evicted.userId, client });
    }
    this.events.publish({
      type: 'session.created',
      sessionId: record.id,
      userId,
      authentication: record.authentication,
      newDevice: input.newDevice,
      client,
    });
    const session = this.#open(record);
    if (user !== undefined) this.announcer?.announce(user, session, input.newDevice);
    return { token, session };
  }

  /**
   * The session that another login by the same identity has made. Whoever comes when its token has been replaced is
   * not let in by another way: the client that made it holds the newer token, which a cookie of this login would
   * write over, and what it has proved since then was not proved by this login.
   */
  async #shared(token: string, { id, userId }: SessionRecord, client?: ClientInfo): Promise<Session> {
    const mark = new SessionMark(markOfSession(id, userId));
    const session = await this.#read(digestOf(token), { client }, mark, false);
    if (session === undefined) throw sessionEnded();
    return session;
  }

  /**
   * The live session of a token, or undefined. Counts as activity. What does not have a token's form costs no store
   * call; a token that finds nothing is reported as `session.used_after_end`, a record that cannot be read or is not
   * the session's as `session.corrupt_record`. The store is believed whose session a token stands for.
   */
  async find(token: string, client?: ClientInfo): Promise<Session | undefined> {
    return isSessionToken(token) ? this.#read(digestOf(token), { client }) : undefined;
  }

  /**
   * As {@link find}, of a token whose session is known by more than that: a store that answers with another's record
   * is not believed.
   *
   * @internal
   */
  findPresented({ digest, sessionMark }: PresentedToken, from: ClientSource): Promise<Session | undefined> {
    return this.#read(digest, from, sessionMark);
  }

  /** Reads a session and reports what it finds instead. One step, since nearly every request takes it. */
  async #read(digest: string, from: ClientSource, mark?: SessionMark, isUse = true): Promise<Session | undefined> {
    let outcome: FindOutcome;
    try {
      outcome = await this.#call(() => this.store.find(digest, this.#touch()));
    } catch (error) {
      this.#corrupt(error, from.client);
      return undefined;
    }
    if (outcome.status === 'live') {
      const { record } = outcome;
      if (mark === undefined || mark.isOf(record.id, record.userId)) return new Session(record, this.#updater, digest);
      this.#publishCorrupt(from.client);
      return undefined;
    }
    if (outcome.status === 'expired') this.#publishExpired(outcome.ended, from.client);
    if (isUse) this.events.publish({ type: 'session.used_after_end', client: from.client });
    return undefined;
  }

  /** What the store answers; undefined, and an event, where it cannot read its record. */
  async #readable<T>(operation: () => Promise<T>, client?: ClientInfo): Promise<T | undefined> {
    try {
      return await this.#call(operation);
    } catch (error) {
      this.#corrupt(error, client);
      return undefined;
    }
  }

  /** Reports a record that the store cannot read. Any other error goes on. */
  #corrupt(error: unknown, client?: ClientInfo): void {
    if (!(error instanceof SessionAuthError) || error.code !== 'corrupt_session_record') throw error;
    this.#publishCorrupt(client);
  }

  /**
   * Merges a patch into a session's data: see {@link Session.update}.
   *
   * @throws SessionAuthError `session_required` when the session has ended, `session_data_too_large`,
   *   `invalid_session_data`
   */
  async update(session: Session<object>, patch: SessionData): Promise<void> {
    await session.update(patch);
  }

  /**
   * Gives a session a new token. The old one goes on working for `grace` milliseconds, for requests in flight; with 0
   * it is dead at once, which is what a gain of privilege asks for (ASVS 7.2.4). Answers undefined when another
   * request was first: the newer token is out already.
   *
   * @throws SessionAuthError `session_required` when the session does not exist
   */
  async rotate(session: Session<object>, options: RotateSession = {}): Promise<IssuedSession | undefined> {
    const {
      reason = 'requested',
      grace = this.settings.lifetime.rotationGrace,
      changes = {},
      factor,
      client,
    } = options;
    const record = Session.recordOf(session);
    const token = issueNextSessionToken(record.digest);
    const now = this.clock.now();
    const digest = digestOf(token);
    const outcome = await this.#readable(
      () => this.store.rotate(Session.foundBy(session), { digest, now, grace, changes }),
      client,
    );
    if (outcome?.status === 'superseded') return undefined;
    if (outcome?.status !== 'rotated') throw sessionEnded();
    if (!isSameSession(outcome.record, { ...record, digest })) {
      this.#publishCorrupt(client);
      throw sessionEnded();
    }
    const { id: sessionId, userId } = record;
    this.events.publish({ type: 'session.rotated', sessionId, userId, reason, factor, client });
    Session.adopt(session, outcome.record);
    return { token, session: session as Session };
  }

  /**
   * Turns a session of a user into that of a fresh login by the same user: new token, the old one dead at once, new
   * deadlines, the account's present roles. Data stays, further factors do not: the login has proved none.
   *
   * @throws SessionAuthError `session_required` when the session has ended
   * @throws SessionAuthError `invalid_configuration` as for {@link create}
   */
  async renew(session: Session<object>, login: RenewingLogin): Promise<IssuedSession | undefined> {
    return this.rotate(session, {
      reason: 'login',
      grace: 0,
      client: login.client,
      changes: changesOfLogin(login, Session.recordOf(session), this.#loginContext(this.clock.now())),
    });
  }

  /**
   * Records that the user has just proved again who they are: new token, the old one dead at once, `authenticatedAt`
   * now, the account's present roles. The absolute deadline stays, and so do further factors with their times.
   *
   * @throws SessionAuthError `session_required` when the session has ended
   */
  async reauthenticated(session: Session<object>, proof: Authentication): Promise<IssuedSession | undefined> {
    return this.rotate(session, {
      reason: 'reauthentication',
      grace: 0,
      client: proof.client,
      changes: {
        ...accountOf(proof.user, Session.recordOf(session)),
        authenticatedAt: this.clock.now(),
        authentication: proof.authentication,
        fingerprint: proof.fingerprint,
      },
    });
  }

  /**
   * Records that the user has just proved a further factor, which the caller has verified: new token, the old one dead
   * at once (ASVS 7.2.4), all deadlines as they were. Answers undefined when another request was first: the factor is
   * not recorded then.
   *
   * @param factor its name, such as `'totp'`: 1 to 32 of a-z, 0-9, _ and -. At most eight a session.
   * @throws SessionAuthError `session_required` when the session has ended or is nobody's, `invalid_configuration` for
   *   what is no name of a factor, and for a ninth
   */
  async factorCompleted(
    session: Session<object>,
    factor: string,
    client?: ClientInfo,
  ): Promise<IssuedSession | undefined> {
    const record = Session.recordOf(session);
    if (record.userId === undefined) throw new SessionAuthError('session_required', 'sign in first');
    // whatever else adds a factor replaces the token as well: where this one is still the present one, so are these
    const factors = withFactor(record.factors, factor, this.clock.now());
    return this.rotate(session, { reason: 'factor_completed', grace: 0, client, factor, changes: { factors } });
  }

  /** Whether the session was found by a token that has been replaced and is only honoured for its grace. */
  isSuperseded(session: Session<object>): boolean {
    return Session.foundBy(session) !== Session.recordOf(session).digest;
  }

  /** Whether the session's token is due to be replaced, by `lifetime.rotateEvery` or after a change of roles. */
  isRotationDue(session: Session<object>): boolean {
    return (
      !this.isSuperseded(session) && isRotationDue(Session.recordOf(session), this.settings.lifetime, this.clock.now())
    );
  }

  /** Ends the session of a token. Harmless when there is none. Answers whether there was one. */
  async destroy(token: string, reason: SessionEndReason = 'logout', client?: ClientInfo): Promise<boolean> {
    if (!isSessionToken(token)) return false;
    return this.#deleteByDigest(digestOf(token), reason, client);
  }

  /**
   * Ends a session at hand, also under a token that another request has given it meanwhile. Harmless when it has ended
   * already. Answers whether it had not. A session of nobody is found by the token it is known to have, or one in its
   * grace, only.
   */
  async destroySession(session: Session<object>, reason: SessionEndReason, client?: ClientInfo): Promise<boolean> {
    const { digest, userId, id } = Session.recordOf(session);
    if (await this.#deleteByDigest(digest, reason, client)) return true;
    return userId !== undefined && this.#ofUsers.end(userId, id, reason, client);
  }

  /**
   * The live sessions of a user, newest login first, by pages.
   *
   * @param page `limit` 1 to 1000 (default 100); `cursor` is the `next` of the page before
   */
  async list(userId: string, page: { readonly limit?: number; readonly cursor?: string } = {}): Promise<SessionsPage> {
    const { records, next } = await this.#ofUsers.list(userId, page);
    return { sessions: records.map((record) => this.#open(record)), next };
  }

  /** Ends the session of a user that has this handle. Answers false when the user has none such. */
  async revoke(
    userId: string,
    id: string,
    reason: SessionEndReason = 'revoked',
    client?: ClientInfo,
  ): Promise<boolean> {
    return this.#ofUsers.revoke(userId, id, reason, client);
  }

  /** Ends all sessions of a user but the one with the handle `keep`. Answers how many. */
  async revokeOthers(
    userId: string,
    keep: string,
    reason: SessionEndReason = 'revoked',
    client?: ClientInfo,
  ): Promise<number> {
    return this.#ofUsers.revokeAll(userId, keep, reason, client);
  }

  /** Ends all sessions of a user. Answers how many. */
  async revokeAll(userId: string, reason: SessionEndReason = 'revoked', client?: ClientInfo): Promise<number> {
    return this.#ofUsers.revokeAll(userId, undefined, reason, client);
  }

  /**
   * Ends the sessions of a user whose login came of this session at an identity provider, which has ended there
   * (OpenID Connect Back-Channel Logout, ASVS 7.6.1), and forgets the devices they were signed in from. Answers how many.
   * Reads the user's own sessions, all pages of them.
   *
   * @param upstream as it was given at login, with or without `issuer`
   * @throws SessionAuthError `invalid_configuration` for a nameless `upstream`
   */
  async revokeUpstream(userId: string, upstream: UpstreamSession, client?: ClientInfo): Promise<number> {
    const digests = this.#upstream.allOf(upstream);
    const isMeant = (record: SessionRecord): boolean => digests.includes(record.upstream ?? '');
    return this.#ofUsers.revokeEach(userId, isMeant, 'upstream_logout', client);
  }

  /**
   * Tells a user's live sessions of new roles or a new e-mail address, all at once. A session's token is due for
   * rotation afterwards and is replaced on its next request (a gain of privilege rotates). Answers how many.
   */
  async updateUser(
    userId: string,
    changes: { readonly roles?: readonly string[]; readonly email?: string },
  ): Promise<number> {
    return this.#ofUsers.update(userId, changes);
  }

  async #deleteByDigest(digest: string, reason: SessionEndReason, client?: ClientInfo): Promise<boolean> {
    const ended = await this.#call(() => this.store.delete(digest, this.clock.now()));
    if (ended !== undefined) this.events.publish(destroyed(ended, reason, client));
    return ended !== undefined;
  }

  #publishCorrupt(client?: ClientInfo): void {
    this.events.publish({ type: 'session.corrupt_record', client });
  }

  #publishExpired(ended: EndedSession, client?: ClientInfo): void {
    this.events.publish({ type: 'session.expired', sessionId: ended.id, userId: ended.userId, client });
  }

  readonly #updater = async (record: SessionRecord, patch: SessionData): Promise<SessionData> => {
    const data = toSessionData(patch);
    const { maxDataSize } = this.settings;
    const outcome = await this.#readable(() => this.store.update(record.digest, data, this.clock.now(), maxDataSize));
    if (outcome === undefined || outcome.status === 'absent') throw sessionEnded();
    if (outcome.status === 'too_large') throw dataTooLarge(maxDataSize);
    return outcome.data;
  };

  #open(record: SessionRecord): Session {
    return new Session(record, this.#updater);
  }

  #loginContext(now: number): LoginContext {
    return { now, lifetime: this.settings.lifetime, upstream: this.#upstream };
  }

  #touch(): Touch {
    const { idle, touchInterval } = this.settings.lifetime;
    return { now: this.clock.now(), idle, interval: touchInterval };
  }

  #call<T>(operation: () => Promise<T>): Promise<T> {
    return this.#deadline.run(operation);
  }
}

function isSameSession(a: SessionRecord, b: SessionRecord): boolean {
  return a.digest === b.digest && a.id === b.id && a.userId === b.userId;
}

function withoutUndefined(data: SessionData): SessionData {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
}

function sessionEnded(): SessionAuthError {
  return new SessionAuthError('session_required', 'the session has ended');
}

function dataTooLarge(maxDataSize: number): SessionAuthError {
  return new SessionAuthError('session_data_too_large', `session data may take at most ${maxDataSize} bytes of JSON`);
}
