import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { anyCharacter } from '../../test/any-character.js';
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
    ['stra\u1e9ee', 'stra\u00dfe'],
    ['\u1e9e', 'ss'],
    ['\u00d8rsted', 'orsted'],
    ['\u0141ukasz', 'lukasz'],
    ['\u0110or\u0111e', 'dorde'],
    ['\u0126al', 'hal'],
    ['\u00c6sop', 'aesop'],
    ['c\u0153ur', 'coeur'],
    ['\ufb01ona', 'fiona'],
    ['\u01c6uro', 'dzuro'],
    ['user\u0661\u0662', 'user12'],
    ['user\u0967', 'user1'],
    ['user\u{1d7d9}', 'user1'],
    ['user\u{116da}\u{116e3}', 'user09'],
    ['al\u00adice', 'alice'],
    ['al\u3164ice', 'alice'],
    ['al\uffa0ice', 'alice'],
    ['al\u115fice', 'alice'],
    ['al\u2800ice', 'alice'],
    ['al\ufe0fice', 'alice'],
    ['al\u{e0061}ice', 'alice'],
  ])('takes %j and %j for one name', (one, other) => {
    expect(foldLoginName(one)).toBe(foldLoginName(other));
  });

  it('takes no two different plain names for one', () => {
    const plain = fc.stringMatching(/^[a-z0-9.+_-]{1,30}@[a-z]{1,10}\.com$/);
    fc.assert(fc.property(plain, plain, (a, b) => (foldLoginName(a) === foldLoginName(b)) === (a === b)));
  });

  const anyName = fc.string({ unit: anyCharacter, maxLength: 20 });

  it('says the same of every change of case and spelling, for any text', () => {
    const hidden = fc.constantFrom('\u00ad', '\u200b', '\u3164', '\ufe0f', '\u2800', ' ', '\u0301');
    fc.assert(
      fc.property(anyName, hidden, fc.nat(20), (name, ignored, place) => {
        const folded = foldLoginName(name);
        const characters = [...name];
        const spellings = [
          ` ${name} `,
          name.toUpperCase(),
          name.toLowerCase(),
          name.toUpperCase().toLowerCase(),
          name.normalize('NFD'),
          name.normalize('NFC'),
          name.normalize('NFKD'),
          name.normalize('NFKC'),
          [...characters.slice(0, place), ignored, ...characters.slice(place)].join(''),
        ];
        for (const spelling of spellings) expect([spelling, foldLoginName(spelling)]).toEqual([spelling, folded]);
      }),
      { numRuns: 2000 },
    );
  });

  it('changes nothing that is folded', () => {
    fc.assert(
      fc.property(anyName, (name) => {
        const folded = foldLoginName(name);
        expect(foldLoginName(folded)).toBe(folded);
      }),
      { numRuns: 2000 },
    );
  });

  it('changes no character that is folded, and takes its cases for one', () => {
    const wrong: string[] = [];
    for (let code = 0; code <= 0x2ffff; code += 1) {
      if (code >= 0xac00 && code <= 0xdfff) continue;
      const character = String.fromCodePoint(code);
      const folded = foldLoginName(character);
      const same = [folded, character.toUpperCase(), character.toLowerCase()].map(foldLoginName);
      if (same.some((each) => each !== folded)) wrong.push(code.toString(16));
    }
    expect(wrong).toEqual([]);
  });
});
