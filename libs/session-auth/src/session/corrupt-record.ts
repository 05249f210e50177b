import { SessionAuthError } from '../errors/session-auth.error.js';

/** The error for a stored record that cannot be read. */
export function corruptRecord(cause?: unknown): SessionAuthError {
  return new SessionAuthError('corrupt_session_record', 'a stored session record cannot be read', { cause });
}

/** Whether an error says that a store has met a record that it cannot read. */
export function isCorruptRecord(error: unknown): boolean {
  return error instanceof SessionAuthError && error.code === 'corrupt_session_record';
}
