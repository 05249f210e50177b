import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ALICE, CLIENT, HOUR, MINUTE, SECOND, SessionScene, START } from '../../test/fixtures/session-scene.js';
import { DEFAULT_KEYS, type SessionServicesOptions } from '../../test/fixtures/session-services.js';
import { BearerTokens } from '../crypto/bearer-tokens.js';
import { digestOf, handleOf, issueNextSessionToken, issueSessionToken, shardTagOf } from '../crypto/session-token.js';
import { KeyRing } from '../crypto/key-ring.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { MemorySessionStore } from '../storage/memory/memory-session-store.js';
import type { SessionLifecycleService } from './session-lifecycle.service.js';
import type { IssuedSession } from './session-rotation.js';
import type { SessionStore } from './session-store.js';
import { Session } from './session.js';

const GRACE = 10 * SECOND;

let scene: SessionScene;
let store: MemorySessionStore;
let lifecycle: SessionLifecycleService;

const makeLifecycle = (changes: Partial<SessionServicesOptions> = {}): SessionLifecycleService =>
  scene.services(changes).lifecycle;

/** A store in which one operation is replaced. */
function storeWith(
  operation: Exclude<keyof SessionStore, 'link' | 'ofRealm'>,
  instead: () => Promise<never>,
): SessionStore {
  const own = new MemorySessionStore();
  jest.spyOn(own, operation).mockImplementation(instead);
  return own;
}

/** The bearer token of a session token. */
const bearerOf = (token: string): string => new BearerTokens(DEFAULT_KEYS).write(token);

/** The session token of a bearer token. */
const plain = (bearer: string): string => bearer.slice(0, 65);

/** A genuine token of a session that does not exist. */
const unknownToken = (): string => bearerOf(issueSessionToken('alice'));

beforeEach(() => {
  scene = new SessionScene();
  ({ store } = scene);
  lifecycle = makeLifecycle();
});

