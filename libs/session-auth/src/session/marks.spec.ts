import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MARK_BYTES, markOfSession } from './session.js';
import { issueHandle, shardTagOf } from '../crypto/session-token.js';
import { markOfUser } from './session.js';

const userId = fc.option(fc.string(), { nil: undefined });

describe('identity marks', () => {
  it('are the same for the same user and session, and have a fixed length', () => {
    fc.assert(
      fc.property(userId, (user) => {
        const id = issueHandle();
        expect(markOfUser(user).equals(markOfUser(user))).toBe(true);
        expect(markOfSession(id, user).equals(markOfSession(id, user))).toBe(true);
        expect([markOfUser(user).length, markOfSession(id, user).length]).toEqual([MARK_BYTES, MARK_BYTES]);
      }),
    );
  });

  it('are those of the cookies that are out already', () => {
    const marks = [
      markOfUser('alice'),
      markOfUser(undefined),
      markOfSession('a', 'alice'),
      markOfSession('a', undefined),
    ];
    expect(marks.map((mark) => mark.toString('hex'))).toEqual([
      'dabd1db8d35ab13106274f61f1bf9778',
      '6382b3cc881412b77bfcaeed026001c0',
      'e40248db4281d656fe83c8dcb7be733e',
      'bf644513f2e9e29488dbacf0e1ab6282',
    ]);
  });

  it('tell apart users, also those of one shard, sessions of one user, and nobody from a user without a name', () => {
    const names = Array.from({ length: 20_000 }, (_, i) => `user ${i}`);
    const [alice, other] = names.filter((name) => shardTagOf(name) === shardTagOf('user 1'));
    expect(other).toBeDefined();
    const handles = [issueHandle(), issueHandle()];
    const marks = [alice, other, '', undefined, 'undefined', 'nobody'].flatMap((user) => [
      markOfUser(user),
      ...handles.map((id) => markOfSession(id, user)),
    ]);
    expect(new Set(marks.map((mark) => mark.toString('hex'))).size).toBe(marks.length);
  });
});
