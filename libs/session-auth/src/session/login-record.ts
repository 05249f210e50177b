import { digestOf } from '../crypto/session-token.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { SessionUser } from '../users/session-user-provider.js';
import type { NewSession, RenewingLogin } from './session-lifecycle.js';
import type { SessionLifetime } from './lifetime.options.js';
import { initialDeadlines } from './session-lifetime.js';
import type { SessionData, SessionRecord, SessionRecordChanges } from './session-record.js';
import type { UpstreamDigests } from './upstream-session.js';

/** What records of logins are made with. */
export interface LoginContext {
  readonly now: number;
  readonly lifetime: SessionLifetime;
  readonly upstream: UpstreamDigests;
}

/** The token and handle that a login got. */
type Names = Required<NewSession>['identity'];

/**
 * The record of a new session: of a login, or of nobody.
 *
 * @throws SessionAuthError `invalid_configuration` for an `authenticatedAt` that is no time, or a nameless `upstream`
 */
export function recordOfLogin(
  login: NewSession,
  { token, id }: Names,
  data: SessionData,
  { now, lifetime, upstream }: LoginContext,
): SessionRecord {
  const { user, client } = login;
  return {
    digest: digestOf(token),
    id,
    userId: user === undefined ? undefined : String(user.id),
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
 * @throws SessionAuthError `invalid_configuration` as {@link recordOfLogin}
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

/** What a session holds of the account, as that is at present: also that it has no address any more. */
export function accountOf(user: SessionUser, before: SessionRecord): SessionRecordChanges {
  return { email: user.email ?? (before.email && ''), roles: [...(user.roles ?? [])] };
}

/** A time that a login may name: what lies ahead, by the clock of another machine, is now. */
function pastTime(time: number, now: number): number {
  if (Number.isFinite(time)) return Math.min(time, now);
  throw new SessionAuthError('invalid_configuration', 'authenticatedAt: not a time');
}
