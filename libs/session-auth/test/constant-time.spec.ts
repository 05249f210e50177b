/**
 * Replaces `node:crypto`, which only Jest's own modules can do.
 *
 * @jest-environment node
 */
import { describe, expect, it, jest } from '@jest/globals';
import { randomBytes } from 'node:crypto';

/** What was compared in constant time: the real function, told of. */
const compared: (readonly [Uint8Array, Uint8Array])[] = [];

const crypto = await import('node:crypto');
jest.unstable_mockModule('node:crypto', () => ({
  ...crypto,
  timingSafeEqual: (left: Uint8Array, right: Uint8Array) => {
    compared.push([left, right]);
    return crypto.timingSafeEqual(left, right);
  },
}));

const { CsrfKey, isCsrfToken, issueCsrfToken } = await import('../src/csrf/csrf-token.js');
const { BearerTokens } = await import('../src/crypto/bearer-tokens.js');
const { KeyRing } = await import('../src/crypto/key-ring.js');
const { issueSessionToken } = await import('../src/crypto/session-token.js');

/** How many comparisons in constant time a call makes, and what it returns. */
function count<T>(call: () => T): [comparisons: number, returned: T] {
  compared.length = 0;
  const returned = call();
  return [compared.length, returned];
}

/** A text with its last character but one changed: what compares from the front finds out last. */
function almost(text: string): string {
  return text.slice(0, -2) + (text.at(-2) === 'A' ? 'B' : 'A') + text.slice(-1);
}

describe('secrets are compared in constant time', () => {
  it('CSRF tokens: with every key, whether or not one before was the right one', () => {
    const keys = [randomBytes(32), randomBytes(32), randomBytes(32)].map((bytes) => new CsrfKey(bytes));
    const binding = { kind: 'session', secret: 'a session' } as const;
    for (const key of keys) {
      const token = issueCsrfToken(key, binding);
      expect(count(() => isCsrfToken(token, keys, binding))).toEqual([3, true]);
      expect(count(() => isCsrfToken(almost(token), keys, binding))).toEqual([3, false]);
    }
    for (const [left, right] of compared) expect([left.length, right.length]).toEqual([32, 32]);
  });

  it('bearer tokens: with every key, whether or not one before was the right one', () => {
    const rings = [['one', 'two'], ['two'], ['one']].map((secrets) => new BearerTokens(new KeyRing(secrets)));
    const [reader, ...writers] = rings;
    const token = issueSessionToken('alice');
    for (const writer of writers) {
      const text = writer.write(token);
      expect(count(() => reader!.read(text))).toEqual([2, token]);
      expect(count(() => reader!.read(almost(text)))).toEqual([2, undefined]);
    }
  });

  it('sealed cookies: their check', () => {
    const ring = new KeyRing(['one']);
    const sealed = ring.seal(randomBytes(40), 'a cookie');
    expect(count(() => ring.open(sealed, 'a cookie'))).toEqual([1, expect.anything()]);
    expect(count(() => ring.open(almost(sealed), 'a cookie'))).toEqual([1, undefined]);
  });
});
