import { timingSafeEqual } from 'node:crypto';

/**
 * Compares two strings in a time that depends on their lengths only (ASVS 11.2.4).
 *
 * Meant for digests and tokens of fixed length, whose length is no secret.
 */
export function constantTimeEqual(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}
