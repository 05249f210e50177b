import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { anyCharacter } from './any-character.js';

describe('anyCharacter', () => {
  it('makes every code point of it, from the first to the last, and no surrogate', () => {
    const characters = ['\0', 'a', '\u007f', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'];
    for (const character of characters) expect(anyCharacter.canShrinkWithoutContext(character)).toBe(true);
    for (const other of ['\ud800', '\udfff', '', 'ab', '\u{10000}a']) {
      expect(anyCharacter.canShrinkWithoutContext(other)).toBe(false);
    }
    fc.assert(fc.property(anyCharacter, (character) => /^[^\p{Surrogate}]$/su.test(character)));
  });

  it('leaves texts the names that are dangerous as keys', () => {
    const texts = fc.sample(fc.string({ unit: anyCharacter }), { seed: 1, numRuns: 2000 });
    expect(texts).toEqual(expect.arrayContaining([expect.stringContaining('__proto__')]));
  });
});
