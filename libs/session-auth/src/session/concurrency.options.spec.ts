import { describe, expect, it } from '@jest/globals';
import { isSessionLimit } from './concurrency.options.js';

describe('isSessionLimit', () => {
  it.each([1, 3, 1_000_000, Infinity])('takes %p', (value) => expect(isSessionLimit(value)).toBe(true));
  it.each([0, -1, -Infinity, 1.5, Number.NaN, '3', null, undefined, true, 3n])('refuses %p', (value) => {
    expect(isSessionLimit(value)).toBe(false);
  });
});
