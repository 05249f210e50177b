import { describe, expect, it } from '@jest/globals';
import { checkFinality } from '../support/finality-history.js';

describe('the check of a history of ends and requests', () => {
  const request = (sent: number, isAdmitted: boolean): { session: string; sent: number; isAdmitted: boolean } => ({
    session: 'one',
    sent,
    isAdmitted,
  });
  const ends = new Map([['one', 1000]]);

  it('accepts admissions up to the bound after the end, and reports how late they were', () => {
    const requests = [request(900, true), request(1100, true), request(1250, true), request(1300, false)];
    expect(checkFinality({ ends, requests }, 250)).toEqual({
      ends: 1,
      requests: 4,
      admittedAfterEnd: 2,
      latest: 250,
      seenLiveAndEnded: 1,
      violations: [],
    });
  });

  it('finds a request that was admitted later than that', () => {
    const late = request(1251, true);
    expect(checkFinality({ ends, requests: [request(900, true), late] }, 250)).toMatchObject({
      latest: 251,
      seenLiveAndEnded: 0,
      violations: [late],
    });
  });
});
