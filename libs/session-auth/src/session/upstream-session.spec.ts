import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { anyCharacter } from '../../test/any-character.js';
import { KeyRing } from '../crypto/key-ring.js';
import { UpstreamDigests, type UpstreamSession } from './upstream-session.js';

const [NEW, OLD] = ['a new secret that is long enough for tests', 'an old secret that is long enough for tests'];
const digests = new UpstreamDigests(new KeyRing([NEW, OLD]));
const name = fc.string({ unit: anyCharacter, minLength: 1 });
const upstream: fc.Arbitrary<UpstreamSession> = fc.record({ sid: name, issuer: name }, { requiredKeys: ['sid'] });

describe('the digest of a provider’s session', () => {
  it('is of one form, by the first key, and recognised under all of them', () => {
    fc.assert(
      fc.property(upstream, (given) => {
        expect(digests.of(given)).toMatch(/^[\w-]{22}$/);
        expect(digests.allOf(given)).toEqual([digests.of(given), new UpstreamDigests(new KeyRing([OLD])).of(given)]);
      }),
    );
  });

  it('is that of no other', () => {
    fc.assert(
      fc.property(upstream, upstream, (a, b) => {
        expect(digests.of(a) === digests.of(b)).toBe(a.sid === b.sid && a.issuer === b.issuer);
      }),
    );
    expect(digests.of({ sid: 'a', issuer: 'b' })).not.toBe(digests.of({ sid: 'b', issuer: 'a' }));
    const alike = [{ sid: 'a' }, { sid: 'a', issuer: 'b' }, { sid: 'a', issuer: 'c' }].map((each) => digests.of(each));
    expect(new Set(alike).size).toBe(3);
    expect(digests.of({ sid: 'a","b' })).not.toBe(digests.of({ sid: 'a', issuer: 'b' }));
  });

  it('is that of sessions that are stored already', () => {
    const stored = (text: string): string =>
      createHmac('sha256', new KeyRing([NEW]).deriveKeys('upstream')[0]!)
        .update(text)
        .digest('base64url')
        .slice(0, 22);
    expect(digests.of({ sid: 'a' })).toBe(stored('["a"]'));
    expect(digests.of({ sid: 'a', issuer: 'b' })).toBe(stored('["a","b"]'));
  });

  it.each([
    {},
    { sid: '' },
    { sid: null },
    { sid: 5 },
    { sid: ['a'] },
    { sid: 'a', issuer: '' },
    { sid: 'a', issuer: 5 },
  ])('is not made of %p', (given) => {
    const refused = expect.objectContaining({
      code: 'invalid_configuration',
      message: 'an upstream session needs the string sid, and issuer must be a string if given',
    });
    expect(() => digests.of(given as UpstreamSession)).toThrow(refused);
    expect(() => digests.allOf(given as UpstreamSession)).toThrow(refused);
  });
});
