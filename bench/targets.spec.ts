import { describe, expect, it } from '@jest/globals';
import { judgementsTable } from './report/tables.ts';
import { estimateOf, exact } from './statistics.ts';
import { atLeast, atMost, untouchedWrites } from './targets.ts';

describe('the table of targets', () => {
  const rowOf = (judgement: Parameters<typeof judgementsTable>[0][number]): string =>
    judgementsTable([judgement]).split('\n').at(-1)!;

  it('says of each target what was asked, what was found with its interval, and the verdict', () => {
    const rounds = estimateOf([0.9, 0.95, 1, 1.05, 1.1]);
    expect(rowOf(atLeast('throughput', 0.88, rounds))).toBe(
      '| throughput | at least 0.88 | 1.00 (0.90 to 1.10) | met |',
    );
    expect(rowOf(atLeast('throughput', 0.92, rounds))).toBe(
      '| throughput | at least 0.92 | 1.00 (0.90 to 1.10) | not resolved |',
    );
    expect(rowOf(atMost('added CPU', 0.5, rounds))).toBe(
      '| added CPU | at most 0.50 | 1.00 (0.90 to 1.10) | **missed** |',
    );
  });

  it('shows counts without an interval', () => {
    expect(rowOf(atMost('commands', 1, exact(0.1036)))).toBe('| commands | at most 1.00 | 0.104 | met |');
  });
});

describe('writes inside touchInterval', () => {
  it('are known when they were counted in less than a minute, and not otherwise', () => {
    expect(untouchedWrites({ roundTrips: 1, writes: 0, milliseconds: 59_000 })).toEqual(exact(0));
    expect(untouchedWrites({ roundTrips: 1, writes: 0.08, milliseconds: 61_000 })).toEqual({
      value: 0.08,
      low: -Infinity,
      high: Infinity,
    });
  });
});
