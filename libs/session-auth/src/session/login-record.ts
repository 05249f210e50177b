import { digestOf, handleOf } from '../crypto/session-token.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { ClientInfo } from '../users/client.js';
import type { SessionAuthentication } from '../users/session-authentication.js';
import type { SessionUser } from '../users/session-user-provider.js';
import { checkedUser, userIdOf } from '../users/valid-user.js';
import type { SessionLifetime } from './lifetime.options.js';
import type { SessionData, SessionRecord, SessionRecordChanges } from './session-record.js';
import type { UpstreamDigests, UpstreamSession } from './upstream-session.js';

/** The session that {@link SessionLifecycleService.create} is to make. */
export interface NewSession {
  /** Whose it is; undefined: an anonymous session. */
  readonly user?: SessionUser;
  /** @default 'custom' for a session of a user */
  readonly authentication?: SessionAuthentication;
  /** When the user last proved who they are in full, in milliseconds since the epoch; never later than now. @default now */
  readonly authenticatedAt?: number;
  /** The session at the identity provider that the login came of. @default none */
  readonly upstream?: UpstreamSession;
  readonly client?: ClientInfo;
  /** What the session is bound to of its client, where the fingerprint check is on. */
  readonly fingerprint?: string;
  /** Whether the user had not signed in from this device before, where that is known: for the event and the notifier. */
  readonly newDevice?: boolean;
  readonly data?: SessionData;
}

/** A proof of who the user is. */
export interface Authentication {
  readonly user: SessionUser;
  readonly authentication: SessionAuthentication;
  readonly client?: ClientInfo;
  /** What the session is bound to of its client from now on; undefined: what it was. */
  readonly fingerprint?: string;
}

/** A login over a live session of the same user. */
export interface RenewingLogin extends Authentication {
  /** As of {@link NewSession}. @default now */
  readonly authenticatedAt?: number;
  /** The session at the identity provider that this login came of. @default none, whatever the session came of before */
  readonly upstream?: UpstreamSession;
}

/** What records of logins are made with. */
export interface LoginContext {
  readonly now: number;
  readonly lifetime: SessionLifetime;
  readonly upstream: UpstreamDigests;
}

/**
 * The record of a new session: of a login, or of nobody.
 *
 * @throws SessionAuthError `invalid_user`; `invalid_configuration` for an `authenticatedAt` that is no time, or a
 *   nameless `upstream`
 */
export function recordOfLogin(
  login: NewSession,
  token: string,
  data: SessionData,
  { now, lifetime, upstream }: LoginContext,
): SessionRecord {
  const { user, client } = login;
  const digest = digestOf(token);
  return {
    digest,
    id: handleOf(digest),
    userId: user === undefined ? undefined : userIdOf(user.id),
    email: user?.email ?? undefined,
    roles: [...(user?.roles ?? [])],
    createdAt: now,
    authenticatedAt: user === undefined ? undefined : pastTime(login.authenticatedAt ?? now, now),
    authentication: user === undefined ? undefined : (login.authentication ?? 'custom'),
    upstream: login.upstream && upstream.of(login.upstream),
    rotatedAt: now,
    lastActivityAt: now,
    ...initialDeadlines(lifetime, now),
    ip: client?.ip,
    userAgent: client?.userAgent,
    fingerprint: login.fingerprint,
    data,
  };
}

/**
 * What a login over a live session of the same user makes of its record.
 *
 * @throws SessionAuthError as {@link recordOfLogin}
 */
export function changesOfLogin(
  login: RenewingLogin,
  before: SessionRecord,
  { now, lifetime, upstream }: LoginContext,
): SessionRecordChanges {
  return {
    ...accountOf(login.user, before),
    createdAt: now,
    authenticatedAt: pastTime(login.authenticatedAt ?? now, now),
    authentication: login.authentication,
    factors: before.factors && {},
    upstream: login.upstream === undefined ? before.upstream && '' : upstream.of(login.upstream),
    lastActivityAt: now,
    ...initialDeadlines(lifetime, now),
    ip: login.client?.ip,
    userAgent: login.client?.userAgent,
    fingerprint: login.fingerprint,
  };
}

/**
 * What a session holds of the account, as that is at present: also that it has no address any more.
 *
 * @throws SessionAuthError `invalid_user`
 */
export function accountOf(given: SessionUser, before: SessionRecord): SessionRecordChanges {
  const user = checkedUser(given);
  return { email: user.email ?? (before.email && ''), roles: [...(user.roles ?? [])] };
}

/** A time that a login may name: what lies ahead, by the clock of another machine, is now. */
function pastTime(time: number, now: number): number {
  if (Number.isFinite(time)) return Math.min(time, now);
  throw new SessionAuthError('invalid_configuration', 'authenticatedAt: not a time');
}

/** The two deadlines of a session that logs in at `now`. */
function initialDeadlines(
  { idle, absolute }: SessionLifetime,
  now: number,
): Pick<SessionRecord, 'expiresAt' | 'absoluteExpiresAt'> {
  return { expiresAt: now + Math.min(idle, absolute), absoluteExpiresAt: now + absolute };
}
