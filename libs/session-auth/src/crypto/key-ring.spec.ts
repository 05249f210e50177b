import { describe, expect, it } from '@jest/globals';
import { createCipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { KeyRing } from './key-ring.js';

const NEW = 'the new secret, long enough to be one';
const OLD = 'the old secret, long enough to be one';
const CONTEXT = 'session-cookie:__Host-session';
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const ring = new KeyRing([NEW]);

/** Builds a sealed value from its specification: a cookie of this release must open in the next one. */
function sealByHand({
  version = 1,
  keyId,
  label = 'v1 seal',
  checkLabel = 'v1 check',
  alter = () => undefined,
}: {
  version?: number;
  keyId?: Buffer;
  label?: string;
  checkLabel?: string;
  /** Changes the sealed bytes before the check is computed. */
  alter?: (sealed: Buffer) => void;
}): string {
  const derive = (info: string, length: number): Buffer =>
    Buffer.from(hkdfSync('sha256', NEW, 'nestjs-session-auth', info, length));
  const head = Buffer.concat([Buffer.of(version), keyId ?? derive('v1 key id', 4)]);
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', derive(label, 32), nonce);
  cipher.setAAD(Buffer.concat([head, Buffer.from(CONTEXT)]));
  const body = Buffer.concat([cipher.update('token'), cipher.final()]);
  const sealed = Buffer.concat([head, nonce, body, cipher.getAuthTag()]);
  alter(sealed);
  const check = createHash('sha256').update(derive(checkLabel, 32)).update(sealed).digest().subarray(0, 8);
  return Buffer.concat([sealed, check]).toString('base64url');
}

const text = (value: string): Buffer => Buffer.from(value);

describe('KeyRing', () => {
  it('opens what it sealed, for any plaintext and context', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.string(), (plaintext, context) => {
        const sealed = ring.seal(plaintext, context);
        expect(sealed).toHaveLength(KeyRing.sealedLength(plaintext.length));
        expect(sealed).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(ring.open(sealed, context)).toEqual({ plaintext: Buffer.from(plaintext), outdated: false });
      }),
    );
  });

  it('opens in another process that has the same secret', () => {
    expect(new KeyRing([NEW]).open(ring.seal(text('token'), CONTEXT), CONTEXT)?.plaintext).toEqual(text('token'));
  });

  it('refuses every flip of every bit', () => {
    const sealed = Buffer.from(ring.seal(text('a token and its times'), CONTEXT), 'base64url');
    for (let byte = 0; byte < sealed.length; byte += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const altered = Buffer.from(sealed);
        altered[byte]! ^= 1 << bit;
        expect(ring.open(altered.toString('base64url'), CONTEXT)).toBeUndefined();
      }
    }
  });

  it('refuses every truncation, at either end, and every lengthening', () => {
    const sealed = ring.seal(text('a token and its times'), CONTEXT);
    for (let length = 0; length < sealed.length; length += 1) {
      expect(ring.open(sealed.slice(0, length), CONTEXT)).toBeUndefined();
      expect(ring.open(sealed.slice(sealed.length - length), CONTEXT)).toBeUndefined();
    }
    for (const more of BASE64URL) expect(ring.open(sealed + more, CONTEXT)).toBeUndefined();
  });

  it('refuses a value in another context', () => {
    const sealed = ring.seal(text('token'), CONTEXT);
    for (const context of ['', 'session-cookie:', 'remember-me-cookie:__Host-session', `${CONTEXT} `]) {
      expect(ring.open(sealed, context)).toBeUndefined();
    }
  });

  it('never opens a value that it did not seal', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.uint8Array({ maxLength: 200 })), (forged) => {
        const value = typeof forged === 'string' ? forged : Buffer.from(forged).toString('base64url');
        expect(ring.open(value, CONTEXT)).toBeUndefined();
      }),
    );
  });

  describe('accepts the one canonical encoding only', () => {
    const sealed = ring.seal(text('x'), CONTEXT);

    it.each([
      ['padding', `${sealed}=`],
      ['double padding', `${sealed}==`],
      ['a blank in front', ` ${sealed}`],
      ['a blank behind', `${sealed} `],
      ['a line break behind', `${sealed}\n`],
      ['a line break inside', `${sealed.slice(0, 10)}\r\n${sealed.slice(10)}`],
      ['a character that the decoder skips', `${sealed.slice(0, 10)}*${sealed.slice(10)}`],
      ['quotes', `"${sealed}"`],
      ['percent signs', sealed.replace(/^./, (first) => `%${first.charCodeAt(0).toString(16)}`)],
    ])('and not %s', (_what, value) => {
      expect(ring.open(sealed, CONTEXT)).toBeDefined();
      expect(ring.open(value, CONTEXT)).toBeUndefined();
    });

    it('and not the alphabet with + and /', () => {
      let value: string;
      do value = ring.seal(text('token'), CONTEXT);
      while (!/-.*_|_.*-/.test(value));
      expect(ring.open(value, CONTEXT)).toBeDefined();
      expect(ring.open(value.replaceAll('-', '+'), CONTEXT)).toBeUndefined();
      expect(ring.open(value.replaceAll('_', '/'), CONTEXT)).toBeUndefined();
      expect(ring.open(Buffer.from(value, 'base64url').toString('base64'), CONTEXT)).toBeUndefined();
    });

    it.each([1, 2])('and not other trailing bits, with %i byte(s) in the last group', (bytes) => {
      const value = ring.seal(Buffer.alloc(1 + bytes), CONTEXT);
      const last = BASE64URL.indexOf(value.at(-1)!);
      const decoded = Buffer.from(value, 'base64url');
      const twins = [...BASE64URL]
        .filter((_, index) => index !== last)
        .map((character) => value.slice(0, -1) + character)
        .filter((twin) => Buffer.from(twin, 'base64url').equals(decoded));
      expect(twins.length).toBeGreaterThan(0);
      for (const twin of twins) expect(ring.open(twin, CONTEXT)).toBeUndefined();
    });
  });

  it('refuses another version', () => {
    const sealed = Buffer.from(ring.seal(text('token'), CONTEXT), 'base64url');
    sealed[0] = 2;
    expect(ring.open(sealed.toString('base64url'), CONTEXT)).toBeUndefined();
  });

  it('seals under the first key; older ones open as outdated, removed ones no more', () => {
    const sealedByOld = new KeyRing([OLD]).seal(text('token'), CONTEXT);
    const both = new KeyRing([NEW, OLD]);
    expect(both.open(sealedByOld, CONTEXT)).toEqual({ plaintext: text('token'), outdated: true });
    expect(both.open(ring.seal(text('token'), CONTEXT), CONTEXT)?.outdated).toBe(false);
    expect(ring.open(both.seal(text('token'), CONTEXT), CONTEXT)).toBeDefined();
    expect(ring.open(sealedByOld, CONTEXT)).toBeUndefined();
  });

  it('opens what the written-down format says, made by other code, and only exactly that', () => {
    const opened = { plaintext: text('token'), outdated: false };
    // made here, so that mutation testing covers the labels of its keys
    expect(new KeyRing([NEW]).open(sealByHand({}), CONTEXT)).toEqual(opened);
    // genuine and authenticated except for the named part, so only the check under test can refuse it
    expect(ring.open(sealByHand({ version: 2 }), CONTEXT)).toBeUndefined();
    expect(ring.open(sealByHand({ version: 0 }), CONTEXT)).toBeUndefined();
    expect(ring.open(sealByHand({ keyId: Buffer.alloc(4) }), CONTEXT)).toBeUndefined();
    expect(ring.open(sealByHand({ label: 'v1 purpose:csrf' }), CONTEXT)).toBeUndefined();
    expect(ring.open(sealByHand({ checkLabel: 'v1 seal' }), CONTEXT)).toBeUndefined();
    const key = Buffer.from(hkdfSync('sha256', NEW, 'nestjs-session-auth', 'v1 purpose:csrf', 32));
    expect(ring.deriveKeys('csrf')).toEqual([key]);
  });

  it('does not trust a check that is right: every flip of every bit behind it is refused all the same', () => {
    const { length } = Buffer.from(sealByHand({}), 'base64url');
    for (let bit = 0; bit < 8 * (length - 8); bit += 1) {
      const alter = (sealed: Buffer): void => void (sealed[bit >> 3]! ^= 1 << (bit & 7));
      expect(ring.open(sealByHand({ alter }), CONTEXT)).toBeUndefined();
    }
  });

  it('does not trust a key id: the key has to fit as well', () => {
    const foreign = Buffer.from(new KeyRing([OLD]).seal(text('token'), CONTEXT), 'base64url');
    const own = Buffer.from(ring.seal(text('token'), CONTEXT), 'base64url');
    own.copy(foreign, 1, 1, 5);
    expect(new KeyRing([NEW, OLD]).open(foreign.toString('base64url'), CONTEXT)).toBeUndefined();
    const alter = (sealed: Buffer): void => void foreign.copy(sealed, 5, 5, foreign.length - 8);
    expect(new KeyRing([NEW, OLD]).open(sealByHand({ alter }), CONTEXT)).toBeUndefined();
  });

  it('never repeats a nonce, nor a value', () => {
    const nonces = new Set<string>();
    for (let count = 0; count < 10_000; count += 1) {
      nonces.add(Buffer.from(ring.seal(text('same'), CONTEXT), 'base64url').toString('hex', 5, 17));
    }
    expect(nonces.size).toBe(10_000);
  });

  it('keeps its secrets, whatever happens to the array they came in', () => {
    const secrets = [NEW];
    const own = new KeyRing(secrets);
    secrets[0] = OLD;
    expect(own.deriveKeys('csrf')).toEqual(ring.deriveKeys('csrf'));
  });

  it('derives 256-bit keys that differ by purpose and secret, the first secret first', () => {
    const both = new KeyRing([NEW, OLD]);
    const keys = [...both.deriveKeys('csrf'), ...both.deriveKeys('fingerprint'), ...both.deriveKeys('')];
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(6);
    expect(keys.every((key) => key.length === 32)).toBe(true);
    expect(both.deriveKeys('csrf')[0]).toEqual(ring.deriveKeys('csrf')[0]);
    expect(both.deriveKeys('csrf')[1]).toEqual(new KeyRing([OLD]).deriveKeys('csrf')[0]);
  });

  it('shows no secret when it is logged', () => {
    expect(JSON.stringify(ring)).toBe('{}');
  });
});
