import { SessionAuthError } from '../errors/session-auth.error.js';

/** The error of a store for a stored record that it cannot read. */
export function corruptRecord(cause?: unknown): SessionAuthError {
  return new SessionAuthError('corrupt_session_record', 'a stored session record cannot be read', { cause });
}

/** Returns what `read` returns; undefined where it throws {@link corruptRecord}, so that the other records still count. */
export function ifReadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SessionAuthError && error.code === 'corrupt_session_record') return undefined;
    throw error;
  }
}
