import { describe, expect, it } from '@jest/globals';
import { DatabaseError } from 'pg';
import { sqlStateOf } from './postgres-connections.js';

describe('what a statement failed with', () => {
  it('is the word of the server, or none of it', () => {
    const refused = new DatabaseError('could not serialize access', 0, 'error');
    Object.assign(refused, { severity: 'ERROR', code: '40001' });
    expect(sqlStateOf(refused)).toBe('40001');
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', errno: -104, syscall: 'read' });
    const broken = Object.assign(new Error('write EPIPE'), { code: 'EPIPE', errno: -32, syscall: 'write' });
    for (const failure of [reset, broken, new Error('Query read timeout'), 'a text', undefined]) {
      expect(sqlStateOf(failure)).toBeUndefined();
    }
  });
});
