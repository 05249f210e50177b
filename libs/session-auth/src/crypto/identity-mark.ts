import { hash } from 'node:crypto';

/** Bytes of a mark. */
export const MARK_BYTES = 16;

/**
 * What a sealed cookie carries to know a user by: the first 128 bits of SHA-256 over the id, or over the lack of one.
 * Marks are compared whole, so two users are never taken for each other. Not secret, and no proof of anything outside
 * a seal.
 */
export function markOfUser(userId: string | undefined): Buffer {
  return hash('sha256', userId === undefined ? 'nobody' : `user:${userId}`, 'buffer').subarray(0, MARK_BYTES);
}

/**
 * What a sealed cookie carries to know a session by through all its rotations: as {@link markOfUser}, over its handle
 * and its user. A store that answers the session's token with any other record is found out by it.
 */
export function markOfSession(id: string, userId: string | undefined): Buffer {
  const text = userId === undefined ? `session:${id}` : `session:${id}:${userId}`;
  return hash('sha256', text, 'buffer').subarray(0, MARK_BYTES);
}
