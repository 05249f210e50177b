import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  sessionServices,
  type SessionServices,
  type SessionServicesOptions,
} from '../../test/fixtures/session-services.js';
import { digestOf, issueSessionToken, shardTagOf } from '../crypto/session-token.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { SessionEventPublisher } from '../events/event-publisher.js';
import type { SessionEvent } from '../events/session-event.js';
import { MemorySessionStore } from '../storage/memory/memory-session-store.js';
import { NewSessionAnnouncer } from './new-session-announcer.js';
import type { IssuedSession } from './session-changes.js';
import type { SessionLifecycleService } from './session-lifecycle.service.js';
import type { SessionStore } from './session-store.js';
import { markOfSession, Session } from './session.js';

const START = Date.UTC(2026, 0, 1);
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const ALICE = { id: 'alice', email: 'alice@example.com', roles: ['customer'] };
const CLIENT = { ip: '192.0.2.1', userAgent: 'test/1.0' };
const SETTINGS = {
  lifetime: {
    idle: HOUR,
    absolute: 24 * HOUR,
    touchInterval: MINUTE,
    rotateEvery: undefined,
    rotationGrace: 10 * SECOND,
  },
  maxDataSize: 100,
};

let now: number;
let events: SessionEvent[];
let store: MemorySessionStore;
let lifecycle: SessionLifecycleService;

function makeServices(changes: Partial<SessionServicesOptions> = {}, on: SessionStore = store): SessionServices {
  const clock = { now: () => now };
  const publisher = new SessionEventPublisher(clock, { record: (event) => void events.push(event) });
  return sessionServices({ ...SETTINGS, store: on, clock, events: publisher, ...changes });
}

function makeLifecycle(
  changes: Partial<SessionServicesOptions> = {},
  on: SessionStore = store,
): SessionLifecycleService {
  return makeServices(changes, on).lifecycle;
}

function typesOf(published: readonly SessionEvent[]): string[] {
  return published.map((event) => event.type);
}

/** A store of which one operation does something else. */
function storeWith(operation: keyof SessionStore, instead: () => Promise<never>): SessionStore {
  const own = new MemorySessionStore();
  jest.spyOn(own, operation).mockImplementation(instead);
  return own;
}

beforeEach(() => {
  now = START;
  events = [];
  store = new MemorySessionStore();
  lifecycle = makeLifecycle();
});

