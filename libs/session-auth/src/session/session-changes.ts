import { Inject, Injectable, Optional } from '@nestjs/common';
import { StoreDeadline } from '../async/store-deadline.js';
import { issueSessionToken } from '../crypto/session-token.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { SessionEventPublisher } from '../events/event-publisher.js';
import type { SessionEndReason } from '../events/session-event.js';
import { Clock } from '../time/clock.js';
import type { ClientInfo } from '../users/client.js';
import type { SessionUser } from '../users/session-user-provider.js';
import { checkedUser, userIdOf } from '../users/valid-user.js';
import { admissionFor, type Admission } from './concurrency-limit.js';
import { CONCURRENCY_LIMIT, type ConcurrencyLimit } from './concurrency.options.js';
import { SESSION_LIFETIME, type SessionLifetime } from './lifetime.options.js';
import { recordOfLogin, type NewSession } from './login-record.js';
import { NewSessionAnnouncer } from './new-session-announcer.js';
import { sessionEnded } from './session-required.js';
import { dataTooLarge, sessionDataBytes, toSessionData } from './session-data.js';
import { MAX_DATA_SIZE } from './session-data.options.js';
import { SessionReader } from './session-reader.js';
import type { SessionData, SessionRecord } from './session-record.js';
import { SessionRotation, type IssuedSession } from './session-rotation.js';
import { SessionStore } from './session-store.js';
import { SessionUpdates } from './session-updates.js';
import { Session } from './session.js';
import { STORE_IN_FRONT } from './store-in-front.js';
import { UpstreamDigests } from './upstream-session.js';
import { destroyed, UserSessions } from './user-sessions.js';

/** A session to make, and its relation to existing ones. */
export interface SessionOfDevice extends NewSession {
  /**
   * A token that already exists, for logins that may arrive several times at once and should share one session
   * (remember-me). If a live session has this token, that session is returned. If its token has been replaced since, no
   * session is returned.
   */
  readonly token?: string;
  /** Keyed digest of the device, if known: the earlier session of the device ends. */
  readonly device?: string;
  /** As in {@link Admission}. */
  readonly sharedFor?: number;
  /** As in {@link Admission}. */
  readonly replaces?: Admission['replaces'];
}

/** Anonymous sessions are not counted. */
const NO_LIMIT: Admission = { max: Infinity, onLimit: 'reject' };

/** Makes and ends sessions. {@link SessionLifecycleService} documents each method. */
@Injectable()
export class SessionChanges {
  constructor(
    private readonly store: SessionStore,
    private readonly deadline: StoreDeadline,
    private readonly reader: SessionReader,
    private readonly rotation: SessionRotation,
    private readonly updates: SessionUpdates,
    private readonly ofUsers: UserSessions,
    private readonly upstream: UpstreamDigests,
    private readonly clock: Clock,
    private readonly events: SessionEventPublisher,
    @Inject(SESSION_LIFETIME) private readonly lifetime: SessionLifetime,
    @Inject(CONCURRENCY_LIMIT) private readonly limit: ConcurrencyLimit,
    @Inject(MAX_DATA_SIZE) private readonly maxDataSize: number,
    /** Absent when there is no notifier. */
    @Optional() private readonly announcer?: NewSessionAnnouncer,
    @Optional() @Inject(STORE_IN_FRONT) inFront?: SessionStore,
  ) {
    this.store = inFront ?? store;
  }

  async create(input: SessionOfDevice): Promise<IssuedSession> {
    const issued = await this.createUnlessInUse(input);
    // only a session that was to be replaced can be in use
    if (issued === undefined) throw sessionEnded();
    return issued;
  }

  /** As {@link create}; undefined when the session to replace is in use. */
  async createUnlessInUse(input: SessionOfDevice): Promise<IssuedSession | undefined> {
    const { user, client } = input;
    const userId = user === undefined ? undefined : userIdOf(checkedUser(user).id);
    const { sharedFor = 0, replaces } = input;
    const limit = user === undefined ? NO_LIMIT : await this.#admissionOf(user);
    const admission = { ...limit, sharedFor, replaces };
    const token = input.token ?? issueSessionToken(userId);
    const now = this.clock.now();
    const data = input.data === undefined ? {} : this.#checkedData(input.data);
    const { lifetime, upstream } = this;
    const record = { ...recordOfLogin(input, token, data, { now, lifetime, upstream }), device: input.device };
    const { id } = record;
    const outcome = await this.deadline.run(() => this.store.create(record, admission, now));
    if (outcome.status === 'limit_reached') {
      if (userId !== undefined) this.events.publish({ type: 'session.limit_reached', userId, client });
      throw new SessionAuthError(
        'session_limit_reached',
        'this account has reached its limit of sessions: sign out somewhere else first',
      );
    }
    if (outcome.status === 'in_use') return undefined;
    if (outcome.status === 'exists') {
      if (outcome.id === id) return { token, session: await this.#sameAgain(record, client) };
      return (await this.#shared(outcome.id, input)) ?? this.createUnlessInUse({ ...input, sharedFor: 0 });
    }
    for (const replaced of outcome.replaced) this.events.publish(destroyed(replaced, 'replaced', client));
    for (const evicted of outcome.evicted) {
      this.events.publish({ type: 'session.evicted', sessionId: evicted.id, userId: evicted.userId, client });
    }
    const { authentication } = record;
    const { newDevice } = input;
    this.events.publish({ type: 'session.created', sessionId: id, userId, authentication, newDevice, client });
    const session = new Session(record, this.updates);
    const isReplacement = outcome.replaced.length > 0;
    if (user !== undefined) this.announcer?.announce(user, session, { newDevice, isReplacement });
    return { token, session };
  }

  /**
   * Returns the session that another login with the same token has made. Returns undefined if that token has been
   * replaced: the client that made the session holds the newer token, and this login did not prove what that client has
   * proved since.
   */
  async #sameAgain({ digest, userId }: SessionRecord, client?: ClientInfo): Promise<Session> {
    const session = await this.reader.read(digest, { client }, { isUse: false });
    if (session === undefined) throw sessionEnded();
    if (session.userId === userId) return session;
    this.events.publish({ type: 'session.corrupt_record', client });
    throw sessionEnded();
  }

  /**
   * Returns a separate token for the second of two logins from one form, because both responses are on their way to the
   * same browser. Undefined if the session has ended, or has proved more than this login did.
   */
  async #shared(id: string, { user, client }: NewSession): Promise<IssuedSession | undefined> {
    const session = await this.reader.readByHandle(userIdOf(user!.id), id, { client });
    return session && this.rotation.shareLogin(session, client);
  }

  /** Ends the session that a digest names. The caller must know that the token is genuine. */
  destroy(digest: string, reason: SessionEndReason, client?: ClientInfo): Promise<boolean> {
    return this.ofUsers.endByDigest(digest, reason, client);
  }

  destroySession(session: Session<object>, reason: SessionEndReason, client?: ClientInfo): Promise<boolean> {
    return this.destroy(Session.recordOf(session).digest, reason, client);
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
}

function withoutUndefined(data: SessionData): SessionData {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
}
