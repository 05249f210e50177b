import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { toMilliseconds } from './durations.js';

describe('toMilliseconds', () => {
  it.each([
    [0, 0],
    [1500, 1500],
    [1500.4, 1500],
    ['15m', 900_000],
    ['1h', 3_600_000],
    ['30d', 2_592_000_000],
    ['1.5 hours', 5_400_000],
    ['250', 250],
    ['0s', 0],
  ])('reads %p as %p', (given, expected) => {
    expect(toMilliseconds(given)).toBe(expected);
  });

  it.each([
    ['no number', 'soon'],
    ['empty', ''],
    ['blank', ' '],
    ['an unknown unit', '3 fortnights'],
    ['negative', -1],
    ['negative text', '-5m'],
    ['not a number', Number.NaN],
    ['endless', Number.POSITIVE_INFINITY],
    ['longer than any duration', `${'0'.repeat(100)}1m`],
    ['absent', undefined],
    ['null', null],
    ['a flag', true],
    ['a date', new Date(0)],
    ['a big integer', 5n],
    ['a list', ['1h']],
  ])('refuses what is %s', (_what, given) => {
    expect(toMilliseconds(given)).toBeUndefined();
  });

  it('answers a whole number from 0, or nothing, for anything', () => {
    fc.assert(
      fc.property(fc.anything(), (given) => {
        const milliseconds = toMilliseconds(given);
        expect(milliseconds === undefined || (Number.isInteger(milliseconds) && milliseconds >= 0)).toBe(true);
      }),
    );
  });
});
