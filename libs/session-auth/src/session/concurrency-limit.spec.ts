import { describe, expect, it } from '@jest/globals';
import type { SessionUser } from '../users/session-user-provider.js';
import { admissionFor } from './concurrency-limit.js';
import { ON_LIMIT_VALUES, type UserLimit } from './concurrency.options.js';

const USER: SessionUser = { id: 'alice', roles: ['customer'] };

describe('admissionFor', () => {
  it('takes a number as it is', async () => {
    expect(await admissionFor({ max: 2, onLimit: 'reject' }, USER)).toEqual({ max: 2, onLimit: 'reject' });
  });

  it('asks a function of the user, at once or later', async () => {
    const max = (user: SessionUser): UserLimit => (user.roles?.includes('customer') ? 1 : 5);
    expect(await admissionFor({ max, onLimit: 'evict-oldest' }, USER)).toEqual({ max: 1, onLimit: 'evict-oldest' });
    const later = { max: async (user: SessionUser) => max(user), onLimit: 'reject' as const };
    expect(await admissionFor(later, { id: 1 })).toEqual({ max: 5, onLimit: 'reject' });
  });

  it.each(ON_LIMIT_VALUES)('lets the function choose %s', async (onLimit) => {
    const limit = { max: () => ({ max: Infinity, onLimit }), onLimit: 'reject' as const };
    expect(await admissionFor(limit, USER)).toEqual({ max: Infinity, onLimit });
  });

  it('keeps the onLimit of the module where the function names none', async () => {
    expect(await admissionFor({ max: () => ({ max: 7 }), onLimit: 'reject' }, USER)).toEqual({
      max: 7,
      onLimit: 'reject',
    });
  });

  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [Number.NaN, 'NaN'],
    [0, '0'],
    ['3', "'3'"],
    [3n, '3n'],
    [{}, '{}'],
    [{ max: 2.5 }, '2.5'],
    [{ max: 3, onLimit: 'evict' }, "'evict'"],
  ])('refuses the answer %p and says so', async (answer, shown) => {
    const limit = { max: () => answer as UserLimit, onLimit: 'evict-oldest' as const };
    await expect(admissionFor(limit, USER)).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: expect.stringMatching(/^concurrency: .*whole number from 1.*evict-oldest, evict-least-recent, reject/),
    });
    await expect(admissionFor(limit, USER)).rejects.toThrow(shown);
  });

  it('passes the failure of the function on', async () => {
    const limit = { max: () => Promise.reject(new Error('no answer')), onLimit: 'reject' as const };
    await expect(admissionFor(limit, USER)).rejects.toThrow('no answer');
  });
});
