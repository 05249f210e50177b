import { describe, expect, it } from '@jest/globals';
import type { SessionUser } from '../users/session-user-provider.js';
import { admissionFor, planAdmission, type Admission, type AdmissionPlan } from './concurrency-limit.js';
import { ON_LIMIT_VALUES, type UserLimit } from './concurrency.options.js';
import type { SessionRecord } from './session-record.js';

type Live = Pick<SessionRecord, 'id' | 'device' | 'createdAt' | 'lastActivityAt'>;

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

describe('planAdmission', () => {
  const NOW = Date.UTC(2026, 0, 1);
  const session = (id: string, changes: Partial<Live> = {}): Live => ({
    id,
    device: undefined,
    createdAt: NOW - 100,
    lastActivityAt: NOW - 100,
    ...changes,
  });
  const LIMIT: Admission = { max: 3, onLimit: 'reject' };
  const plan = (live: readonly Live[], changes: Partial<Admission> = {}, device?: string): AdmissionPlan<Live> =>
    planAdmission({ device }, live, { ...LIMIT, ...changes }, NOW);
  const admitted = (evicted: readonly Live[] = [], replaced: readonly Live[] = []): AdmissionPlan<Live> => ({
    status: 'admitted',
    evicted,
    replaced,
  });

  it('admits below the limit, and without one', () => {
    const two = [session('a'), session('b')];
    expect(plan([])).toEqual(admitted());
    expect(plan(two)).toEqual(admitted());
    expect(plan(two, { max: Infinity })).toEqual(admitted());
    expect(plan(two, { max: 2 })).toEqual({ status: 'limit_reached' });
  });

  it('evicts as many as it takes: the oldest, or those that were not used for longest', () => {
    const a = session('a', { createdAt: NOW - 1, lastActivityAt: NOW - 4 });
    const b = session('b', { createdAt: NOW - 3, lastActivityAt: NOW - 2 });
    const c = session('c', { createdAt: NOW - 2, lastActivityAt: NOW - 3 });
    const live = [a, b, c];
    expect(plan(live, { onLimit: 'evict-oldest' })).toEqual(admitted([b]));
    expect(plan(live, { onLimit: 'evict-oldest', max: 2 })).toEqual(admitted([b, c]));
    expect(plan(live, { onLimit: 'evict-least-recent', max: 2 })).toEqual(admitted([a, c]));
    // of equal sessions, the last one in a list that is sorted newest first
    expect(plan([session('z'), session('y'), session('x')], { onLimit: 'evict-oldest' })).toEqual(
      admitted([session('x')]),
    );
    expect(live).toEqual([a, b, c]);
  });

  it('has the session that the same device had replaced, which then does not count', () => {
    const [own, other, unnamed] = [session('a', { device: 'laptop' }), session('b', { device: 'phone' }), session('c')];
    expect(plan([own, other, unnamed], {}, 'laptop')).toEqual(admitted([], [own]));
    expect(plan([own, other, unnamed], {}, 'tablet')).toEqual({ status: 'limit_reached' });
    expect(plan([own, other, unnamed])).toEqual({ status: 'limit_reached' });
    const all = [own, session('d', { device: 'laptop' })];
    expect(plan(all, {}, 'laptop')).toEqual(admitted([], all));
  });

  it('shares a session that the same device has just made, and no longer than told', () => {
    const own = session('a', { device: 'laptop', createdAt: NOW - 99 });
    expect(plan([session('b'), own], { sharedFor: 100 }, 'laptop')).toEqual({ status: 'exists', id: 'a' });
    expect(plan([own], { sharedFor: 99 }, 'laptop')).toEqual(admitted([], [own]));
    expect(plan([own], { sharedFor: 100 }, 'phone')).toEqual(admitted());
    expect(plan([session('b', { createdAt: NOW })], { sharedFor: 100 })).toEqual(admitted());
  });

  it('has the session replaced that is named, unless it was used for longer than that allows', () => {
    const named = session('a', { createdAt: NOW - 100, lastActivityAt: NOW - 40 });
    const live = [named, session('b'), session('c')];
    expect(plan(live, { replaces: { id: 'a' } })).toEqual(admitted([], [named]));
    expect(plan(live, { replaces: { id: 'a', unlessUsedFor: 60 } })).toEqual(admitted([], [named]));
    expect(plan(live, { replaces: { id: 'a', unlessUsedFor: 59 } })).toEqual({ status: 'in_use' });
    expect(plan(live, { replaces: { id: 'x', unlessUsedFor: 0 } })).toEqual({ status: 'limit_reached' });
  });

  it('replaces a session once that is both named and of the device', () => {
    const own = session('a', { device: 'laptop' });
    expect(plan([own], { replaces: { id: 'a' } }, 'laptop')).toEqual(admitted([], [own]));
  });
});
