import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cookieAttributes } from '../../test/fixtures/cookie-attributes.js';
import { KeyRing } from '../crypto/key-ring.js';
import { issueSessionToken } from '../crypto/session-token.js';
import { SessionCookie } from './session-cookie.js';

const NOW = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;
const NAME = '__Host-session';
const ATTRIBUTES = cookieAttributes();

const cookie = new SessionCookie(new KeyRing(['a secret that is long enough for tests']), {
  attributes: ATTRIBUTES,
  absolute: DAY,
  idle: DAY,
});
const token = issueSessionToken('alice');
const genuine = cookie.issue(token, { userId: 'alice', absoluteExpiresAt: new Date(NOW + DAY) }, NOW).split(';')[0]!;
const value = genuine.slice(NAME.length + 1);

/** Text as Node reads a header: one character for each byte. */
const headerText = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
const otherName = fc.constantFrom(
  'a',
  '__host-session',
  '__Host-session-csrf',
  'x__Host-session',
  '__Host-sessionx',
  '\xa0__Host-session',
  '__Host-session\v',
  '\f__Host-session',
  '',
);
const otherPair = fc
  .tuple(otherName, fc.constantFrom('=', ''), fc.oneof(headerText, fc.constant(value)))
  .map((parts) => parts.join('').replaceAll(';', ','));
const separator = fc.constantFrom('; ', ';', ' ;  ', ';;', ';\t');

describe('the session cookie in a Cookie header', () => {
  it('is found alone among any others, in any place', () => {
    fc.assert(
      fc.property(fc.array(otherPair, { maxLength: 8 }), fc.nat(8), separator, (others, place, between) => {
        const pairs = [...others.slice(0, place), genuine, ...others.slice(place)];
        expect(cookie.read(pairs.join(between), NOW)).toMatchObject({ token });
      }),
    );
  });

  it('is ambiguous where its name comes twice, whatever the second one is', () => {
    fc.assert(
      fc.property(fc.oneof(headerText, fc.constant(value)), separator, fc.boolean(), (text, between, isFirst) => {
        const second = `${NAME}=${text.replaceAll(';', ',')}`;
        const pairs = isFirst ? [second, genuine] : [genuine, second];
        expect(cookie.read(pairs.join(between), NOW)).toBeUndefined();
      }),
    );
  });

  it('is refused with anything added, taken away or changed', () => {
    const edit = fc.tuple(fc.nat(value.length), fc.nat(3), headerText);
    fc.assert(
      fc.property(edit, ([at, removed, added]) => {
        const edited = value.slice(0, at) + added + value.slice(at + removed);
        // blanks around a value, and text after a semicolon, do not belong to it
        const isSame =
          edited
            .split(';')[0]!
            .trim()
            .replace(/^"(.*)"$/, '$1') === value;
        if (!isSame) expect(cookie.read(`${NAME}=${edited}`, NOW)).toBeUndefined();
      }),
      { numRuns: 1000 },
    );
  });

  it('is never found in what we did not write: no throw, no acceptance', () => {
    const shaped = fc.stringMatching(new RegExp(`^[\\w-]{${value.length}}$`)).map((text) => `${NAME}=${text}`);
    fc.assert(
      fc.property(
        fc.oneof(
          headerText,
          shaped,
          fc.array(otherPair).map((pairs) => pairs.join(';')),
        ),
        (header) => {
          expect(cookie.read(header, NOW)).toBeUndefined();
          expect(() => cookie.find(header, NOW)).not.toThrow();
        },
      ),
      { numRuns: 500 },
    );
  });

  it('takes work in proportion to the header’s length, however many cookies that is', () => {
    const many = `${'a=b; '.repeat(20_000)}${genuine}`;
    const seals = Array.from({ length: 500 }, (_, index) => `${NAME}=${value.slice(0, -4)}${index}`).join('; ');
    expect(cookie.read(many, NOW)).toMatchObject({ token });
    expect(cookie.read(seals, NOW)).toBeUndefined();
    expect(cookie.read('='.repeat(100_000), NOW)).toBeUndefined();
    expect(cookie.read(`${NAME}=`.repeat(10_000), NOW)).toBeUndefined();
  });
});
