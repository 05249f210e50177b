import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { foldLoginName } from './login-name.js';

describe('foldLoginName', () => {
  it.each([
    'Alice@Example.COM',
    '  alice@example.com\t',
    'al ice@example.com',
    '\uff41\uff4c\uff49\uff43\uff45@example.com',
    'alic\u00e9@example.com',
    'alice\u0301@example.com',
    'ali\u200bce@example.com',
    '\u202ealice@example.com',
    'al\u0131ce@example.com',
    'alice\u0000@example.com',
  ])('takes %j for alice@example.com', (name) => {
    expect(foldLoginName(name)).toBe('alice@example.com');
  });

  it.each([
    ['stra\u00dfe', 'STRASSE'],
    ['\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2', '\u03a3\u038a\u03a3\u03a5\u03a6\u039f\u03a3'],
    ['\u212belvin', '\u00e5elvin'],
  ])('takes %j and %j for one name', (one, other) => {
    expect(foldLoginName(one)).toBe(foldLoginName(other));
  });

  it('takes no two different plain names for one', () => {
    const plain = fc.stringMatching(/^[a-z0-9.+_-]{1,30}@[a-z]{1,10}\.com$/);
    fc.assert(fc.property(plain, plain, (a, b) => (foldLoginName(a) === foldLoginName(b)) === (a === b)));
  });

  it('says the same of case and of composition, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        const folded = foldLoginName(name);
        expect(foldLoginName(` ${name} `)).toBe(folded);
        expect(foldLoginName(name.normalize('NFD'))).toBe(folded);
        expect(foldLoginName(name.normalize('NFKC'))).toBe(folded);
      }),
    );
  });
});
