import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { anyCharacter } from '../../test/any-character.js';
import { CSRF_TOKEN_LENGTH, CsrfKey, isCsrfToken, issueCsrfToken, type CsrfBinding } from './csrf-token.js';

const newKey = (): CsrfKey => new CsrfKey(randomBytes(32));
const KEY = newKey();
const SESSION: CsrfBinding = { kind: 'session', secret: 'AB' + 'c'.repeat(43) };

const bindings = fc.record({
  kind: fc.constantFrom('session' as const, 'pre-session' as const),
  secret: fc.string(),
});

describe('a CSRF token', () => {
  it('is good for its binding and no other', () => {
    fc.assert(
      fc.property(bindings, bindings, (binding, other) => {
        const token = issueCsrfToken(KEY, binding);
        expect(token).toMatch(/^[\w-]{86}$/);
        expect(isCsrfToken(token, [KEY], binding)).toBe(true);
        const isSame = binding.kind === other.kind && binding.secret === other.secret;
        expect(isCsrfToken(token, [KEY], other)).toBe(isSame);
      }),
    );
  });

  it('of a pre-session is none of a session, though the two have the same secret', () => {
    const token = issueCsrfToken(KEY, SESSION);
    expect(isCsrfToken(token, [KEY], { ...SESSION, kind: 'pre-session' })).toBe(false);
  });

  it('differs in every answer, in its mask and in what is masked, and all of them are good', () => {
    const tokens = Array.from({ length: 200 }, () => issueCsrfToken(KEY, SESSION));
    for (const part of [0, 43]) expect(new Set(tokens.map((token) => token.slice(part, part + 40))).size).toBe(200);
    expect(tokens.every((token) => isCsrfToken(token, [KEY], SESSION))).toBe(true);
  });

  it('is good under every key of the ring, and under no other', () => {
    const [old, other] = [newKey(), newKey()];
    const token = issueCsrfToken(old, SESSION);
    expect(isCsrfToken(token, [KEY, old], SESSION)).toBe(true);
    expect(isCsrfToken(token, [old, KEY], SESSION)).toBe(true);
    expect(isCsrfToken(token, [KEY, other], SESSION)).toBe(false);
    expect(isCsrfToken(token, [], SESSION)).toBe(false);
  });

  it('is never taken for one when it is something else: no throw, no acceptance', () => {
    const hostile = fc.oneof(
      fc.anything(),
      fc.string({ unit: anyCharacter, maxLength: 200 }),
      fc.string({ minLength: CSRF_TOKEN_LENGTH, maxLength: CSRF_TOKEN_LENGTH }),
      fc.uint8Array({ minLength: 64, maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
    );
    fc.assert(
      fc.property(hostile, (value) => {
        expect(isCsrfToken(value, [KEY], SESSION)).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  it('is refused with any one character changed, cut, doubled, spaced, or in another alphabet', () => {
    const token = issueCsrfToken(KEY, SESSION);
    const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    for (let at = 0; at < token.length; at++) {
      for (const character of [...ALPHABET, '=', ' ', '+', '/', '\0', 'é']) {
        if (character === token[at]) continue;
        const changed = token.slice(0, at) + character + token.slice(at + 1);
        if (isCsrfToken(changed, [KEY], SESSION)) throw new Error(`accepted ${changed} for ${token}`);
      }
      expect(isCsrfToken(token.slice(0, at), [KEY], SESSION)).toBe(false);
    }
    const standard = Buffer.from(token, 'base64url').toString('base64');
    const padded = `${token}==`;
    for (const value of [token + token, `${token}, ${token}`, ` ${token}`, `${token} `, padded, standard]) {
      expect(isCsrfToken(value, [KEY], SESSION)).toBe(false);
    }
    for (const value of [[token], { 0: token }, Buffer.from(token), new String(token), { toString: () => token }]) {
      expect(isCsrfToken(value, [KEY], SESSION)).toBe(false);
    }
  });

  it('is refused unmasked, alone or behind a mask of zeros that is not random', () => {
    const bytes = Buffer.from(issueCsrfToken(KEY, SESSION), 'base64url');
    const mac = Buffer.from(bytes.subarray(32).map((byte, at) => byte ^ bytes[at]!));
    expect(isCsrfToken(mac.toString('base64url'), [KEY], SESSION)).toBe(false);
    expect(isCsrfToken(mac.toString('hex'), [KEY], SESSION)).toBe(false);
    expect(isCsrfToken(Buffer.concat([mac, mac]).toString('base64url'), [KEY], SESSION)).toBe(false);
  });
});