describe('create', () => {
  it('shares the session of an identity, until that has another token', async () => {
    const identity = { token: issueSessionToken('alice'), id: 'h'.repeat(20) };
    const { session } = await lifecycle.create({ user: ALICE, identity });
    const again = await lifecycle.create({ user: ALICE, identity });
    expect([again.token, again.session.id]).toEqual([identity.token, session.id]);
    const newer = await lifecycle.rotate(session, { grace: 10 });
    const late = await lifecycle.create({ user: ALICE, identity });
    expect([late.token, late.session.id, lifecycle.isSuperseded(late.session)]).toEqual([
      identity.token,
      session.id,
      true,
    ]);
    now += 10;
    await expect(lifecycle.create({ user: ALICE, identity })).rejects.toMatchObject({
      code: 'session_required',
      message: 'the session has ended',
    });
    expect((await lifecycle.list('alice')).sessions).toHaveLength(1);
    expect(await lifecycle.find(newer!.token)).toBeDefined();
    expect(typesOf(events)).toEqual(['session.created', 'session.rotated']);
  });

  it('makes a session of a user, with token, deadlines and an event', async () => {
    const { token, session } = await lifecycle.create({
      user: ALICE,
      authentication: 'password',
      client: CLIENT,
      data: { theme: 'dark', gone: undefined },
    });
    expect(token).toMatch(/^[A-Za-z0-9_-]{45}$/);
    expect(token.slice(0, 2)).toBe(shardTagOf('alice'));
    expect(Session.recordOf(session)).toEqual({
      digest: digestOf(token),
      id: expect.stringMatching(/^[A-Za-z0-9_-]{20}$/),
      userId: 'alice',
      email: 'alice@example.com',
      roles: ['customer'],
      createdAt: START,
      authenticatedAt: START,
      authentication: 'password',
      rotatedAt: START,
      lastActivityAt: START,
      expiresAt: START + HOUR,
      absoluteExpiresAt: START + 24 * HOUR,
      ip: '192.0.2.1',
      userAgent: 'test/1.0',
      data: { theme: 'dark' },
    });
    expect(events).toEqual([
      {
        type: 'session.created',
        at: new Date(START),
        sessionId: session.id,
        userId: 'alice',
        authentication: 'password',
        client: CLIENT,
      },
    ]);
  });

  it('keeps what is known of a login that took place elsewhere', async () => {
    const { session } = await lifecycle.create({
      user: ALICE,
      authenticatedAt: START - HOUR,
      fingerprint: 'traits',
      newDevice: true,
    });
    expect(Session.recordOf(session)).toMatchObject({ authenticatedAt: START - HOUR, fingerprint: 'traits' });
    expect(events[0]).toMatchObject({ type: 'session.created', newDevice: true });
  });

  it('announces what it makes for a user, and neither what is nobody’s nor what was there', async () => {
    const announced = jest.spyOn(NewSessionAnnouncer.prototype, 'announce');
    const announcing = makeLifecycle({ notifier: { wants: () => false, send: () => undefined } });
    const identity = { token: issueSessionToken('alice'), id: 'h'.repeat(20) };
    const { session } = await announcing.create({ user: ALICE, identity, newDevice: false });
    await announcing.create({ user: ALICE, identity, newDevice: false });
    await announcing.create({});
    expect(announced.mock.calls).toEqual([[ALICE, session, false]]);
    announced.mockRestore();
  });

  it('makes one of a user of whom little is known', async () => {
    const { session } = await lifecycle.create({ user: { id: 7, email: null, roles: null } });
    const { userId, email, roles, authentication, ip, userAgent, data } = session;
    expect([userId, email, roles, authentication, ip, userAgent, data]).toEqual([
      '7',
      undefined,
      [],
      'custom',
      undefined,
      undefined,
      {},
    ]);
  });

  it('makes one of nobody, which no limit counts', async () => {
    const unasked = jest.fn(() => 1);
    const anonymous = makeLifecycle({ limit: { max: unasked, onLimit: 'evict-oldest' } });
    const made = jest.spyOn(store, 'create');
    const sessions = [];
    for (let count = 0; count < 5; count += 1) sessions.push(await anonymous.create({ authentication: 'password' }));
    expect(new Set(sessions.map(({ token }) => token)).size).toBe(5);
    for (const { token, session } of sessions) {
      expect([session.userId, session.authenticatedAt, session.authentication, session.roles]).toEqual([
        undefined,
        undefined,
        undefined,
        [],
      ]);
      expect(await anonymous.find(token)).toBeDefined();
    }
    expect(events[0]).toEqual({ type: 'session.created', at: new Date(START), sessionId: sessions[0]!.session.id });
    expect(unasked).not.toHaveBeenCalled();
    expect(made.mock.calls[0]![1]).toEqual({ max: Infinity, onLimit: 'reject' });
  });

  it('keeps its own copy of the roles', async () => {
    const roles = ['customer'];
    const { token } = await lifecycle.create({ user: { id: 'alice', roles } });
    roles.push('admin');
    expect((await lifecycle.find(token))?.roles).toEqual(['customer']);
  });

  it('ends the oldest at the limit, and reports it before the new one', async () => {
    const issued: IssuedSession[] = [];
    for (let login = 0; login < 4; login += 1, now += 1) {
      issued.push(await lifecycle.create({ user: ALICE, client: CLIENT }));
    }
    expect(typesOf(events)).toEqual([
      'session.created',
      'session.created',
      'session.created',
      'session.evicted',
      'session.created',
    ]);
    expect(events[3]).toEqual({
      type: 'session.evicted',
      at: new Date(START + 3),
      sessionId: issued[0]!.session.id,
      userId: 'alice',
      client: CLIENT,
    });
    expect(await lifecycle.find(issued[0]!.token)).toBeUndefined();
    expect(await lifecycle.find(issued[1]!.token)).toBeDefined();
  });

  it('asks the function of the user for the limit', async () => {
    const limited = makeLifecycle({
      limit: {
        max: (user) => (user.id === 'alice' ? { max: 1, onLimit: 'reject' } : 3),
        onLimit: 'evict-oldest',
      },
    });
    await limited.create({ user: ALICE });
    await expect(limited.create({ user: ALICE, client: CLIENT })).rejects.toMatchObject({
      code: 'session_limit_reached',
      statusCode: 409,
      message: 'this account has as many sessions as it may have',
    });
    await limited.create({ user: { id: 'bob' } });
    await limited.create({ user: { id: 'bob' } });
    expect(typesOf(events)).toEqual(['session.created', 'session.limit_reached', 'session.created', 'session.created']);
    expect(events[1]).toMatchObject({ userId: 'alice', client: CLIENT });
  });

  it('refuses data that is too large or no data, before anything is stored', async () => {
    await expect(lifecycle.create({ user: ALICE, data: { a: 'x'.repeat(100) } })).rejects.toMatchObject({
      code: 'session_data_too_large',
      statusCode: 413,
      message: expect.stringContaining('100 bytes'),
    });
    await expect(lifecycle.create({ data: { a: () => 1 } })).rejects.toMatchObject({ code: 'invalid_session_data' });
    expect(store.size).toBe(0);
    expect(events).toEqual([]);
    await lifecycle.create({ data: { a: 'x'.repeat(94) } });
  });
});

