import { describe, expect, it } from '@jest/globals';
import { corruptRecord, ifReadable } from './corrupt-record.js';

describe('a stored record that cannot be read', () => {
  it('is an error with a code of its own, and the cause', () => {
    const cause = new SyntaxError('no JSON');
    expect(corruptRecord(cause)).toMatchObject({ code: 'corrupt_session_record', cause });
  });

  it('is left out where other records are read with it, and no other failure is', () => {
    const failure = new Error('connection lost');
    const throwing = (error: Error) => () => {
      throw error;
    };
    expect(ifReadable(() => 'a record')).toBe('a record');
    expect(ifReadable(throwing(corruptRecord()))).toBeUndefined();
    expect(() => ifReadable(throwing(failure))).toThrow(failure);
  });
});
