import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { anyCharacter } from '../../test/any-character.js';
import {
  formatSessionCursor,
  isBehind,
  newestFirst,
  parseSessionCursor,
  type SessionCursor,
} from './session-cursor.js';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const handle = fc.string({ unit: fc.constantFrom(...ALPHABET), minLength: 20, maxLength: 20 });
const place = fc.record<SessionCursor>({ createdAt: fc.nat(999_999_999_999_999), id: handle });

describe('a session cursor', () => {
  it('comes back from its text, and the text from it', () => {
    fc.assert(
      fc.property(place, (cursor) => {
        const text = formatSessionCursor(cursor);
        expect(parseSessionCursor(text)).toEqual(cursor);
        expect(encodeURIComponent(text)).toBe(text);
      }),
    );
  });

  it('is none where there is no text', () => {
    expect(parseSessionCursor(undefined)).toBeUndefined();
  });

  it.each([
    '',
    '.',
    '1',
    `.${'A'.repeat(20)}`,
    `1.${'A'.repeat(19)}`,
    `1.${'A'.repeat(21)}`,
    `-1.${'A'.repeat(20)}`,
    `1e3.${'A'.repeat(20)}`,
    `${'9'.repeat(16)}.${'A'.repeat(20)}`,
    `1.${'A'.repeat(19)}+`,
    `1.${'A'.repeat(20)}\n`,
    ` 1.${'A'.repeat(20)}`,
  ])('refuses %p with a code', (text) => {
    expect(() => parseSessionCursor(text)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });

  it('refuses any other text without echoing it', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, minLength: 4 }), (text) => {
        fc.pre(!/^\d{1,15}\.[A-Za-z0-9_-]{20}$/.test(text));
        expect(() => parseSessionCursor(text)).toThrow('unknown cursor: use the `next` of a previous page');
      }),
    );
  });

  it('cuts an ordered list exactly behind its place', () => {
    // few distinct times, so that equal ones occur
    const session = fc.record<SessionCursor>({ createdAt: fc.nat(3), id: handle });
    fc.assert(
      fc.property(fc.uniqueArray(session, { selector: ({ id }) => id, minLength: 1 }), fc.nat(), (sessions, at) => {
        const ordered = [...sessions].sort(newestFirst);
        const cut = at % ordered.length;
        expect(ordered.filter((each) => isBehind(each, ordered[cut]!))).toEqual(ordered.slice(cut + 1));
      }),
    );
  });

  it('orders newest first, equal times by falling handle', () => {
    const [a, b, c] = [
      { createdAt: 1, id: 'z' },
      { createdAt: 2, id: 'a' },
      { createdAt: 2, id: 'b' },
    ];
    expect([a, b, c].sort(newestFirst)).toEqual([c, b, a]);
    expect([c, b, a].sort(newestFirst)).toEqual([c, b, a]);
  });
});