describe('find', () => {
  it('finds the session of a token and counts as activity, written at most once a touchInterval', async () => {
    const { token } = await lifecycle.create({ user: ALICE });
    now += MINUTE - 1;
    expect((await lifecycle.find(token))?.lastActivityAt.getTime()).toBe(START);
    now += 1;
    const touched = await lifecycle.find(token);
    expect(touched?.lastActivityAt.getTime()).toBe(START + MINUTE);
    expect(touched?.expiresAt.getTime()).toBe(START + MINUTE + HOUR);
  });

  it('asks no store for what has not the form of a token, and reports nothing', async () => {
    const find = jest.spyOn(store, 'find');
    for (const token of ['', 'x', '*'.repeat(45), "' OR 1=1 --", '../'.repeat(15), 'A'.repeat(46), 'A'.repeat(44)]) {
      expect(await lifecycle.find(token)).toBeUndefined();
    }
    expect(find).not.toHaveBeenCalled();
    expect(events).toEqual([]);
  });

  it('reports a token that finds nothing', async () => {
    expect(await lifecycle.find(issueSessionToken('alice'), CLIENT)).toBeUndefined();
    expect(events).toEqual([{ type: 'session.used_after_end', at: new Date(START), client: CLIENT }]);
  });

  it('reports an expired session once, and every use of its token', async () => {
    const { token, session } = await lifecycle.create({ user: ALICE });
    events.length = 0;
    now += HOUR;
    expect(await lifecycle.find(token, CLIENT)).toBeUndefined();
    expect(await lifecycle.find(token, CLIENT)).toBeUndefined();
    const at = new Date(now);
    expect(events).toEqual([
      { type: 'session.expired', at, sessionId: session.id, userId: 'alice', client: CLIENT },
      { type: 'session.used_after_end', at, client: CLIENT },
      { type: 'session.used_after_end', at, client: CLIENT },
    ]);
  });

  it('ends a session at its absolute deadline, however busy it is', async () => {
    const { token } = await lifecycle.create({ user: ALICE });
    for (; now < START + 24 * HOUR; now += 30 * MINUTE) expect(await lifecycle.find(token)).toBeDefined();
    expect(await lifecycle.find(token)).toBeUndefined();
  });

  it('answers a corrupt record as no session, with an event', async () => {
    const corrupt = new SessionAuthError('corrupt_session_record', 'unreadable');
    lifecycle = makeLifecycle(
      {},
      storeWith('find', () => Promise.reject(corrupt)),
    );
    expect(await lifecycle.find(issueSessionToken('alice'), CLIENT)).toBeUndefined();
    expect(events).toEqual([{ type: 'session.corrupt_record', at: new Date(START), client: CLIENT }]);
  });
});

describe('a record that is not the one asked for', () => {
  /** Finds the session of a token whose cookie says that it is this one. */
  const findAs = (token: string, { id, userId }: Session): Promise<Session | undefined> => {
    const sessionMark = markOfSession(id, userId);
    return makeServices().reader.read(digestOf(token), { client: CLIENT }, { mark: sessionMark });
  };
  const corrupt = { type: 'session.corrupt_record', at: new Date(START), client: CLIENT };

  it('is no session for whoever says which one it is to be, also in its grace and of the same user', async () => {
    const [mine, other] = [await lifecycle.create({ user: ALICE }), await lifecycle.create({ user: ALICE })];
    expect((await findAs(mine.token, mine.session))?.id).toBe(mine.session.id);
    await lifecycle.rotate(mine.session);
    expect((await findAs(mine.token, mine.session))?.id).toBe(mine.session.id);
    events = [];
    expect(await findAs(mine.token, other.session)).toBeUndefined();
    expect(events).toEqual([corrupt]);
  });

  it('is not carried along by a rotation', async () => {
    const { token } = await lifecycle.create({ user: ALICE });
    const session = (await lifecycle.find(token))!;
    for (const change of [{ userId: 'bob' }, { id: 'x'.repeat(20) }, { digest: digestOf(issueSessionToken('bob')) }]) {
      jest.spyOn(store, 'rotate').mockImplementationOnce((_digest, { digest }) => {
        const record = { ...Session.recordOf(session), digest, ...change };
        return Promise.resolve({ status: 'rotated', record });
      });
      events = [];
      await expect(lifecycle.rotate(session, { client: CLIENT })).rejects.toMatchObject({ code: 'session_required' });
      expect(events).toEqual([corrupt]);
      expect(session.userId).toBe('alice');
    }
  });

  it('is no session for a login that comes again', async () => {
    const identity = { token: issueSessionToken('alice'), id: 'h'.repeat(20) };
    const { session } = await lifecycle.create({ user: ALICE, identity });
    jest.spyOn(store, 'find').mockResolvedValueOnce({
      status: 'live',
      record: { ...Session.recordOf(session), userId: 'bob' },
    });
    await expect(lifecycle.create({ user: ALICE, identity, client: CLIENT })).rejects.toMatchObject({
      code: 'session_required',
    });
    expect(events.at(-1)).toEqual(corrupt);
  });

  it('is in no list', async () => {
    const { session } = await lifecycle.create({ user: ALICE });
    const { session: foreign } = await lifecycle.create({ user: { id: 'bob' } });
    jest
      .spyOn(store, 'list')
      .mockResolvedValueOnce({ records: [session, foreign].map((each) => Session.recordOf(each)) });
    const { sessions } = await lifecycle.list('alice');
    expect(sessions.map(({ id }) => id)).toEqual([session.id]);
    expect(typesOf(events).at(-1)).toBe('session.corrupt_record');
  });

  it('that cannot be read is an ended session for whoever would change it, and told', async () => {
    const { session } = await lifecycle.create({ user: ALICE });
    const unreadable = new SessionAuthError('corrupt_session_record', 'unreadable');
    jest.spyOn(store, 'update').mockRejectedValueOnce(unreadable);
    jest.spyOn(store, 'rotate').mockRejectedValueOnce(unreadable);
    events = [];
    await expect(session.update({ a: 1 })).rejects.toMatchObject({ code: 'session_required' });
    await expect(lifecycle.rotate(session)).rejects.toMatchObject({ code: 'session_required' });
    expect(typesOf(events)).toEqual(['session.corrupt_record', 'session.corrupt_record']);
  });
});

