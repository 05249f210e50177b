import { SessionAuthError } from '../errors/session-auth.error.js';
import { withoutStackTrace } from '../errors/without-stack-trace.js';
import type { SessionUser } from '../users/session-user-provider.js';
import type { SessionEnd } from './session-link.js';

/** The error of a request without a session of a user. */
export function sessionRequired(): SessionAuthError {
  return withoutStackTrace(() => new SessionAuthError('session_required', 'sign in first'));
}

/** The error of what is under way when its session ends: the reason of {@link Session.signal}. */
export function endedWith(reason: SessionEnd | undefined): SessionAuthError {
  return withoutStackTrace(() => new SessionAuthError('session_ended', 'the session has ended', { endReason: reason }));
}

/** The error of whoever acts on a session that is over. */
export function sessionEnded(): SessionAuthError {
  return new SessionAuthError('session_required', 'the session has ended');
}

/** Whether an error says that there is no session, or none any more. */
export function isSessionRequired(error: unknown): boolean {
  return error instanceof SessionAuthError && error.code === 'session_required';
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
