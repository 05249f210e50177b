import { SessionAuthError } from '../errors/session-auth.error.js';
import { withoutStackTrace } from '../errors/without-stack-trace.js';
import type { Session } from './session.js';
import type { SessionUser } from '../users/session-user-provider.js';

/** A session that belongs to a user. */
export type UserSession = Session & { readonly userId: string };

/** The error of a request without a session of a user. */
export function sessionRequired(): SessionAuthError {
  return withoutStackTrace(() => new SessionAuthError('session_required', 'sign in first'));
}

/** The error of whoever acts on a session that is over. */
export function sessionEnded(): SessionAuthError {
  return new SessionAuthError('session_required', 'the session has ended');
}

/**
 * The session, if it is a user's.
 *
 * @throws SessionAuthError `session_required` without a session and for an anonymous one
 */
export function requireSession(session: Session | undefined): UserSession {
  if (session?.userId === undefined) throw sessionRequired();
  return session as UserSession;
}

/**
 * The user, if there is one.
 *
 * @throws SessionAuthError `session_required`
 */
export function requireUser(user: SessionUser | undefined): SessionUser {
  if (user === undefined) throw sessionRequired();
  return user;
}
