import { digestOf, handleOf } from '../crypto/session-token.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { ClientInfo } from '../users/client.js';
import type { SessionAuthentication } from '../users/session-authentication.js';
import type { SessionUser } from '../users/session-user-provider.js';
import { checkedUser, userIdOf } from '../users/valid-user.js';
import type { SessionLifetime } from './lifetime.options.js';
import type { SessionData, SessionRecord, SessionRecordChanges } from './session-record.js';
import type { UpstreamDigests, UpstreamSession } from './upstream-session.js';

/** The input of {@link SessionLifecycleService.create}. */
export interface NewSession {
  /** The owner; undefined: an anonymous session. */
  readonly user?: SessionUser;
  /** @default 'custom' for a session of a user */
  readonly authentication?: SessionAuthentication;
  /**
   * When the user last fully proved their identity, in milliseconds since the epoch; a later time than now counts as
   * now. @default now
   */
  readonly authenticatedAt?: number;
  /** The session at the identity provider that this login used. @default none */
  readonly upstream?: UpstreamSession;
  readonly client?: ClientInfo;
  /** The client's fingerprint that the session is bound to, when the fingerprint check is on. */
  readonly fingerprint?: string;
  /** Whether this is the user's first login from this device, if known; for the event and the notifier. */
  readonly newDevice?: boolean;
  readonly data?: SessionData;
}

/** A proof of the user's identity. */
export interface Authentication {
  readonly user: SessionUser;
  readonly authentication: SessionAuthentication;
  readonly client?: ClientInfo;
  /** The client's fingerprint that the session is bound to from now on; undefined: the present one. */
  readonly fingerprint?: string;
}

/** A login over a live session of the same user. */
export interface RenewingLogin extends Authentication {
  /** As in {@link NewSession}. @default now */
  readonly authenticatedAt?: number;
  /** The session at the identity provider that this login used. @default none, even if the session had one before */
  readonly upstream?: UpstreamSession;
}

/** The services that records of logins are made with. */
export interface LoginContext {
  readonly now: number;
  readonly lifetime: SessionLifetime;
  readonly upstream: UpstreamDigests;
}

/**
 * Returns the record of a new session, of a user or an anonymous one.
 *
 * @throws SessionAuthError `invalid_user`; `invalid_configuration` for an `authenticatedAt` that is not a time, or an
 *   `upstream` without an id
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
 * Returns the changes that a login over a live session of the same user makes to its record.
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
 * Returns the fields of a session that come from the account, as the account is now. An e-mail address that was removed
 * is cleared.
 *
 * @throws SessionAuthError `invalid_user`
 */
export function accountOf(given: SessionUser, before: SessionRecord): SessionRecordChanges {
  const user = checkedUser(given);
  return { email: user.email ?? (before.email && ''), roles: [...(user.roles ?? [])] };
}

/** Limits a time from a login to now: another machine's clock may be ahead. */
function pastTime(time: number, now: number): number {
  if (Number.isFinite(time)) return Math.min(time, now);
  throw new SessionAuthError('invalid_configuration', 'authenticatedAt is not a valid time');
}

/** Returns the two deadlines of a session that logs in at `now`. */
function initialDeadlines(
  { idle, absolute }: SessionLifetime,
  now: number,
): Pick<SessionRecord, 'expiresAt' | 'absoluteExpiresAt'> {
  return { expiresAt: now + Math.min(idle, absolute), absoluteExpiresAt: now + absolute };
}
