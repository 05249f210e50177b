import { SessionAuthError } from '../errors/session-auth.error.js';
import { withoutStackTrace } from '../errors/without-stack-trace.js';
import type { SessionUser } from '../users/session-user-provider.js';
import type { SessionEnd } from './session-link.js';

/** Returns the error for a request without a session of a user. */
export function sessionRequired(): SessionAuthError {
  return withoutStackTrace(() => new SessionAuthError('session_required', 'sign in first'));
}

/** Returns the error for work that was under way when its session ended: the reason of {@link Session.signal}. */
export function endedWith(reason: SessionEnd | undefined): SessionAuthError {
  return withoutStackTrace(() => new SessionAuthError('session_ended', 'the session has ended', { endReason: reason }));
}

/** Returns the error for a change to a session that has ended. */
export function sessionEnded(): SessionAuthError {
  return new SessionAuthError('session_required', 'the session has ended');
}

/** Whether an error says that there is no live session. */
export function isSessionRequired(error: unknown): boolean {
  return error instanceof SessionAuthError && error.code === 'session_required';
}

/**
 * Returns the user, if there is one.
 *
 * @throws SessionAuthError `session_required`
 */
export function requireUser(user: SessionUser | undefined): SessionUser {
  if (user === undefined) throw sessionRequired();
  return user;
}
