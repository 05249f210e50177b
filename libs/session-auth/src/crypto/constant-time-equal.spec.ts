import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { constantTimeEqual } from './constant-time-equal.js';

describe('constantTimeEqual', () => {
  it('says of any two texts what === says', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (left, right) => {
        expect(constantTimeEqual(left, left)).toBe(true);
        expect(constantTimeEqual(left, right)).toBe(left === right);
      }),
    );
  });

  it.each([
    ['another last character', 'digest-a', 'digest-b'],
    ['a prefix', 'digest', 'digest-b'],
    ['equal length in characters, not in bytes', 'é', 'e'],
    ['nothing', '', 'digest'],
  ])('tells %s apart', (_what, left, right) => {
    expect(constantTimeEqual(left, right)).toBe(false);
  });
});
