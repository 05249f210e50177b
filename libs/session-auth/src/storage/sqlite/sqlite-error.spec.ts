import { describe, expect, it } from '@jest/globals';
import { isBusy } from './sqlite-error.js';

describe('isBusy', () => {
  it.each([{ code: 'SQLITE_BUSY' }, { code: 'SQLITE_BUSY_SNAPSHOT' }, { code: 'ERR_SQLITE_ERROR', errcode: 517 }])(
    'tells a lock of another connection by %j',
    (facts) => {
      expect(isBusy(Object.assign(new Error('database is locked'), facts))).toBe(true);
    },
  );

  it.each([{ code: 'SQLITE_FULL' }, { code: 'ERR_SQLITE_ERROR', errcode: 1555 }, {}])('passes %j by', (facts) => {
    expect(isBusy(Object.assign(new Error('another failure'), facts))).toBe(false);
    expect(isBusy({ code: 'SQLITE_BUSY', ...facts })).toBe(false);
  });
});
