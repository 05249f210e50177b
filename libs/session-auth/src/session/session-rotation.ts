import { Inject, Injectable, Optional } from '@nestjs/common';
import { StoreDeadline } from '../async/store-deadline.js';
import { digestOf, issueNextSessionToken } from '../crypto/session-token.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { SessionEventPublisher } from '../events/event-publisher.js';
import type { RotationReason } from '../events/session-event.js';
import { Clock } from '../time/clock.js';
import type { ClientInfo } from '../users/client.js';
import { checkAccount } from '../users/valid-user.js';
import { isCorruptRecord } from './corrupt-record.js';
import { SESSION_LIFETIME, type SessionLifetime } from './lifetime.options.js';
import { accountOf, changesOfLogin, type Authentication, type RenewingLogin } from './login-record.js';
import { withFactor } from './session-factors.js';
import type { SessionRecord, SessionRecordChanges } from './session-record.js';
import { isSameSession, Session } from './session.js';
import { isSessionRequired, sessionEnded } from './session-required.js';
import { SessionStore, type RotateOutcome, type Rotation } from './session-store.js';
import {
  handedOutAt,
  haveRolesChanged,
  isHonoured,
  rolesOf,
  standingOf,
  withReplaced,
  withRoles,
  withSuccessor,
  type TokenChanges,
} from './session-tokens.js';
import { STORE_IN_FRONT } from './store-in-front.js';
import { UpstreamDigests } from './upstream-session.js';

/** A session with its token: the only time the token is seen in clear text. */
export interface IssuedSession {
  /** The client's secret: put it where only the client sees it. */
  readonly token: string;
  readonly session: Session;
}

/** The options of {@link SessionLifecycleService.rotate}. */
export interface RotateSession {
  /** @default 'requested' */
  readonly reason?: RotationReason;
  /**
   * How many milliseconds the old token works after the new one was first used. 0: it stops at once, even if the new
   * one never arrives. @default `lifetime.rotationGrace`
   */
  readonly grace?: number;
  readonly changes?: SessionRecordChanges;
  /** The further factor that was proved, for the event. */
  readonly factor?: string;
  readonly client?: ClientInfo;
}

/** How a new token is made. */
interface NewToken extends Pick<RotateSession, 'factor' | 'client'> {
  readonly reason: RotationReason;
  /** Returns the changes of a record that issue a new token or put it in place; undefined: no token is issued. */
  readonly changesOf: (record: SessionRecord, digest: string, now: number) => Changes | undefined;
}

type Changes = SessionRecordChanges & TokenChanges;

/** Why a token is replaced, and what else changes with it. */
type Occasion = Omit<NewToken, 'changesOf'> & { readonly changes?: SessionRecordChanges };

/**
 * If other requests change the session at every attempt, it counts as ended. Of the requests that change it at once,
 * one succeeds at every attempt.
 */
const MAX_LOOKS = 50;

/**
 * Gives sessions new tokens, by the rules in session-tokens.ts. {@link SessionLifecycleService} documents each method.
 */
@Injectable()
export class SessionRotation {
  constructor(
    private readonly store: SessionStore,
    private readonly deadline: StoreDeadline,
    private readonly upstream: UpstreamDigests,
    private readonly clock: Clock,
    private readonly events: SessionEventPublisher,
    @Inject(SESSION_LIFETIME) private readonly lifetime: SessionLifetime,
    @Optional() @Inject(STORE_IN_FRONT) inFront?: SessionStore,
  ) {
    this.store = inFront ?? store;
  }

  async rotate(session: Session<object>, options: RotateSession = {}): Promise<IssuedSession | undefined> {
    const { reason = 'requested', grace, ...rest } = options;
    checkAccount(options.changes ?? {});
    if (grace === 0) return this.#replace(session, { ...rest, reason });
    return this.#handOver(session, { ...rest, reason }, grace);
  }

  /** Issues a successor for a token that must be replaced, unless one is on its way. */
  async handOver(session: Session<object>, client?: ClientInfo): Promise<IssuedSession | undefined> {
    const reason = haveRolesChanged(Session.recordOf(session)) ? 'roles_changed' : 'interval';
    return this.#handOver(session, { reason, client });
  }

  async renew(session: Session<object>, login: RenewingLogin): Promise<IssuedSession | undefined> {
    const changes = changesOfLogin(login, Session.recordOf(session), {
      now: this.clock.now(),
      lifetime: this.lifetime,
      upstream: this.upstream,
    });
    return this.#prove(session, { reason: 'login', client: login.client, changes });
  }

  async reauthenticated(session: Session<object>, proof: Authentication): Promise<IssuedSession | undefined> {
    const changes = {
      ...accountOf(proof.user, Session.recordOf(session)),
      authenticatedAt: this.clock.now(),
      authentication: proof.authentication,
      fingerprint: proof.fingerprint,
    };
    return this.#prove(session, { reason: 'reauthentication', client: proof.client, changes });
  }

  async credentialsChanged(session: Session<object>, client?: ClientInfo): Promise<IssuedSession | undefined> {
    return this.#prove(session, { reason: 'credentials_changed', client });
  }

  /**
   * Returns a separate token for the second of two logins from one form. Undefined if the session has ended, or has
   * proved more than this login did.
   */
  async shareLogin(session: Session<object>, client?: ClientInfo): Promise<IssuedSession | undefined> {
    const changesOf: NewToken['changesOf'] = (record, digest, now) =>
      Object.keys(record.factors ?? {}).length > 0 ? undefined : withSuccessor(record, digest, now);
    try {
      return await this.#issue(session, { reason: 'login', client, changesOf });
    } catch (error) {
      // a third login evicted it after it was read; this login still gets a session
      if (isSessionRequired(error)) return undefined;
      throw error;
    }
  }

