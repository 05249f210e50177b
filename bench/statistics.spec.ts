import { describe, expect, it } from '@jest/globals';
import { estimateOf, exact, median, verdictOf } from './statistics.ts';

/** Values around a median of 1, the same ones in each run of the tests: a linear congruential generator. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return 0.9 + (0.2 * state) / 2 ** 31;
  };
}

describe('the median', () => {
  it('is the middle value, or the mean of the two in the middle', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([9, 1, 5, 7])).toBe(6);
  });
});

describe('the estimate of a figure', () => {
  it('is the median of its rounds, with an interval around it', () => {
    const { value, low, high } = estimateOf([0.98, 1.02, 0.99, 1.05, 0.97, 1.01, 1, 1.03, 0.96]);
    expect(value).toBe(1);
    expect([low, high]).toEqual([0.98, 1.02]);
  });

  it('is the same again for the same rounds', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const rounds = Array.from({ length: 40 }, noise(seed));
      expect(estimateOf(rounds)).toEqual(estimateOf([...rounds]));
    }
    const { low, high } = estimateOf(Array.from({ length: 40 }, noise(1)));
    expect(low).toBeCloseTo(0.983737254, 9);
    expect(high).toBeCloseTo(1.026399374, 9);
  });

  it('holds the true median nine times out of ten', () => {
    const runs = 100;
    let held = 0;
    for (let run = 0; run < runs; run++) {
      const { low, high } = estimateOf(Array.from({ length: 15 }, noise(1000 * run + 1)));
      if (low <= 1 && 1 <= high) held += 1;
    }
    expect(held / runs).toBeGreaterThan(0.83);
    expect(held / runs).toBeLessThan(0.97);
  });

  it('is narrower with more rounds', () => {
    const width = (rounds: number): number => {
      const { low, high } = estimateOf(Array.from({ length: rounds }, noise(3)));
      return high - low;
    };
    expect(width(60)).toBeLessThan(0.6 * width(10));
  });

  it('is not moved by one disturbed round', () => {
    const { high } = estimateOf([1, 1.01, 0.99, 1.02, 0.98, 1, 1.01, 0.99, 5]);
    expect(high).toBeLessThan(1.05);
  });

  it('is open on both sides with fewer than five rounds', () => {
    expect(estimateOf([1, 1, 1, 1])).toEqual({ value: 1, low: -Infinity, high: Infinity });
    expect(estimateOf([1, 1, 1, 1, 1])).toEqual({ value: 1, low: 1, high: 1 });
  });
});

describe('the verdict on a target', () => {
  it('is met or missed when the whole interval is on one side of what is asked', () => {
    const found = { value: 0.95, low: 0.93, high: 0.97 };
    expect(verdictOf(found, { atLeast: 0.92 })).toBe('met');
    expect(verdictOf(found, { atLeast: 0.98 })).toBe('missed');
    expect(verdictOf(found, { atMost: 0.98 })).toBe('met');
    expect(verdictOf(found, { atMost: 0.92 })).toBe('missed');
  });

  it('is not resolved when what is asked lies within the interval, whatever the median', () => {
    expect(verdictOf({ value: 0.96, low: 0.93, high: 0.97 }, { atLeast: 0.95 })).toBe('not resolved');
    expect(verdictOf({ value: 0.94, low: 0.93, high: 0.97 }, { atLeast: 0.95 })).toBe('not resolved');
    expect(verdictOf({ value: 0.94, low: 0.93, high: 0.97 }, { atMost: 0.95 })).toBe('not resolved');
  });

  it('is met by what is asked itself', () => {
    expect(verdictOf(exact(1), { atMost: 1 })).toBe('met');
    expect(verdictOf(exact(1), { atLeast: 1 })).toBe('met');
    expect(verdictOf({ value: 0.9, low: 0.8, high: 1 }, { atLeast: 1 })).toBe('not resolved');
  });

  it('is not resolved with too few rounds', () => {
    expect(verdictOf(estimateOf([2, 2, 2]), { atLeast: 1 })).toBe('not resolved');
  });
});
