import { describe, expect, it } from '@jest/globals';
import { RequireFactor } from './factor.guard.js';

describe('@RequireFactor', () => {
  it.each([[''], [[]], [['totp', 'To tp']], ['__proto__'], [undefined]])(
    'refuses the factors %p at once',
    (factors) => {
      expect(() => RequireFactor(factors as string)).toThrow(
        expect.objectContaining({ code: 'invalid_configuration', message: expect.stringContaining('@RequireFactor(') }),
      );
    },
  );

  it('refuses what is no duration at once', () => {
    for (const maxAge of ['10 parsecs', '', -1, NaN, null]) {
      expect(() => RequireFactor('totp', maxAge as number)).toThrow(
        expect.objectContaining({ code: 'invalid_configuration' }),
      );
    }
    expect(RequireFactor('totp', 0)).toBeInstanceOf(Function);
  });
});
