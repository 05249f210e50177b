import { SessionAuthError } from '../errors/session-auth.error.js';

/** What a connection is refused with. A fault of this library or of the application is not for the client to know. */
export function refusedWith(cause: unknown): SessionAuthError {
  if (cause instanceof SessionAuthError) return cause;
  return new SessionAuthError('not_configured', 'a connection could not be judged', { cause });
}
