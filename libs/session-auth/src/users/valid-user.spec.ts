import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkedUser, checkedUserIfAny, userIdOf } from './valid-user.js';

const INVALID = expect.objectContaining({ code: 'invalid_user', statusCode: 500 }) as object;

/** Values that get into an id by mistake, each the same text for many accounts. */
const NO_IDS = [
  undefined,
  null,
  '',
  NaN,
  Infinity,
  1.5,
  2 ** 53,
  {},
  [],
  ['a'],
  true,
  () => 'a',
  Symbol('a'),
  new Date(),
];

describe('the id of a user', () => {
  it('is kept as its text', () => {
    expect(['alice', '0', ' ', 7, 0, -3, 2n ** 80n].map((id) => userIdOf(id))).toEqual([
      'alice',
      '0',
      ' ',
      '7',
      '0',
      '-3',
      '1208925819614629174706176',
    ]);
  });

  it.each(NO_IDS.map((id) => [id]))('is not %p', (id) => {
    expect(() => userIdOf(id)).toThrow(INVALID);
    expect(() => checkedUser({ id: id as string })).toThrow(INVALID);
  });

  it('is text without lone surrogates, which are one and the same in UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '\ud83d', '\ude00', '😀'), minLength: 1 }), (id) => {
        const isSame = Buffer.from(id).toString() === id;
        if (isSame) expect(userIdOf(id)).toBe(id);
        else expect(() => userIdOf(id)).toThrow(INVALID);
      }),
    );
  });

  it('is never in the message of a refusal, which tells what to give instead', () => {
    expect(() => userIdOf('secret\ud800')).not.toThrow(/secret/);
    expect(() => userIdOf({ toString: () => 'secret' })).toThrow(/String\(id\) for an object/);
  });
});

describe('a user', () => {
  it.each([
    [{ id: 1 }],
    [{ id: 'a', roles: null, email: null }],
    [{ id: 'a', roles: [], email: '' }],
    [{ id: 5n, roles: ['admin', ''], email: 'a@example.com' }],
  ])('of %p may sign in, and is left as it is', (user) => {
    expect(checkedUser(user)).toBe(user);
    expect(checkedUserIfAny(user)).toBe(user);
  });

  it.each([
    ['a string', 'admin'],
    ['one thing', { name: 'admin' }],
    ['a list of things', [{ name: 'admin' }]],
    ['a list with a hole', [undefined]],
    ['a set', new Set(['admin'])],
    ['a number', 1],
    ['a lone surrogate', ['\udc00']],
  ])('has no roles that are %s', (_what, roles) => {
    expect(() => checkedUser({ id: 'a', roles: roles as unknown as string[] })).toThrow(INVALID);
  });

  it.each([1, {}, ['a@example.com']])('has no address that is %p', (email) => {
    expect(() => checkedUser({ id: 'a', email: email as string })).toThrow(INVALID);
  });

  it.each([undefined, null, 'alice', 7])('is not %p', (user) => {
    expect(() => checkedUser(user as unknown as { id: string })).toThrow(INVALID);
  });

  it('may be nobody where one was looked up', () => {
    expect([checkedUserIfAny(undefined), checkedUserIfAny(null)]).toEqual([undefined, undefined]);
  });
});
