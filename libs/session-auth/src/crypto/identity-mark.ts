import { hash } from 'node:crypto';

const MARK_BYTES = 16;

/**
 * How a sealed cookie knows a user: the first 128 bits of SHA-256 over the id, or over the lack of one.
 * Marks are compared whole, so two users are never taken for each other. Not secret, and no proof of anything outside
 * a seal.
 */
export function markOfUser(userId: string | undefined): Buffer {
  return hash('sha256', userId === undefined ? 'nobody' : `user:${userId}`, 'buffer').subarray(0, MARK_BYTES);
}
