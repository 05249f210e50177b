import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { anyCharacter } from '../../test/any-character.js';
import { BEARER_TOKEN_LENGTH, BearerTokens } from './bearer-tokens.js';
import { KeyRing } from './key-ring.js';
import { digestOf, issueNextSessionToken, issueSessionToken } from './session-token.js';

const NEW = 'the new secret, long enough to be one';
const OLD = 'the old secret, long enough to be one';
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const keys = new KeyRing([NEW]);
const tokens = new BearerTokens(keys);

const sessionToken = fc.option(fc.string(), { nil: undefined }).map(issueSessionToken);

describe('BearerTokens', () => {
  it('reads the session token of what it wrote, for any token', () => {
    fc.assert(
      fc.property(sessionToken, (token) => {
        const written = tokens.write(token);
        expect(written).toMatch(/^[A-Za-z0-9_-]{87}$/);
        expect(written.slice(0, 65)).toBe(token);
        expect(tokens.read(written)).toBe(token);
        expect(tokens.write(token)).toBe(written);
      }),
    );
    expect(BEARER_TOKEN_LENGTH).toBe(87);
  });

  it('writes 128 bits of HMAC-SHA-256 behind the token, as written down, under a key of its own', () => {
    const token = issueSessionToken('alice');
    const [key] = keys.deriveKeys('bearer-token');
    const mac = createHmac('sha256', key!).update(token).digest('base64url').slice(0, 21);
    // only the first two bits of the 22nd character belong to the HMAC
    expect(tokens.write(token).slice(65, -1)).toBe(mac);
  });

  it('reads nothing else, whatever it is given', () => {
    const written = tokens.write(issueSessionToken('alice'));
    const nasty = fc.oneof(
      fc.string({ unit: anyCharacter, maxLength: 120 }),
      fc.string({ unit: anyCharacter, minLength: 87, maxLength: 87 }),
      // genuine up to some point, then anything
      fc
        .tuple(fc.nat(86), fc.string({ unit: anyCharacter, minLength: 87, maxLength: 87 }))
        .map(([genuine, rest]) => (written.slice(0, genuine) + rest).slice(0, 87))
        .filter((text) => text !== written),
      fc
        .tuple(fc.nat(86), fc.constantFrom(...BASE64URL))
        .filter(([at, character]) => written[at] !== character)
        .map(([at, character]) => written.slice(0, at) + character + written.slice(at + 1)),
    );
    fc.assert(
      fc.property(nasty, (text) => {
        expect(tokens.read(text)).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });

  it('reads nothing that has characters beyond ASCII behind a genuine token', () => {
    const token = issueSessionToken('alice');
    for (const character of ['é', '\u0101', '\u65e5', '\ud83d']) {
      expect(tokens.read(token + character.repeat(22))).toBeUndefined();
    }
    // the low byte of each equals the genuine one
    const shifted = Array.from(tokens.write(token).slice(65), (each) => String.fromCharCode(each.charCodeAt(0) + 256));
    expect(tokens.read(token + shifted.join(''))).toBeUndefined();
  });

  it('takes one spelling only: trailing bits that decode to the same are refused', () => {
    const written = tokens.write(issueSessionToken('alice'));
    const twins = [...BASE64URL].map((last) => written.slice(0, -1) + last).filter((text) => text !== written);
    const mac = Buffer.from(written.slice(65), 'base64url');
    const same = twins.filter((twin) => Buffer.from(twin.slice(65), 'base64url').equals(mac));
    expect(same).toHaveLength(15);
    for (const twin of twins) expect(tokens.read(twin)).toBeUndefined();
  });

  it('binds the HMAC to the whole token: none fits another token, of the same session or not', () => {
    const token = issueSessionToken('alice');
    const mac = tokens.write(token).slice(65);
    for (const other of [issueNextSessionToken(token), issueSessionToken('alice'), digestOf(token)]) {
      expect(tokens.read(other + mac)).toBeUndefined();
    }
    expect(tokens.read(token)).toBeUndefined();
  });

  it('writes under the first key, reads older ones, and those of a key that was removed no more', () => {
    const token = issueSessionToken('alice');
    const ofOld = new BearerTokens(new KeyRing([OLD])).write(token);
    const both = new BearerTokens(new KeyRing([NEW, OLD]));
    expect(ofOld).not.toBe(tokens.write(token));
    expect(both.write(token)).toBe(tokens.write(token));
    expect([both.read(ofOld), both.read(tokens.write(token))]).toEqual([token, token]);
    expect(tokens.read(ofOld)).toBeUndefined();
  });
});