  async factorCompleted(
    session: Session<object>,
    factor: string,
    client?: ClientInfo,
  ): Promise<IssuedSession | undefined> {
    const record = Session.recordOf(session);
    if (record.userId === undefined) throw new SessionAuthError('session_required', 'sign in first');
    // every change of factors replaces the token, so the factors are current if the token is
    const factors = withFactor(record.factors, factor, this.clock.now());
    return this.#replace(session, { reason: 'factor_completed', client, factor, changes: { factors } });
  }

  #handOver(session: Session<object>, occasion: Occasion, grace?: number): Promise<IssuedSession | undefined> {
    const { rotationGrace } = this.lifetime;
    const { digest: presented } = Session.foundBy(session);
    return this.#issue(session, {
      ...occasion,
      changesOf: (record, digest, now) => {
        if (standingOf(record, presented, now).kind !== 'present') return undefined;
        const outSince = handedOutAt(record);
        if (outSince !== undefined && now - outSince < rotationGrace) return undefined;
        const changed = withChanges(record, occasion.changes);
        return { ...changed, ...withSuccessor({ ...record, ...changed }, digest, now, grace) };
      },
    });
  }

  /** Makes a new token the present one at once, if the old one still is, or is about to be. */
  #replace(session: Session<object>, occasion: Occasion): Promise<IssuedSession | undefined> {
    const { rotationGrace: grace } = this.lifetime;
    const { digest: presented } = Session.foundBy(session);
    return this.#issue(session, {
      ...occasion,
      changesOf: (record, digest, now) => {
        const { kind } = standingOf(record, presented, now);
        // a passive request does not take up the successor that it came with
        if (kind !== 'present' && kind !== 'successor') return undefined;
        const changed = withChanges(record, occasion.changes);
        return { ...changed, ...withReplaced({ ...record, ...changed }, digest, { now, grace, kind: 'retired' }) };
      },
    });
  }

  /**
   * As {@link #replace}, for a user who has just proved their identity. A token that was superseded meanwhile is
   * accepted too. If the same proof replaced the token a moment ago (a form sent twice), nothing else changes, and the
   * client gets a successor of the token that is on its way to it.
   */
  #prove(session: Session<object>, occasion: Occasion): Promise<IssuedSession | undefined> {
    const { rotationGrace: grace } = this.lifetime;
    const { digest: presented } = Session.foundBy(session);
    return this.#issue(session, {
      ...occasion,
      changesOf: (record, digest, now) => {
        const { kind } = standingOf(record, presented, now);
        if (kind === 'renewable') return withSuccessor(record, digest, now);
        if (kind === 'retired' || kind === 'replaced') return undefined;
        const changed = withChanges(record, occasion.changes);
        return { ...changed, ...withReplaced({ ...record, ...changed }, digest, { now, grace, kind: 'renewable' }) };
      },
    });
  }

  /** Gives a session a new token. Tries again when another request changes the session meanwhile. */
  async #issue(session: Session<object>, how: NewToken): Promise<IssuedSession | undefined> {
    const { reason, factor, client, changesOf } = how;
    const before = Session.recordOf(session);
    const token = issueNextSessionToken(before.digest);
    const digest = digestOf(token);
    let record = before;
    for (let look = 0; look < MAX_LOOKS; look += 1) {
      const now = this.clock.now();
      const changes = changesOf(record, digest, now);
      if (changes === undefined) return undefined;
      const outcome = await this.#rotate(before.digest, { revision: record.revision ?? 0, now, changes }, client);
      if (outcome.status === 'absent') throw sessionEnded();
      record = outcome.record;
      if (!isSameSession(record, before)) {
        this.events.publish({ type: 'session.corrupt_record', client });
        throw sessionEnded();
      }
      if (outcome.status === 'changed' && !isIssued(record, digest, now)) continue;
      const { id: sessionId, userId } = record;
      this.events.publish({ type: 'session.rotated', sessionId, userId, reason, factor, client });
      this.#adopt(session, record, digest);
      return { token, session: session as Session };
    }
    throw sessionEnded();
  }

  /** The request that gets a new token continues with its roles. A token that is still honoured keeps its own roles. */
  #adopt(session: Session<object>, record: SessionRecord, issued: string): void {
    const now = this.clock.now();
    const { digest: presented } = Session.foundBy(session);
    const digest = isHonoured(standingOf(record, presented, now)) ? presented : issued;
    const standing = standingOf(record, digest, now);
    Session.adopt(session, record, { digest, standing }, rolesOf(record, standingOf(record, issued, now)));
  }

  async #rotate(digest: string, rotation: Rotation, client?: ClientInfo): Promise<RotateOutcome> {
    try {
      return await this.deadline.run(() => this.store.rotate(digest, rotation));
    } catch (error) {
      if (!isCorruptRecord(error)) throw error;
      this.events.publish({ type: 'session.corrupt_record', client });
      throw sessionEnded();
    }
  }
}

/**
 * Whether the session already has the new token. A client that lost its connection to the store sends the rotation
 * again after the first one took place.
 */
function isIssued(record: SessionRecord, digest: string, now: number): boolean {
  const { kind } = standingOf(record, digest, now);
  return kind === 'present' || kind === 'successor';
}

/** Returns changes of a record. When roles change, they include the roles that earlier tokens carried. */
function withChanges(record: SessionRecord, changes: SessionRecordChanges = {}): Changes {
  return { ...changes, ...withRoles(record, changes.roles) };
}
