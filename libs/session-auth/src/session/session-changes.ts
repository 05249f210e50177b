import { Inject, Injectable, Optional } from '@nestjs/common';
import { StoreDeadline } from '../async/store-deadline.js';
import { digestOf, issueHandle, issueNextSessionToken, issueSessionToken } from '../crypto/session-token.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { SessionEventPublisher } from '../events/event-publisher.js';
import type { RotationReason, SessionEndReason } from '../events/session-event.js';
import { Clock } from '../time/clock.js';
import type { ClientInfo } from '../users/client-info.js';
import type { SessionUser } from '../users/session-user-provider.js';
import { admissionFor, type Admission } from './concurrency-limit.js';
import { CONCURRENCY_LIMIT, type ConcurrencyLimit } from './concurrency.options.js';
import { isCorruptRecord } from './corrupt-record.js';
import { SESSION_LIFETIME, type SessionLifetime } from './lifetime.options.js';
import {
  accountOf,
  changesOfLogin,
  recordOfLogin,
  type Authentication,
  type LoginContext,
  type NewSession,
  type RenewingLogin,
} from './login-record.js';
import { NewSessionAnnouncer } from './new-session-announcer.js';
import { sessionEnded } from './session-required.js';
import { dataTooLarge, sessionDataBytes, toSessionData } from './session-data.js';
import { MAX_DATA_SIZE } from './session-data.options.js';
import { withFactor } from './session-factors.js';
import { SessionReader } from './session-reader.js';
import type { SessionData, SessionRecord, SessionRecordChanges } from './session-record.js';
import { SessionStore, type RotateOutcome } from './session-store.js';
import { SessionUpdates } from './session-updates.js';
import { Session } from './session.js';
import { UpstreamDigests } from './upstream-session.js';
import { destroyed, UserSessions } from './user-sessions.js';

/** A session with the token that stands for it: the only time the token is seen in clear. */
export interface IssuedSession {
  /** The client's secret: put it where only the client sees it. */
  readonly token: string;
  readonly session: Session;
}

/** How {@link SessionLifecycleService.rotate} is to go about it. */
export interface RotateSession {
  /** @default 'requested' */
  readonly reason?: RotationReason;
  /** Milliseconds for which the old token goes on working. @default `lifetime.rotationGrace` */
  readonly grace?: number;
  readonly changes?: SessionRecordChanges;
  /** The further factor that was proved, for the event. */
  readonly factor?: string;
  readonly client?: ClientInfo;
}

/** Nobody's sessions are not counted. */
const NO_LIMIT: Admission = { max: Infinity, onLimit: 'reject' };

/** Begins sessions, gives them new tokens and ends them. {@link SessionLifecycleService} documents each method. */
@Injectable()
export class SessionChanges {
  constructor(
    private readonly store: SessionStore,
    private readonly deadline: StoreDeadline,
    private readonly reader: SessionReader,
    private readonly updates: SessionUpdates,
    private readonly ofUsers: UserSessions,
    private readonly upstream: UpstreamDigests,
    private readonly clock: Clock,
    private readonly events: SessionEventPublisher,
    @Inject(SESSION_LIFETIME) private readonly lifetime: SessionLifetime,
    @Inject(CONCURRENCY_LIMIT) private readonly limit: ConcurrencyLimit,
    @Inject(MAX_DATA_SIZE) private readonly maxDataSize: number,
    /** Absent where nobody is told of new sessions. */
    @Optional() private readonly announcer?: NewSessionAnnouncer,
  ) {}

