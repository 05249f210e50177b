import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MARK_BYTES, markOfUser, shardTagOf } from './session-token.js';

describe('the mark of a user', () => {
  it('is always the same, and of a fixed length', () => {
    fc.assert(
      fc.property(fc.option(fc.string(), { nil: undefined }), (user) => {
        expect(markOfUser(user).equals(markOfUser(user))).toBe(true);
        expect(markOfUser(user)).toHaveLength(MARK_BYTES);
      }),
    );
  });

  it('is that of the cookies that are out already', () => {
    expect(['alice', undefined].map((user) => markOfUser(user).toString('hex'))).toEqual([
      'dabd1db8d35ab13106274f61f1bf9778',
      '6382b3cc881412b77bfcaeed026001c0',
    ]);
  });

  it('tells apart users, also those of one shard, and nobody from a user without a name', () => {
    const names = Array.from({ length: 20_000 }, (_, i) => `user ${i}`);
    const [alice, other] = names.filter((name) => shardTagOf(name) === shardTagOf('user 1'));
    expect(other).toBeDefined();
    const marks = [alice, other, '', undefined, 'undefined', 'nobody'].map(markOfUser);
    expect(new Set(marks.map((mark) => mark.toString('hex'))).size).toBe(marks.length);
  });
});
