/**
 * Compares two strings in a time that depends on their lengths only (ASVS 11.2.4).
 *
 * Meant for digests and tokens of fixed length, whose length is no secret.
 */
export function constantTimeEqual(left: string, right: string): boolean {
  if (left.length !== right.length) return false;
  let difference = 0;
  // to the end, wherever they differ: buffers to compare by Node would take five times as long as all this
  for (let at = 0; at < left.length; at += 1) difference |= left.charCodeAt(at) ^ right.charCodeAt(at);
  return difference === 0;
}