describe('a store that fails', () => {
  const session = new Session(
    {
      digest: digestOf(issueSessionToken('alice')),
      id: 'A'.repeat(20),
      userId: 'alice',
      roles: [],
      createdAt: START,
      rotatedAt: START,
      lastActivityAt: START,
      expiresAt: START + HOUR,
      absoluteExpiresAt: START + HOUR,
      data: {},
    },
    { update: () => Promise.reject(new Error('not asked for')) },
  );

  it.each<[keyof SessionStore, (lifecycle: SessionLifecycleService) => Promise<unknown>]>([
    ['create', (service) => service.create({ user: ALICE })],
    ['find', (service) => service.find(issueSessionToken('alice'))],
    ['rotate', (service) => service.rotate(session)],
    ['rotate', (service) => service.renew(session, { user: ALICE, authentication: 'password' })],
    ['rotate', (service) => service.reauthenticated(session, { user: ALICE, authentication: 'password' })],
    ['delete', (service) => service.destroy(issueSessionToken('alice'))],
    ['delete', (service) => service.destroySession(session, 'logout')],
    ['list', (service) => service.list('alice')],
    ['deleteByHandle', (service) => service.revoke('alice', 'A'.repeat(20))],
    ['deleteByUser', (service) => service.revokeAll('alice')],
    ['deleteByUser', (service) => service.revokeOthers('alice', 'A'.repeat(20))],
    ['updateByUser', (service) => service.updateUser('alice', { roles: [] })],
  ])('at %s is told as unavailable, never as absence, and nothing is reported', async (operation, call) => {
    const failing = makeLifecycle(
      {},
      storeWith(operation, () => Promise.reject(new Error('ECONNREFUSED'))),
    );
    await expect(call(failing)).rejects.toMatchObject({
      code: 'session_store_unavailable',
      cause: new Error('ECONNREFUSED'),
    });
    expect(events).toEqual([]);
  });

  it('at update is told as unavailable', async () => {
    const { session: own } = await lifecycle.create({ user: ALICE });
    jest.spyOn(store, 'update').mockRejectedValue(new Error('ECONNREFUSED'));
    await expect(own.update({ a: 1 })).rejects.toMatchObject({ code: 'session_store_unavailable' });
  });

  it('or never answers is given up after storeTimeout', async () => {
    jest.useFakeTimers();
    try {
      const hanging = makeLifecycle(
        { storeTimeout: 500 },
        storeWith('find', () => new Promise(() => undefined)),
      );
      const outcome = expect(hanging.find(issueSessionToken('alice'))).rejects.toMatchObject({
        code: 'session_store_unavailable',
      });
      await jest.advanceTimersByTimeAsync(501);
      await outcome;
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('update', () => {
  it('merges by key, removes with undefined, and shows what the store has', async () => {
    const { token, session } = await lifecycle.create({ user: ALICE, data: { a: 1, b: 2 } });
    const parallel = (await lifecycle.find(token))!;
    await parallel.update({ c: 3 });
    await lifecycle.update(session, { b: undefined, d: new Date(0) });
    const merged = { a: 1, c: 3, d: '1970-01-01T00:00:00.000Z' };
    expect(session.data).toEqual(merged);
    expect((await lifecycle.find(token))?.data).toEqual(merged);
    expect(parallel.data).toEqual({ a: 1, b: 2, c: 3 });
  });

  it('does not bring an ended session back', async () => {
    const { token, session } = await lifecycle.create({ user: ALICE });
    await lifecycle.destroy(token);
    await expect(session.update({ a: 1 })).rejects.toMatchObject({ code: 'session_required', statusCode: 401 });
    expect(store.size).toBe(0);
  });

  it('refuses what is too large, and what is no data, and changes nothing', async () => {
    const { token, session } = await lifecycle.create({ user: ALICE, data: { a: 1 } });
    await expect(session.update({ b: 'x'.repeat(100) })).rejects.toMatchObject({ code: 'session_data_too_large' });
    await expect(session.update([] as never)).rejects.toMatchObject({ code: 'invalid_session_data' });
    expect(session.data).toEqual({ a: 1 });
    expect((await lifecycle.find(token))?.data).toEqual({ a: 1 });
  });

  it('reaches the session by a replaced token in its grace', async () => {
    const { token, session } = await lifecycle.create({ user: ALICE });
    const late = (await lifecycle.find(token))!;
    const issued = (await lifecycle.rotate(session))!;
    await late.update({ a: 1 });
    expect((await lifecycle.find(issued.token))?.data).toEqual({ a: 1 });
  });
});

describe('rotate', () => {
  it('gives a new token, keeps handle, deadlines and data, carries the session along, and tells', async () => {
    const { token, session } = await lifecycle.create({ user: ALICE, data: { a: 1 } });
    const { id, createdAt, absoluteExpiresAt } = session;
    events.length = 0;
    now += MINUTE;
    const issued = (await lifecycle.rotate(session, { client: CLIENT }))!;
    expect(issued.token).not.toBe(token);
    expect(issued.token.slice(0, 2)).toBe(token.slice(0, 2));
    expect(issued.session).toBe(session);
    expect(Session.recordOf(session).digest).toBe(digestOf(issued.token));
    expect(events).toEqual([
      {
        type: 'session.rotated',
        at: new Date(now),
        sessionId: id,
        userId: 'alice',
        reason: 'requested',
        client: CLIENT,
      },
    ]);
    const found = (await lifecycle.find(issued.token))!;
    expect([found.id, found.createdAt, found.absoluteExpiresAt, found.data]).toEqual([
      id,
      createdAt,
      absoluteExpiresAt,
      { a: 1 },
    ]);
  });

  it('honours the old token for rotationGrace, but does not rotate it again', async () => {
    const { token, session } = await lifecycle.create({ user: ALICE });
    await lifecycle.rotate(session);
    now += 10 * SECOND - 1;
    const late = (await lifecycle.find(token))!;
    expect(late.id).toBe(session.id);
    expect([lifecycle.isSuperseded(late), lifecycle.isSuperseded(session)]).toEqual([true, false]);
    events.length = 0;
    expect(await lifecycle.rotate(late)).toBeUndefined();
    expect(events).toEqual([]);
    now += 1;
    expect(await lifecycle.find(token)).toBeUndefined();
  });

  it('ends the old token at once with a grace of 0', async () => {
    const { token, session } = await lifecycle.create({ user: ALICE });
    await lifecycle.rotate(session, { grace: 0, reason: 'roles_changed' });
    expect(await lifecycle.find(token)).toBeUndefined();
  });

  it('lets one of two parallel rotations win', async () => {
    const { token } = await lifecycle.create({ user: ALICE });
    const [first, second] = [(await lifecycle.find(token))!, (await lifecycle.find(token))!];
    const outcomes = await Promise.all([lifecycle.rotate(first), lifecycle.rotate(second)]);
    expect(outcomes.filter((outcome) => outcome !== undefined)).toHaveLength(1);
  });

  it('is an error for a session that has ended', async () => {
    const { token, session } = await lifecycle.create({ user: ALICE });
    await lifecycle.destroy(token);
    events.length = 0;
    await expect(lifecycle.rotate(session)).rejects.toMatchObject({ code: 'session_required' });
    expect(events).toEqual([]);
  });

  it('gives a session of nobody a token of the same shard', async () => {
    const { token, session } = await lifecycle.create({});
    // without a user the tag is all that finds the shard again
    const issued = (await lifecycle.rotate(session))!;
    expect(await lifecycle.find(issued.token)).toBeDefined();
    expect(issued.token.slice(0, 2)).toBe(token.slice(0, 2));
  });
});

describe('renew', () => {
  it('makes a fresh login of a session: new deadlines, present account and client; data stays', async () => {
    const { token, session } = await lifecycle.create({ user: ALICE, client: CLIENT, data: { a: 1 } });
    events.length = 0;
    now += HOUR / 2;
    const client = { ip: '192.0.2.2', userAgent: 'other/1.0' };
    const user = { id: 'alice', email: 'new@example.com', roles: ['customer', 'admin'] };
    const login = { user, authentication: 'password' as const, client, fingerprint: 'traits of the login' };
    const issued = (await lifecycle.renew(session, login))!;
    expect(await lifecycle.find(token)).toBeUndefined();
    expect(Session.recordOf((await lifecycle.find(issued.token))!)).toEqual({
      digest: digestOf(issued.token),
      id: session.id,
      userId: 'alice',
      email: 'new@example.com',
      roles: ['customer', 'admin'],
      createdAt: now,
      authenticatedAt: now,
      authentication: 'password',
      rotatedAt: now,
      lastActivityAt: now,
      expiresAt: now + HOUR,
      absoluteExpiresAt: now + 24 * HOUR,
      ...client,
      fingerprint: 'traits of the login',
      data: { a: 1 },
    });
    expect(events[0]).toMatchObject({ type: 'session.rotated', reason: 'login', client });
  });

  it('leaves nothing of further factors: the login has proved none', async () => {
    const { session } = await lifecycle.create({ user: ALICE });
    const proved = (await lifecycle.factorCompleted(session, 'totp'))!;
    const issued = await lifecycle.renew(proved.session, { user: ALICE, authentication: 'password' });
    expect((await lifecycle.find(issued!.token))!.factors).toEqual({});
  });

  it('takes roles and e-mail address away from a user who has none left', async () => {
    const { session } = await lifecycle.create({ user: ALICE });
    expect(session.email).toBe(ALICE.email);
    const issued = await lifecycle.renew(session, { user: { id: 'alice' }, authentication: 'custom' });
    const found = (await lifecycle.find(issued!.token))!;
    expect([found.roles, found.email, found.toJSON().email]).toEqual([[], undefined, undefined]);
  });
});

describe('reauthenticated', () => {
  it('renews authenticatedAt and keeps the absolute deadline', async () => {
    const { token, session } = await lifecycle.create({ user: ALICE, authentication: 'remember-me' });
    events.length = 0;
    now += HOUR / 2;
    const issued = (await lifecycle.reauthenticated(session, {
      user: { id: 'alice', email: 'new@example.com', roles: ['customer', 'admin'] },
      authentication: 'password',
      client: CLIENT,
      fingerprint: 'traits',
    }))!;
    const { email, roles, fingerprint } = Session.recordOf(issued.session);
    expect([email, roles, fingerprint]).toEqual(['new@example.com', ['customer', 'admin'], 'traits']);
    expect(await lifecycle.find(token)).toBeUndefined();
    const { authenticatedAt, authentication, createdAt, absoluteExpiresAt } = (await lifecycle.find(issued.token))!;
    expect([authenticatedAt, authentication, createdAt, absoluteExpiresAt]).toEqual([
      new Date(now),
      'password',
      new Date(START),
      new Date(START + 24 * HOUR),
    ]);
    expect(events[0]).toMatchObject({ type: 'session.rotated', reason: 'reauthentication', client: CLIENT });
  });
});

describe('a login that says more of itself', () => {
  const upstream = { sid: 'sid' };
  const at = (record: Session): unknown => Session.recordOf(record).authenticatedAt;

  it('was authenticated when it says, and never later than now', async () => {
    const { session } = await lifecycle.create({ user: ALICE, authenticatedAt: START - HOUR });
    expect(at(session)).toBe(START - HOUR);
    const { session: ahead } = await lifecycle.create({ user: ALICE, authenticatedAt: START + HOUR });
    expect(at(ahead)).toBe(START);
    const login = { user: ALICE, authentication: 'custom' as const };
    await lifecycle.renew(session, { ...login, authenticatedAt: START - 1 });
    expect([at(session), session.createdAt.getTime()]).toEqual([START - 1, START]);
    await lifecycle.renew(session, { ...login, authenticatedAt: START + 1 });
    expect(at(session)).toBe(START);
  });

  it('is refused before the store is asked where it says nonsense', async () => {
    const { session } = await lifecycle.create({ user: ALICE });
    const asked = [jest.spyOn(store, 'create'), jest.spyOn(store, 'rotate'), jest.spyOn(store, 'list')];
    const refused = { code: 'invalid_configuration' };
    const login = { user: ALICE, authentication: 'custom' as const };
    for (const wrong of [{ authenticatedAt: NaN }, { upstream: { sid: '' } }]) {
      await expect(lifecycle.create({ user: ALICE, ...wrong })).rejects.toMatchObject(refused);
      await expect(lifecycle.renew(session, { ...login, ...wrong })).rejects.toMatchObject(refused);
    }
    await expect(lifecycle.create({ user: ALICE, authenticatedAt: NaN })).rejects.toThrow(
      'authenticatedAt: not a time',
    );
    await expect(lifecycle.revokeUpstream('alice', { sid: '' })).rejects.toMatchObject(refused);
    for (const call of asked) expect(call).not.toHaveBeenCalled();
  });

  it('leaves a renewed session as it is where it came of no provider, before and after', async () => {
    const { session } = await lifecycle.create({ user: ALICE });
    const rotations = jest.spyOn(store, 'rotate');
    const login = { user: ALICE, authentication: 'password' as const };
    await lifecycle.renew(session, login);
    await lifecycle.renew(session, { ...login, upstream });
    await lifecycle.reauthenticated(session, login);
    await lifecycle.renew(session, login);
    const written = rotations.mock.calls.map(([, { changes }]) => changes.upstream);
    expect(written).toEqual([undefined, expect.stringMatching(/^[\w-]{22}$/), undefined, '']);
  });
});

describe('factorCompleted', () => {
  it('records the factor under a new token, and leaves everything else as it is', async () => {
    const { token, session } = await lifecycle.create({ user: ALICE, authentication: 'remember-me', data: { a: 1 } });
    const before = Session.recordOf(session);
    events.length = 0;
    now += HOUR / 2;
    const issued = (await lifecycle.factorCompleted(session, 'totp', CLIENT))!;
    expect(await makeLifecycle({}, store).find(token)).toBeUndefined();
    const found = (await store.find(digestOf(issued.token), { now, idle: HOUR, interval: HOUR })) as { record: object };
    expect(found.record).toEqual({
      ...before,
      digest: digestOf(issued.token),
      rotatedAt: now,
      factors: { totp: now },
    });
    expect(events[0]).toMatchObject({
      type: 'session.rotated',
      reason: 'factor_completed',
      factor: 'totp',
      client: CLIENT,
    });
  });

  it('keeps the factors of before, and the time of the last proof of each', async () => {
    const { session } = await lifecycle.create({ user: ALICE });
    for (const factor of ['totp', 'passkey', 'totp']) {
      now += MINUTE;
      await lifecycle.factorCompleted(session, factor);
    }
    expect(session.factors).toEqual({ totp: new Date(now), passkey: new Date(now - MINUTE) });
    await lifecycle.reauthenticated(session, { user: ALICE, authentication: 'password' });
    expect(session.factors).toEqual({ totp: new Date(now), passkey: new Date(now - MINUTE) });
  });

  it('records nothing where another request has replaced the token, be it for a factor as well', async () => {
    const { token, session } = await lifecycle.create({ user: ALICE });
    const [late, later] = [(await lifecycle.find(token))!, (await lifecycle.find(token))!];
    await lifecycle.rotate(session);
    expect(await lifecycle.factorCompleted(late, 'totp')).toBeUndefined();
    await lifecycle.factorCompleted(session, 'passkey');
    await expect(lifecycle.factorCompleted(later, 'totp')).rejects.toMatchObject({ code: 'session_required' });
    expect((await lifecycle.list('alice')).sessions.map(({ factors }) => factors)).toEqual([
      { passkey: new Date(now) },
    ]);
  });

  it('refuses a session of nobody, and what is no name, before the store is asked', async () => {
    const { session: anonymous } = await lifecycle.create({});
    const { session } = await lifecycle.create({ user: ALICE });
    const rotations = jest.spyOn(store, 'rotate');
    await expect(lifecycle.factorCompleted(anonymous, 'totp')).rejects.toMatchObject({
      code: 'session_required',
      message: 'sign in first',
    });
    await expect(lifecycle.factorCompleted(session, '__proto__')).rejects.toMatchObject({
      code: 'invalid_configuration',
    });
    expect(rotations).not.toHaveBeenCalled();
  });
});

describe('isRotationDue', () => {
  it('is after rotateEvery, for the present token only', async () => {
    const { token, session } = await makeLifecycle().create({ user: ALICE });
    const rotating = makeLifecycle({ lifetime: { ...SETTINGS.lifetime, rotateEvery: 5 * MINUTE } });
    expect(rotating.isRotationDue(session)).toBe(false);
    now += 5 * MINUTE;
    expect([rotating.isRotationDue(session), lifecycle.isRotationDue(session)]).toEqual([true, false]);
    await rotating.rotate(session);
    expect(rotating.isRotationDue(session)).toBe(false);
    now += 5 * SECOND;
    const late = (await rotating.find(token))!;
    expect(rotating.isRotationDue(late)).toBe(false);
  });

  it('is at once for every session of a user whose roles were changed', async () => {
    const [first, second] = [await lifecycle.create({ user: ALICE }), await lifecycle.create({ user: ALICE })];
    expect(await lifecycle.updateUser('alice', { roles: ['admin'], email: 'new@example.com' })).toBe(2);
    for (const { token } of [first, second]) {
      const session = (await lifecycle.find(token))!;
      expect([session.roles, session.email, lifecycle.isRotationDue(session)]).toEqual([
        ['admin'],
        'new@example.com',
        true,
      ]);
    }
    expect(await lifecycle.updateUser('nobody', { roles: [] })).toBe(0);
  });
});

describe('destroy', () => {
  it('ends the session of a token, once, and tells', async () => {
    const { token, session } = await lifecycle.create({ user: ALICE });
    events.length = 0;
    expect(await lifecycle.destroy(token, 'logout', CLIENT)).toBe(true);
    expect(await lifecycle.destroy(token)).toBe(false);
    expect(events).toEqual([
      {
        type: 'session.destroyed',
        at: new Date(START),
        sessionId: session.id,
        userId: 'alice',
        reason: 'logout',
        client: CLIENT,
      },
    ]);
    expect(store.size).toBe(0);
  });

  it('asks no store for what has not the form of a token', async () => {
    const remove = jest.spyOn(store, 'delete');
    expect(await lifecycle.destroy('../../etc')).toBe(false);
    expect(remove).not.toHaveBeenCalled();
  });

  it('ends a session at hand, with the reason given', async () => {
    const { token, session } = await lifecycle.create({ user: ALICE });
    events.length = 0;
    expect(await lifecycle.destroySession(session, 'replaced', CLIENT)).toBe(true);
    expect(await lifecycle.destroySession(session, 'replaced')).toBe(false);
    expect(await lifecycle.find(token)).toBeUndefined();
    expect(events[0]).toMatchObject({ type: 'session.destroyed', reason: 'replaced', client: CLIENT });
  });

  it('ends a session at hand that another request has given a new token, the old one dead at once', async () => {
    const { token, session } = await lifecycle.create({ user: ALICE });
    const newer = await lifecycle.rotate((await lifecycle.find(token))!, { grace: 0 });
    expect(await lifecycle.destroySession(session, 'replaced')).toBe(true);
    expect(await lifecycle.find(newer!.token)).toBeUndefined();
    expect(await lifecycle.destroySession(session, 'replaced')).toBe(false);
    const nobody = await lifecycle.create({});
    expect(await lifecycle.destroySession(nobody.session, 'replaced')).toBe(true);
    expect(await lifecycle.destroySession(nobody.session, 'replaced')).toBe(false);
  });

  it('says logout unless told otherwise', async () => {
    const { token } = await lifecycle.create({ user: ALICE });
    await lifecycle.destroy(token);
    expect(events.at(-1)).toMatchObject({ type: 'session.destroyed', reason: 'logout' });
  });
});

describe('list', () => {
  const many = (): SessionLifecycleService => makeLifecycle({ limit: { max: Infinity, onLimit: 'reject' } });

  it('answers live sessions by pages, newest first', async () => {
    const ids: string[] = [];
    for (let login = 0; login < 5; login += 1, now += SECOND) {
      ids.unshift((await many().create({ user: ALICE })).session.id);
    }
    const first = await many().list('alice', { limit: 2 });
    const second = await many().list('alice', { limit: 2, cursor: first.next });
    const third = await many().list('alice', { limit: 2, cursor: second.next });
    expect([first, second, third].map(({ sessions }) => sessions.map(({ id }) => id))).toEqual([
      ids.slice(0, 2),
      ids.slice(2, 4),
      ids.slice(4),
    ]);
    expect(third.next).toBeUndefined();
    expect((await many().list('bob')).sessions).toEqual([]);
  });

  it('hands out sessions that can be updated', async () => {
    const { token } = await lifecycle.create({ user: ALICE });
    const { sessions } = await lifecycle.list('alice');
    await sessions[0]!.update({ a: 1 });
    expect((await lifecycle.find(token))?.data).toEqual({ a: 1 });
  });

  it.each([
    [undefined, 100],
    [Number.NaN, 100],
    [0, 1],
    [-5, 1],
    [2.9, 2],
    [1000, 1000],
    [Infinity, 1000],
  ])('asks the store for a page of %p as %i', async (limit, asked) => {
    const list = jest.spyOn(store, 'list');
    await lifecycle.list('alice', { limit });
    expect(list).toHaveBeenCalledWith('alice', { limit: asked, cursor: undefined }, START);
  });

  it('refuses a cursor that no page was answered with', async () => {
    await expect(lifecycle.list('alice', { cursor: 'x' })).rejects.toMatchObject({ code: 'invalid_request' });
  });
});

describe('revoke', () => {
  it("ends one of the user's own sessions, and no other user's", async () => {
    const { session } = await lifecycle.create({ user: ALICE });
    events.length = 0;
    expect(await lifecycle.revoke('bob', session.id)).toBe(false);
    expect(await lifecycle.revoke('alice', 'unknown')).toBe(false);
    expect(events).toEqual([]);
    expect(await lifecycle.revoke('alice', session.id, undefined, CLIENT)).toBe(true);
    expect(events).toEqual([
      {
        type: 'session.destroyed',
        at: new Date(START),
        sessionId: session.id,
        userId: 'alice',
        reason: 'revoked',
        client: CLIENT,
      },
    ]);
  });

  it('ends all others but one, or all, and tells of each', async () => {
    const issued: IssuedSession[] = [];
    for (let login = 0; login < 3; login += 1) issued.push(await lifecycle.create({ user: ALICE }));
    await lifecycle.create({ user: { id: 'bob' } });
    events.length = 0;
    expect(await lifecycle.revokeOthers('alice', issued[1]!.session.id)).toBe(2);
    expect(await lifecycle.find(issued[1]!.token)).toBeDefined();
    expect(await lifecycle.revokeAll('alice', 'credentials_changed', CLIENT)).toBe(1);
    expect(await lifecycle.revokeAll('alice')).toBe(0);
    expect(events.map((event) => ('reason' in event ? event.reason : event.type))).toEqual([
      'revoked',
      'revoked',
      'credentials_changed',
    ]);
    expect(store.size).toBe(1);
    expect(await lifecycle.revokeAll('bob')).toBe(1);
    expect(events.at(-1)).toMatchObject({ userId: 'bob', reason: 'revoked' });
  });

  it('goes on in steps until none is left', async () => {
    const many = makeLifecycle({ limit: { max: Infinity, onLimit: 'reject' } });
    for (let login = 0; login < 2500; login += 1) await many.create({ user: ALICE });
    events.length = 0;
    const steps = jest.spyOn(store, 'deleteByUser');
    expect(await many.revokeAll('alice')).toBe(2500);
    expect(steps).toHaveBeenCalledTimes(3);
    expect(steps.mock.calls.every(([, { limit }]) => limit === 1000)).toBe(true);
    expect(new Set(events.map((event) => 'sessionId' in event && event.sessionId)).size).toBe(2500);
  });

  it('tells of what was ended before a later step failed', async () => {
    const many = makeLifecycle({ limit: { max: Infinity, onLimit: 'reject' } });
    for (let login = 0; login < 1500; login += 1) await many.create({ user: ALICE });
    events.length = 0;
    const first = await store.deleteByUser('alice', { limit: 1000 }, now);
    jest.spyOn(store, 'deleteByUser').mockResolvedValueOnce(first).mockRejectedValueOnce(new Error('gone'));
    await expect(many.revokeAll('alice')).rejects.toMatchObject({ code: 'session_store_unavailable' });
    expect(events).toHaveLength(1000);
  });
});

it('no event holds a token, a digest or session data', async () => {
  const { token, session } = await lifecycle.create({ user: ALICE, client: CLIENT, data: { pin: 'private-data' } });
  const rotated = (await lifecycle.rotate(session, { client: CLIENT }))!;
  await lifecycle.destroy(rotated.token);
  await lifecycle.find(token);
  const text = JSON.stringify(events);
  for (const secret of [token, rotated.token, digestOf(token), digestOf(rotated.token), 'private-data']) {
    expect(text).not.toContain(secret);
  }
  expect(typesOf(events)).toEqual([
    'session.created',
    'session.rotated',
    'session.destroyed',
    'session.used_after_end',
  ]);
});
