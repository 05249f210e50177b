import { describe, expect, it } from '@jest/globals';
import { isConflict, isNotMigrated, sqlStateOf } from './sql-state.js';

/** An error with the fields that the `pg` driver gives to one of the server. */
function refusal(code: string): Error {
  return Object.assign(new Error('refused'), { severity: 'ERROR', code });
}

describe('the SQLSTATE of a failure', () => {
  it('is what the server refused with, and nothing for failures of the network', () => {
    expect(sqlStateOf(refusal('40001'))).toBe('40001');
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', errno: -104, syscall: 'read' });
    const broken = Object.assign(new Error('write EPIPE'), { code: 'EPIPE', errno: -32, syscall: 'write' });
    for (const failure of [reset, broken, new Error('Query read timeout'), 'a text', undefined]) {
      expect(sqlStateOf(failure)).toBeUndefined();
    }
  });

  it('tells conflicts, which are worth another try, from tables that are missing, and both from all else', () => {
    const kinds = ['40001', '40P01', '42P01', '42703', '3F000', '23505'].map(refusal);
    expect(kinds.map(isConflict)).toEqual([true, true, false, false, false, false]);
    expect(kinds.map(isNotMigrated)).toEqual([false, false, true, true, true, false]);
  });
});