describe('create', () => {
  it('makes a session of a user, with token, deadlines and an event', async () => {
    const { token, session } = await lifecycle.create({
      user: ALICE,
      authentication: 'password',
      client: CLIENT,
      data: { theme: 'dark', gone: undefined },
    });
    expect(token).toMatch(/^[A-Za-z0-9_-]{87}$/);
    expect([token.slice(0, 2), handleOf(token)]).toEqual([shardTagOf('alice'), session.id]);
    expect(Session.recordOf(session)).toEqual({
      digest: digestOf(plain(token)),
      id: session.id,
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
    expect(scene.events()).toEqual([
      {
        type: 'session.created',
        realm: 'default',
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
    expect(scene.events()).toMatchObject([{ type: 'session.created', newDevice: true }]);
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
    expect(scene.events()[0]).toEqual({
      type: 'session.created',
      realm: 'default',
      at: new Date(START),
      sessionId: sessions[0]!.session.id,
    });
    expect(unasked).not.toHaveBeenCalled();
    expect(made.mock.calls[0]![1]).toMatchObject({ max: Infinity, onLimit: 'reject' });
  });

  it('keeps its own copy of the roles', async () => {
    const roles = ['customer'];
    const { token } = await lifecycle.create({ user: { id: 'alice', roles } });
    roles.push('admin');
    expect((await lifecycle.find(token))?.roles).toEqual(['customer']);
  });

  it('ends the oldest at the limit, and reports it before the new one', async () => {
    const issued: IssuedSession[] = [];
    for (let login = 0; login < 4; login += 1, scene.now += 1) {
      issued.push(await lifecycle.create({ user: ALICE, client: CLIENT }));
    }
    const events = scene.events();
    expect(events.map(({ type }) => type)).toEqual([
      'session.created',
      'session.created',
      'session.created',
      'session.evicted',
      'session.created',
    ]);
    expect(events[3]).toEqual({
      type: 'session.evicted',
      realm: 'default',
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
      message: 'this account has reached its limit of sessions: sign out somewhere else first',
    });
    await limited.create({ user: { id: 'bob' } });
    await limited.create({ user: { id: 'bob' } });
    const [created, reached, ...others] = scene.events();
    expect([created, reached]).toMatchObject([
      { type: 'session.created' },
      { type: 'session.limit_reached', userId: 'alice', client: CLIENT },
    ]);
    expect(others.map(({ type }) => type)).toEqual(['session.created', 'session.created']);
  });

  it('refuses data that is too large or no data, before anything is stored', async () => {
    lifecycle = makeLifecycle({ maxDataSize: 100 });
    await expect(lifecycle.create({ user: ALICE, data: { a: 'x'.repeat(100) } })).rejects.toMatchObject({
      code: 'session_data_too_large',
      statusCode: 413,
      message: expect.stringContaining('100 bytes'),
    });
    await expect(lifecycle.create({ data: { a: () => 1 } })).rejects.toMatchObject({ code: 'invalid_session_data' });
    expect(store.size).toBe(0);
    expect(scene.told()).toEqual([]);
    await lifecycle.create({ data: { a: 'x'.repeat(94) } });
  });
});

describe('find', () => {
  it('finds the session of a token and counts as activity, written at most once a touchInterval', async () => {
    const { token } = await lifecycle.create({ user: ALICE });
    scene.now += MINUTE - 1;
    expect((await lifecycle.find(token))?.lastActivityAt.getTime()).toBe(START);
    scene.now += 1;
    const touched = await lifecycle.find(token);
    expect(touched?.lastActivityAt.getTime()).toBe(START + MINUTE);
    expect(touched?.expiresAt.getTime()).toBe(START + MINUTE + HOUR);
  });

  it('finds the session by a successor, which takes the place of the token then', async () => {
    const { token, session } = await lifecycle.create({ user: ALICE });
    const { token: successor } = (await lifecycle.rotate(session))!;
    expect([successor.length, (await lifecycle.find(successor))?.id]).toEqual([87, session.id]);
    const late = (await lifecycle.find(token))!;
    expect([lifecycle.isSuperseded(late), lifecycle.isSuperseded(session)]).toEqual([true, false]);
    scene.events();
    scene.now += GRACE;
    expect(await lifecycle.find(token, CLIENT)).toBeUndefined();
    expect(scene.events()).toEqual([
      {
        type: 'session.token_reused',
        realm: 'default',
        at: new Date(scene.now),
        sessionId: session.id,
        userId: 'alice',
        client: CLIENT,
      },
    ]);
  });

  it('asks no store for what was not issued here, and reports nothing', async () => {
    const { token } = await lifecycle.create({ user: ALICE });
    scene.events();
    const calls = (['find', 'rotate', 'delete'] as const).map((operation) => jest.spyOn(store, operation));
    const mac = token.slice(65);
    const forged = [
      '',
      'x',
      '*'.repeat(87),
      "' OR 1=1 --",
      '../'.repeat(29),
      // a handle is public, so anybody can write a well-formed token for a session
      plain(token),
      plain(token) + 'A'.repeat(22),
      issueNextSessionToken(token) + mac,
      digestOf(plain(token)) + mac,
      `${token}A`,
      token.slice(0, -1),
      new BearerTokens(new KeyRing(['another secret that is long enough'])).write(plain(token)),
    ];
    for (const each of forged) {
      expect([each, await lifecycle.find(each), await lifecycle.destroy(each)]).toEqual([each, undefined, false]);
    }
    for (const call of calls) expect(call).not.toHaveBeenCalled();
    expect(scene.told()).toEqual([]);
  });

  it('knows a token that was issued under an older key, for as long as that is configured', async () => {
    const { token } = await lifecycle.create({ user: ALICE });
    const [next, old] = ['the next secret that is long enough too', 'a secret that is long enough for tests'];
    expect(await makeLifecycle({ keys: new KeyRing([next, old]) }).find(token)).toBeDefined();
    expect(await makeLifecycle({ keys: new KeyRing([next]) }).find(token)).toBeUndefined();
  });

  it('reports a token that finds nothing', async () => {
    const token = unknownToken();
    expect(await lifecycle.find(token, CLIENT)).toBeUndefined();
    const sessionId = handleOf(token);
    expect(scene.events()).toEqual([
      { type: 'session.used_after_end', realm: 'default', at: new Date(START), sessionId, client: CLIENT },
    ]);
  });

  it('reports an expired session once, and every use of its token', async () => {
    const { token, session } = await lifecycle.create({ user: ALICE });
    scene.events();
    scene.now += HOUR;
    expect(await lifecycle.find(token, CLIENT)).toBeUndefined();
    expect(await lifecycle.find(token, CLIENT)).toBeUndefined();
    const [realm, at] = ['default', new Date(scene.now)];
    expect(scene.events()).toEqual([
      { type: 'session.expired', realm, at, sessionId: session.id, userId: 'alice', client: CLIENT },
      { type: 'session.used_after_end', realm, at, sessionId: session.id, client: CLIENT },
      { type: 'session.used_after_end', realm, at, sessionId: session.id, client: CLIENT },
    ]);
  });

  it('ends a session at its absolute deadline, however busy it is', async () => {
    const { token } = await lifecycle.create({ user: ALICE });
    for (; scene.now < START + 24 * HOUR; scene.now += 30 * MINUTE) {
      expect(await lifecycle.find(token)).toBeDefined();
    }
    expect(await lifecycle.find(token)).toBeUndefined();
  });

  it('answers a corrupt record as no session, with an event', async () => {
    const corrupt = new SessionAuthError('corrupt_session_record', 'unreadable');
    lifecycle = makeLifecycle({ store: storeWith('find', () => Promise.reject(corrupt)) });
    expect(await lifecycle.find(unknownToken(), CLIENT)).toBeUndefined();
    expect(scene.events()).toEqual([
      { type: 'session.corrupt_record', realm: 'default', at: new Date(START), client: CLIENT },
    ]);
  });
});

describe('a new token of a session', () => {
  const login = { user: ALICE, authentication: 'password' as const };
  const ways: readonly [string, string, (session: Session) => Promise<IssuedSession | undefined>][] = [
    ['rotate', 'requested', (session) => lifecycle.rotate(session, { client: CLIENT })],
    ['rotate without a grace', 'requested', (session) => lifecycle.rotate(session, { grace: 0, client: CLIENT })],
    ['renew', 'login', (session) => lifecycle.renew(session, { ...login, client: CLIENT })],
    [
      'reauthenticated',
      'reauthentication',
      (session) => lifecycle.reauthenticated(session, { ...login, client: CLIENT }),
    ],
    ['factorCompleted', 'factor_completed', (session) => lifecycle.factorCompleted(session, 'totp', CLIENT)],
  ];

  it.each(ways)('by %s is one that finds it, and so is told', async (_name, reason, renew) => {
    const { token, session } = await lifecycle.create({ user: ALICE });
    scene.events();
    const issued = (await renew(session))!;
    expect(issued.session).toBe(session);
    expect(issued.token).toMatch(/^[\w-]{87}$/);
    expect(issued.token).not.toBe(token);
    expect((await lifecycle.find(issued.token))?.id).toBe(session.id);
    expect(scene.events()).toMatchObject([
      { type: 'session.rotated', sessionId: session.id, userId: 'alice', reason, client: CLIENT },
    ]);
  });

  it.each(ways.slice(1))('by %s ends the old one at once', async (_name, _reason, renew) => {
    const { token, session } = await lifecycle.create({ user: ALICE });
    await renew(session);
    expect(await lifecycle.find(token)).toBeUndefined();
  });

  it.each(ways)('by %s is none where another request was first', async (_name, _reason, renew) => {
    const { token, session } = await lifecycle.create({ user: ALICE });
    const late = (await lifecycle.find(token))!;
    await lifecycle.factorCompleted(session, 'passkey');
    expect(await renew(late)).toBeUndefined();
  });

  it('is due after rotateEvery, and for every session of a user whose roles were changed', async () => {
    const rotating = makeLifecycle({ lifetime: { rotateEvery: 5 * MINUTE } });
    const { token, session } = await rotating.create({ user: ALICE });
    expect(rotating.isRotationDue(session)).toBe(false);
    scene.now += 5 * MINUTE;
    expect([rotating.isRotationDue(session), lifecycle.isRotationDue(session)]).toEqual([true, false]);
    expect(await lifecycle.updateUser('alice', { roles: ['admin'], email: 'new@example.com' })).toBe(1);
    const found = (await lifecycle.find(token))!;
    expect([found.roles, found.email, lifecycle.isRotationDue(found)]).toEqual([[], 'new@example.com', true]);
    const issued = (await lifecycle.rotate(found))!;
    expect([found.roles, (await lifecycle.find(issued.token))?.roles]).toEqual([['admin'], ['admin']]);
    expect(await lifecycle.updateUser('nobody', { roles: [] })).toBe(0);
  });
});

describe('a store that fails', () => {
  const digest = digestOf(issueSessionToken('alice'));
  const notAskedFor = (): never => {
    throw new Error('not asked for');
  };
  const session = new Session(
    {
      digest,
      id: handleOf(digest),
      userId: 'alice',
      roles: [],
      createdAt: START,
      rotatedAt: START,
      lastActivityAt: START,
      expiresAt: START + HOUR,
      absoluteExpiresAt: START + HOUR,
      data: {},
    },
    { realm: 'default', update: notAskedFor, signalOf: notAskedFor },
  );

  it.each<[Exclude<keyof SessionStore, 'link' | 'ofRealm'>, (lifecycle: SessionLifecycleService) => Promise<unknown>]>([
    ['create', (service) => service.create({ user: ALICE })],
    ['find', (service) => service.find(unknownToken())],
    ['rotate', (service) => service.rotate(session)],
    ['rotate', (service) => service.renew(session, { user: ALICE, authentication: 'password' })],
    ['rotate', (service) => service.reauthenticated(session, { user: ALICE, authentication: 'password' })],
    ['rotate', (service) => service.factorCompleted(session, 'totp')],
    ['delete', (service) => service.destroy(unknownToken())],
    ['delete', (service) => service.destroySession(session, 'logout')],
    ['list', (service) => service.list('alice')],
    ['deleteByHandle', (service) => service.revoke('alice', 'A'.repeat(20))],
    ['deleteByUser', (service) => service.revokeAll('alice')],
    ['deleteByUser', (service) => service.revokeOthers('alice', 'A'.repeat(20))],
    ['updateByUser', (service) => service.updateUser('alice', { roles: [] })],
  ])('at %s is told as unavailable, never as absence, and nothing is reported', async (operation, call) => {
    const failing = makeLifecycle({
      store: storeWith(operation, () => Promise.reject(new Error('ECONNREFUSED'))),
    });
    await expect(call(failing)).rejects.toMatchObject({
      code: 'session_store_unavailable',
      cause: new Error('ECONNREFUSED'),
    });
    expect(scene.told()).toEqual([]);
  });

  it('at update is told as unavailable', async () => {
    const { session: own } = await lifecycle.create({ user: ALICE });
    jest.spyOn(store, 'update').mockRejectedValue(new Error('ECONNREFUSED'));
    await expect(own.update({ a: 1 })).rejects.toMatchObject({ code: 'session_store_unavailable' });
  });

  it('or never answers is given up after storeTimeout', async () => {
    jest.useFakeTimers();
    try {
      const hanging = makeLifecycle({
        storeTimeout: 500,
        store: storeWith('find', () => new Promise(() => undefined)),
      });
      const outcome = expect(hanging.find(unknownToken())).rejects.toMatchObject({
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
    await lifecycle.update(session, { b: undefined, d: { at: '4' } });
    const merged = { a: 1, c: 3, d: { at: '4' } };
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
    lifecycle = makeLifecycle({ maxDataSize: 100 });
    const { token, session } = await lifecycle.create({ user: ALICE, data: { a: 1 } });
    await expect(session.update({ b: 'x'.repeat(100) })).rejects.toMatchObject({ code: 'session_data_too_large' });
    await expect(session.update([] as never)).rejects.toMatchObject({ code: 'invalid_session_data' });
    expect(session.data).toEqual({ a: 1 });
    expect((await lifecycle.find(token))?.data).toEqual({ a: 1 });
  });

  it('reaches the session by a token that was superseded, in its grace', async () => {
    const { token, session } = await lifecycle.create({ user: ALICE });
    const { token: successor } = (await lifecycle.rotate(session))!;
    await lifecycle.find(successor);
    const late = (await lifecycle.find(token))!;
    await late.update({ a: 1 });
    expect((await lifecycle.find(successor))?.data).toEqual({ a: 1 });
  });

  it('takes a record that cannot be read for an ended session, and tells', async () => {
    const { session } = await lifecycle.create({ user: ALICE });
    scene.events();
    jest.spyOn(store, 'update').mockRejectedValueOnce(new SessionAuthError('corrupt_session_record', 'unreadable'));
    await expect(session.update({ a: 1 })).rejects.toMatchObject({ code: 'session_required' });
    expect(scene.told()).toEqual(['session.corrupt_record']);
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
      'authenticatedAt is not a valid time',
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

describe('destroy', () => {
  it('ends the session of a token, once, and tells', async () => {
    const { token, session } = await lifecycle.create({ user: ALICE });
    scene.events();
    expect(await lifecycle.destroy(token, 'logout', CLIENT)).toBe(true);
    expect(await lifecycle.destroy(token)).toBe(false);
    expect(scene.events()).toEqual([
      {
        type: 'session.destroyed',
        realm: 'default',
        at: new Date(START),
        sessionId: session.id,
        userId: 'alice',
        reason: 'logout',
        client: CLIENT,
      },
    ]);
    expect(store.size).toBe(0);
  });

  it('ends the session by any token that it ever had, in one call, and takes that for no reuse', async () => {
    for (const index of [0, 1, 2, 3]) {
      const { token, session } = await lifecycle.create({ user: ALICE });
      const tokens = [token];
      tokens.push((await lifecycle.rotate(session))!.token);
      const used = (await lifecycle.find(tokens[1]!))!;
      tokens.push((await lifecycle.factorCompleted(used, 'totp'))!.token);
      scene.now += HOUR / 2;
      tokens.push((await lifecycle.rotate(used))!.token);
      scene.events();
      const calls = (['find', 'rotate', 'delete'] as const).map((operation) => jest.spyOn(store, operation));
      expect(await lifecycle.destroy(tokens[index]!)).toBe(true);
      expect(calls.map(({ mock }) => mock.calls.length)).toEqual([0, 0, 1]);
      expect([scene.told(), store.size]).toEqual([['session.destroyed logout'], 0]);
      for (const call of calls) call.mockRestore();
      for (const each of tokens) expect(await lifecycle.find(each)).toBeUndefined();
    }
  });

  it('ends a session at hand, with the reason given', async () => {
    const { token, session } = await lifecycle.create({ user: ALICE });
    scene.events();
    expect(await lifecycle.destroySession(session, 'replaced', CLIENT)).toBe(true);
    expect(await lifecycle.destroySession(session, 'replaced')).toBe(false);
    expect(scene.events()).toMatchObject([{ type: 'session.destroyed', reason: 'replaced', client: CLIENT }]);
    expect(await lifecycle.find(token)).toBeUndefined();
  });

  it('ends a session at hand that another request has given a new token, the old one dead at once', async () => {
    for (const user of [ALICE, undefined]) {
      const { token, session } = await lifecycle.create({ user });
      const newer = await lifecycle.rotate((await lifecycle.find(token))!, { grace: 0 });
      expect(await lifecycle.destroySession(session, 'replaced')).toBe(true);
      expect(await lifecycle.find(newer!.token)).toBeUndefined();
      expect(await lifecycle.destroySession(session, 'replaced')).toBe(false);
    }
  });
});

describe('list', () => {
  const many = (): SessionLifecycleService => makeLifecycle({ limit: { max: Infinity, onLimit: 'reject' } });

  it('answers live sessions by pages, newest first', async () => {
    const ids: string[] = [];
    for (let login = 0; login < 5; login += 1, scene.now += SECOND) {
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

  it('leaves out a record that is another user’s, and tells', async () => {
    const { session } = await lifecycle.create({ user: ALICE });
    const { session: foreign } = await lifecycle.create({ user: { id: 'bob' } });
    scene.events();
    const records = [session, foreign].map((each) => Session.recordOf(each));
    jest.spyOn(store, 'list').mockResolvedValueOnce({ records });
    const { sessions } = await lifecycle.list('alice');
    expect([sessions.map(({ id }) => id), scene.told()]).toEqual([[session.id], ['session.corrupt_record']]);
  });

  it('refuses a cursor that is not from a page', async () => {
    await expect(lifecycle.list('alice', { cursor: 'x' })).rejects.toMatchObject({ code: 'invalid_request' });
  });
});

describe('revoke', () => {
  it("ends one of the user's own sessions, and no other user's", async () => {
    const { session } = await lifecycle.create({ user: ALICE });
    scene.events();
    expect(await lifecycle.revoke('bob', session.id)).toBe(false);
    expect(await lifecycle.revoke('alice', 'unknown')).toBe(false);
    expect(scene.told()).toEqual([]);
    expect(await lifecycle.revoke('alice', session.id, undefined, CLIENT)).toBe(true);
    expect(scene.events()).toEqual([
      {
        type: 'session.destroyed',
        realm: 'default',
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
    scene.events();
    expect(await lifecycle.revokeOthers('alice', issued[1]!.session.id)).toBe(2);
    expect(await lifecycle.find(issued[1]!.token)).toBeDefined();
    expect(await lifecycle.revokeAll('alice', 'credentials_changed', CLIENT)).toBe(1);
    expect(await lifecycle.revokeAll('alice')).toBe(0);
    expect(scene.told()).toEqual([
      'session.destroyed revoked',
      'session.destroyed revoked',
      'session.destroyed credentials_changed',
    ]);
    expect(store.size).toBe(1);
    expect(await lifecycle.revokeAll('bob')).toBe(1);
    expect(scene.events()).toMatchObject([{ userId: 'bob', reason: 'revoked' }]);
  });

  it('goes on in steps until none is left', async () => {
    const many = makeLifecycle({ limit: { max: Infinity, onLimit: 'reject' } });
    for (let login = 0; login < 2500; login += 1) await many.create({ user: ALICE });
    scene.events();
    const steps = jest.spyOn(store, 'deleteByUser');
    expect(await many.revokeAll('alice')).toBe(2500);
    expect(steps).toHaveBeenCalledTimes(3);
    expect(steps.mock.calls.every(([, { limit }]) => limit === 1000)).toBe(true);
    expect(new Set(scene.events().map((event) => 'sessionId' in event && event.sessionId)).size).toBe(2500);
  });

  it('tells of what was ended before a later step failed', async () => {
    const many = makeLifecycle({ limit: { max: Infinity, onLimit: 'reject' } });
    for (let login = 0; login < 1500; login += 1) await many.create({ user: ALICE });
    scene.events();
    const first = await store.deleteByUser('alice', { limit: 1000 }, scene.now);
    jest.spyOn(store, 'deleteByUser').mockResolvedValueOnce(first).mockRejectedValueOnce(new Error('gone'));
    await expect(many.revokeAll('alice')).rejects.toMatchObject({ code: 'session_store_unavailable' });
    expect(scene.events()).toHaveLength(1000);
  });
});

it('no event holds a token, a digest or session data', async () => {
  const { token, session } = await lifecycle.create({ user: ALICE, client: CLIENT, data: { pin: 'private-data' } });
  const rotated = (await lifecycle.rotate(session, { client: CLIENT }))!;
  await lifecycle.find(rotated.token);
  scene.now += GRACE;
  await lifecycle.find(token);
  await lifecycle.destroy(rotated.token);
  await lifecycle.find(token);
  const events = scene.events();
  const text = JSON.stringify(events);
  for (const each of [token, rotated.token]) {
    // the address of a token holds the public handle, which events name
    const [secret, hash] = [plain(each), digestOf(plain(each))].map((whole) => whole.slice(22));
    for (const part of [secret, hash, each.slice(65)]) expect(text).not.toContain(part);
  }
  expect(text).not.toContain('private-data');
  expect(events.map(({ type }) => type)).toEqual([
    'session.created',
    'session.rotated',
    'session.token_reused',
    'session.destroyed',
    'session.used_after_end',
  ]);
});
