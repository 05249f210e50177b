import { SessionAuthError } from '../errors/session-auth.error.js';

/**
 * Returns the error that refuses a connection. The client does not learn of a fault in this library or the application.
 */
export function refusedWith(cause: unknown): SessionAuthError {
  if (cause instanceof SessionAuthError) return cause;
  return new SessionAuthError('not_configured', 'a connection could not be checked', { cause });
}
