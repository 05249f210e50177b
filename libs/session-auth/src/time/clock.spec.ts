import { describe, expect, it } from '@jest/globals';
import { isTime, SystemClock } from './clock.js';

describe('a time', () => {
  it.each([0, -1, 1_800_000_000_000.5, 8.64e15, -8.64e15])('is %p, which a Date can hold', (time) => {
    expect(isTime(time)).toBe(true);
    expect(() => new Date(time).toISOString()).not.toThrow();
  });

  it.each([8.64e15 + 2, -8.64e15 - 2, Infinity, -Infinity, NaN])('is not %p, which no Date can hold', (time) => {
    expect(isTime(time)).toBe(false);
    expect(() => new Date(time).toISOString()).toThrow(RangeError);
  });

  it.each([undefined, null, '1800000000000', 0n, new Date()])('is not %p', (value) => {
    expect(isTime(value)).toBe(false);
  });
});

describe('SystemClock', () => {
  it('tells the present time in whole milliseconds', () => {
    const before = Date.now();
    const now = new SystemClock().now();
    expect(Number.isInteger(now)).toBe(true);
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });
});
