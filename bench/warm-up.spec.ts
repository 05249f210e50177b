import { describe, expect, it } from '@jest/globals';
import { isSteady, untilSteady } from './warm-up.ts';

describe('a warm-up', () => {
  it('takes a figure for steady when its last values are within 5 % of those before', () => {
    expect(isSteady([100, 60, 41, 40, 40, 41, 40, 39])).toBe(true);
    expect(isSteady([100, 80, 60, 50, 45, 42])).toBe(false);
    expect(isSteady([40, 40, 40, 50, 50, 50])).toBe(false);
  });

  it('is not deceived by one disturbed value', () => {
    expect(isSteady([40, 41, 40, 40, 95, 41])).toBe(true);
  });

  it('knows nothing before six values', () => {
    expect(isSteady([40, 40, 40, 40, 40])).toBe(false);
  });

  it('measures until the figure is steady, and no more', async () => {
    const figures = [200, 100, 60, 50, 45, 42, 41, 41, 41, 41, 41];
    let measured = 0;
    expect(await untilSteady(async () => figures[measured++]!, 20)).toBe(true);
    expect(measured).toBe(10);
  });

  it('gives up a figure that does not come to rest', async () => {
    let measured = 0;
    expect(await untilSteady(async () => 2 ** measured++, 12)).toBe(false);
    expect(measured).toBe(12);
  });
});
