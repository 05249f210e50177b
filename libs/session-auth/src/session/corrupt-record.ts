import { SessionAuthError } from '../errors/session-auth.error.js';

/** The error of a store for a stored record that it cannot read. */
export function corruptRecord(cause?: unknown): SessionAuthError {
  return new SessionAuthError('corrupt_session_record', 'a stored session record cannot be read', { cause });
}

/** Whether an error says that a store found a record that it cannot read. */
export function isCorruptRecord(error: unknown): boolean {
  return error instanceof SessionAuthError && error.code === 'corrupt_session_record';
}

/**
 * Returns the result of `read`, or undefined if it throws {@link corruptRecord}, so that other records are still
 * returned.
 */
export function ifReadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isCorruptRecord(error)) return undefined;
    throw error;
  }
}
