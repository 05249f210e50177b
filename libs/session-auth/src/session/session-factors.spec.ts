import { describe, expect, it } from '@jest/globals';
import { areFactorTimes, isFactorName, withFactor } from './session-factors.js';

const refused = (message: string): object => expect.objectContaining({ code: 'invalid_configuration', message });

describe('the further factors of a session', () => {
  it('are kept by name, each with the time it was proved last', () => {
    const first = withFactor(undefined, 'totp', 1);
    const both = withFactor(first, 'security-key_2', 2);
    expect([first, both]).toEqual([{ totp: 1 }, { totp: 1, 'security-key_2': 2 }]);
    expect(withFactor(both, 'totp', 3)).toEqual({ totp: 3, 'security-key_2': 2 });
  });

  it('are at most eight; one of them can be proved again', () => {
    let factors = {};
    for (let i = 1; i <= 8; i++) factors = withFactor(factors, `factor-${i}`, i);
    expect(() => withFactor(factors, 'factor-9', 9)).toThrow(refused('a session can have at most 8 factors'));
    expect(withFactor(factors, 'factor-8', 9)).toEqual({ ...factors, 'factor-8': 9 });
  });

  it.each(['', 'Totp', 'to tp', '-totp', '_totp', '__proto__', 'é', 'totp\n', 'a'.repeat(33), undefined, null, 5, {}])(
    'do not go by the name %p',
    (name) => {
      expect(isFactorName(name)).toBe(false);
      expect(() => withFactor({}, name as string, 1)).toThrow(
        refused("a factor's name must be 1 to 32 of a-z, 0-9, _ and -, the first a letter or digit"),
      );
    },
  );

  it.each(['a', '0', 'totp', 'sms-otp', 'constructor', 'a'.repeat(32)])('may go by the name %p', (name) => {
    expect(isFactorName(name)).toBe(true);
    expect(Object.entries(withFactor({}, name, 1))).toEqual([[name, 1]]);
  });

  it('are an object of numbers, where they are read from a store', () => {
    for (const value of [{}, { totp: 1 }]) expect(areFactorTimes(value)).toBe(true);
    for (const value of [null, undefined, 5, 'totp', [], [1], { totp: '1' }, { totp: null }, { totp: 1, sms: {} }]) {
      expect(areFactorTimes(value)).toBe(false);
    }
  });
});