  async create(input: NewSession): Promise<IssuedSession> {
    const { user, client } = input;
    const userId = user === undefined ? undefined : String(user.id);
    const admission = user === undefined ? NO_LIMIT : await this.#admissionOf(user);
    const { token, id } = input.identity ?? { token: issueSessionToken(userId), id: issueHandle() };
    const now = this.clock.now();
    const data = input.data === undefined ? {} : this.#checkedData(input.data);
    const record = recordOfLogin(input, { token, id }, data, this.#loginContext(now));
    const outcome = await this.deadline.run(() => this.store.create(record, admission, now));
    if (outcome.status === 'limit_reached') {
      if (userId !== undefined) this.events.publish({ type: 'session.limit_reached', userId, client });
      throw new SessionAuthError('session_limit_reached', 'this account has as many sessions as it may have');
    }
    if (outcome.status === 'exists') return { token, session: await this.#shared(record, client) };
    for (const evicted of outcome.evicted) {
      this.events.publish({ type: 'session.evicted', sessionId: evicted.id, userId: evicted.userId, client });
    }
    const { authentication } = record;
    const { newDevice } = input;
    this.events.publish({ type: 'session.created', sessionId: id, userId, authentication, newDevice, client });
    const session = new Session(record, this.updates);
    if (user !== undefined) this.announcer?.announce(user, session, newDevice);
    return { token, session };
  }

  /**
   * The session that another login by the same identity has made. A login that comes when its token has been replaced
   * gets none: the client that made the session holds the newer token, which a cookie of this login would write over,
   * and what it has proved since then was not proved by this login.
   */
  async #shared({ digest, id, userId }: SessionRecord, client?: ClientInfo): Promise<Session> {
    const session = await this.reader.read(digest, { client }, { isUse: false });
    if (session === undefined) throw sessionEnded();
    if (session.id === id && session.userId === userId) return session;
    this.events.publish({ type: 'session.corrupt_record', client });
    throw sessionEnded();
  }

  async rotate(session: Session<object>, options: RotateSession = {}): Promise<IssuedSession | undefined> {
    const { reason = 'requested', grace = this.lifetime.rotationGrace, changes = {}, factor, client } = options;
    const record = Session.recordOf(session);
    const token = issueNextSessionToken(record.digest);
    const now = this.clock.now();
    const digest = digestOf(token);
    let outcome: RotateOutcome;
    try {
      const rotation = { digest, now, grace, changes };
      outcome = await this.deadline.run(() => this.store.rotate(Session.foundBy(session), rotation));
    } catch (error) {
      if (!isCorruptRecord(error)) throw error;
      this.events.publish({ type: 'session.corrupt_record', client });
      throw sessionEnded();
    }
    if (outcome.status === 'superseded') return undefined;
    if (outcome.status === 'absent') throw sessionEnded();
    if (!isSameSession(outcome.record, { ...record, digest })) {
      this.events.publish({ type: 'session.corrupt_record', client });
      throw sessionEnded();
    }
    const { id: sessionId, userId } = record;
    this.events.publish({ type: 'session.rotated', sessionId, userId, reason, factor, client });
    Session.adopt(session, outcome.record);
    return { token, session: session as Session };
  }

  async renew(session: Session<object>, login: RenewingLogin): Promise<IssuedSession | undefined> {
    const changes = changesOfLogin(login, Session.recordOf(session), this.#loginContext(this.clock.now()));
    return this.rotate(session, { reason: 'login', grace: 0, client: login.client, changes });
  }

  async reauthenticated(session: Session<object>, proof: Authentication): Promise<IssuedSession | undefined> {
    const changes = {
      ...accountOf(proof.user, Session.recordOf(session)),
      authenticatedAt: this.clock.now(),
      authentication: proof.authentication,
      fingerprint: proof.fingerprint,
    };
    return this.rotate(session, { reason: 'reauthentication', grace: 0, client: proof.client, changes });
  }

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

  /** Ends the session of a digest. */
  async destroy(digest: string, reason: SessionEndReason, client?: ClientInfo): Promise<boolean> {
    const ended = await this.deadline.run(() => this.store.delete(digest, this.clock.now()));
    if (ended !== undefined) this.events.publish(destroyed(ended, reason, client));
    return ended !== undefined;
  }

  async destroySession(session: Session<object>, reason: SessionEndReason, client?: ClientInfo): Promise<boolean> {
    const { digest, userId, id } = Session.recordOf(session);
    if (await this.destroy(digest, reason, client)) return true;
    return userId !== undefined && this.ofUsers.end(userId, id, reason, client);
  }

  #admissionOf(user: SessionUser): Admission | Promise<Admission> {
    const { max, onLimit } = this.limit;
    return typeof max === 'number' ? { max, onLimit } : admissionFor(this.limit, user);
  }

  #checkedData(given: SessionData): SessionData {
    const data = withoutUndefined(toSessionData(given));
    if (sessionDataBytes(data) > this.maxDataSize) throw dataTooLarge(this.maxDataSize);
    return data;
  }

  #loginContext(now: number): LoginContext {
    return { now, lifetime: this.lifetime, upstream: this.upstream };
  }
}

function isSameSession(a: SessionRecord, b: SessionRecord): boolean {
  return a.digest === b.digest && a.id === b.id && a.userId === b.userId;
}

function withoutUndefined(data: SessionData): SessionData {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
}
