import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeText, encodeText } from './postgres-text.js';

const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) });
const oddText = fc.string({ unit: fc.constantFrom('\0', '\u001a', '\ud800', '\udc00', '😀', '0', 'a') });

describe('text for PostgreSQL', () => {
  it('comes back as it was, has no NUL, and is well-formed', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, oddText), (text) => {
        const stored = encodeText(text);
        expect(stored).not.toContain('\0');
        expect(Buffer.from(stored).toString()).toBe(stored);
        expect(decodeText(stored)).toBe(text);
      }),
    );
  });

  it('keeps different texts different', () => {
    const texts = ['a', 'a\0', 'a\u001a', 'a\u001a0000', 'a\ud800', 'a\udfff', 'a\ufffd', ''];
    expect(new Set(texts.map(encodeText)).size).toBe(texts.length);
  });

  it('is stored as it is where it can be', () => {
    const text = 'DOMAIN\\älice 😀 "quoted"\n';
    expect(encodeText(text)).toBe(text);
  });
});
