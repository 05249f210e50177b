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

/** A mark that a sealed cookie carried, to compare sessions with. */
export class SessionMark {
  // the last one that the mark was of: what nearly every request with the same cookie asks again
  #id: string | undefined;
  #userId: string | undefined;

  constructor(private readonly bytes: Uint8Array) {}

  /** Whether it is the mark of the session with this handle and user. */
  isOf(id: string, userId: string | undefined): boolean {
    if (id === this.#id && userId === this.#userId) return true;
    if (!markOfSession(id, userId).equals(this.bytes)) return false;
    this.#id = id;
    this.#userId = userId;
    return true;
  }
}
