import { describe, expect, it } from '@jest/globals';
import { addedCpu, addedCpuRatio, ratio, type MeasuredCase } from './measured.ts';

function measured(id: string, cpu: number[], throughput: number[] = []): MeasuredCase {
  const rounds = { throughput, cpu, p50: [], p99: [] };
  return { id, title: id, spec: { contender: 'ours', adapter: 'express' }, kind: 'read', isSteady: true, rounds };
}

describe('figures of a run', () => {
  // a machine that is up to five times slower in some rounds
  const slowness = [1, 3, 1.5, 5, 2];
  const times = (base: number): number[] => slowness.map((factor) => base * factor);
  const cases = [
    measured('express/bare', times(100), times(1000)),
    measured('express/ours', times(130), times(800)),
    measured('express/peer', times(200), times(500)),
  ];

  it('are compared within each round: what slows both down does not widen the interval', () => {
    const { value, low, high } = ratio(cases, 'throughput', 'express/ours', 'express/peer');
    for (const each of [value, low, high]) expect(each).toBeCloseTo(1.6);
  });

  it('count what is added to the bare route of the same round', () => {
    expect(addedCpu(cases, 'express/ours')).toEqual({ value: 60, low: 30, high: 150 });
    const { value, low, high } = addedCpuRatio(cases, 'express/ours', 'express/peer');
    for (const each of [value, low, high]) expect(each).toBeCloseTo(0.3);
  });

  it('are not made up of a case that was not measured', () => {
    expect(() => ratio(cases, 'cpu', 'express/ours', 'express/absent')).toThrow('nothing was measured');
  });
});
