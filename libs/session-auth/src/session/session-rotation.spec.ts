import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ALICE, CLIENT, HOUR, MINUTE, SECOND, SessionScene } from '../../test/fixtures/session-scene.js';
import type { SessionServices } from '../../test/fixtures/session-services.js';
import { digestOf, handleOf, issueSessionToken } from '../crypto/session-token.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { IssuedSession, RotateSession } from './session-rotation.js';
import { Session } from './session.js';

const GRACE = 10 * SECOND;
const REUSED = 'session.token_reused';

let scene: SessionScene;
let services: SessionServices;

const find = (token: string): Promise<Session | undefined> => services.reader.find(token, { client: CLIENT });
const rotate = (session: Session, options?: RotateSession): Promise<IssuedSession | undefined> =>
  services.rotation.rotate(session, options);

/** Returns what a token is worth now. Finding the session by a successor makes that the present token. */
async function worthOf(token: string): Promise<string | undefined> {
  const session = await find(token);
  return session && Session.foundBy(session).standing.kind;
}

/**
 * Returns which of some tokens let a request pass, one after the other. A successor among them becomes the present
 * token.
 */
async function honoured(...tokens: readonly string[]): Promise<readonly boolean[]> {
  const passed: boolean[] = [];
  for (const token of tokens) passed.push((await find(token)) !== undefined);
  return passed;
}

async function create(): Promise<IssuedSession> {
  const issued = await services.changes.create({ user: ALICE, data: { a: 1 } });
  scene.events();
  return issued;
}

beforeEach(() => {
  scene = new SessionScene();
  services = scene.services();
});

describe('a token that is handed over', () => {
  it('works on beside its successor; handle, deadlines and data stay, and the event says why', async () => {
    const { token, session } = await create();
    const before = Session.recordOf(session);
    scene.now += MINUTE;
    const issued = (await rotate(session, { client: CLIENT }))!;
    expect([issued.token.length, handleOf(issued.token), issued.session]).toEqual([65, session.id, session]);
    expect(issued.token).not.toBe(token);
    expect(scene.events()).toEqual([
      {
        type: 'session.rotated',
        realm: 'default',
        at: new Date(scene.now),
        sessionId: session.id,
        userId: 'alice',
        reason: 'requested',
        client: CLIENT,
      },
    ]);
    const { tokens, revision, ...after } = Session.recordOf(session);
    expect(after).toMatchObject({ ...before });
    expect([tokens?.length, revision]).toEqual([1, 1]);
    expect(await worthOf(token)).toBe('present');
  });

  it('takes what else is to change along, and gives the reason that it is told', async () => {
    const { session } = await create();
    const changes = { expiresAt: scene.now + MINUTE, ip: '192.0.2.9' };
    const issued = (await rotate(session, { reason: 'roles_changed', changes }))!;
    expect(scene.told()).toEqual(['session.rotated roles_changed']);
    expect(Session.recordOf((await find(issued.token))!)).toMatchObject(changes);
  });

  it('is honoured for the grace once its successor was used, and no more then', async () => {
    const { token, session } = await create();
    const { token: successor } = (await rotate(session))!;
    // however late it is used
    scene.now += HOUR - 1;
    expect([await worthOf(token), await worthOf(successor), await worthOf(token)]).toEqual([
      'present',
      'present',
      'superseded',
    ]);
    scene.now += GRACE - 1;
    expect(await honoured(token, successor)).toEqual([true, true]);
    scene.events();
    scene.now += 1;
    expect(await honoured(token, successor)).toEqual([false, true]);
    expect(scene.told()).toEqual([REUSED]);
  });

  it.each([
    [undefined, 10 * SECOND],
    [3 * SECOND, 3 * SECOND],
    [20 * SECOND, 20 * SECOND],
  ])('is honoured for a grace of %p ms as %i ms', async (grace, expected) => {
    const { token, session } = await create();
    await find((await rotate(session, { grace }))!.token);
    scene.now += expected - 1;
    expect(await honoured(token)).toEqual([true]);
    scene.now += 1;
    expect(await honoured(token)).toEqual([false]);
  });

  it('is honoured no longer than a newer one', async () => {
    const { token, session } = await create();
    const { token: second } = (await rotate(session))!;
    const used = (await find(second))!;
    const { token: third } = (await rotate(used, { grace: SECOND }))!;
    await find(third);
    scene.now += SECOND - 1;
    expect(await honoured(token, second)).toEqual([true, true]);
    scene.now += 1;
    expect(await honoured(token, second, third)).toEqual([false, false, true]);
  });

  it('is handed over once a grace: others by it are served meanwhile, without a successor', async () => {
    const { token, session } = await create();
    await rotate(session);
    scene.events();
    scene.now += GRACE - 1;
    const rotations = jest.spyOn(scene.store, 'rotate');
    expect(await rotate((await find(token))!)).toBeUndefined();
    expect(rotations).not.toHaveBeenCalled();
    scene.now += 1;
    expect(await rotate((await find(token))!)).toBeDefined();
    expect(scene.told()).toEqual(['session.rotated requested']);
  });

  it('is handed over to one of those that ask at once', async () => {
    const { token } = await create();
    const sessions = await Promise.all(Array.from({ length: 20 }, () => find(token)));
    const outcomes = await Promise.all(sessions.map((session) => rotate(session!)));
    expect(outcomes.filter((outcome) => outcome !== undefined)).toHaveLength(1);
    expect(scene.told()).toEqual(['session.rotated requested']);
  });

  it('goes on for as long as the session lives where no answer ever arrives', async () => {
    const { token } = await create();
    const end = scene.now + 24 * HOUR;
    for (; scene.now < end; scene.now += 30 * MINUTE) {
      const session = (await find(token))!;
      expect([session.id, await rotate(session)]).toEqual([handleOf(token), expect.anything()]);
    }
    expect(new Set(scene.told())).toEqual(new Set(['session.rotated requested']));
    expect(await find(token)).toBeUndefined();
  });

  it('has four successors at most: an older one counts as replaced, and the store does not fill', async () => {
    const { token } = await create();
    const successors: string[] = [];
    for (let lost = 0; lost < 10; lost += 1, scene.now += GRACE) {
      successors.push((await rotate((await find(token))!))!.token);
    }
    expect(Session.recordOf((await find(token))!).tokens).toHaveLength(4);
    scene.events();
    expect(await honoured(...successors.slice(0, 6))).toEqual(Array(6).fill(false));
    expect(scene.told()).toEqual(Array(6).fill(REUSED));
    expect(await worthOf(successors[6]!)).toBe('present');
  });

  it('has the successor that is used first for its only one', async () => {
    for (const used of [0, 1, 2]) {
      const { token } = await create();
      const successors: string[] = [];
      for (let lost = 0; lost < 3; lost += 1, scene.now += GRACE) {
        successors.push((await rotate((await find(token))!))!.token);
      }
      const [first] = successors.splice(used, 1);
      expect(await worthOf(first!)).toBe('present');
      scene.events();
      expect(await honoured(...successors, first!, token)).toEqual([false, false, true, true]);
      expect(scene.told()).toEqual([REUSED, REUSED]);
    }
  });

  it('is handed over again by its successor at once, and by no token that was replaced', async () => {
    const { token, session } = await create();
    const { token: successor } = (await rotate(session))!;
    const used = (await find(successor))!;
    expect(await rotate((await find(token))!)).toBeUndefined();
    const { token: third } = (await rotate(used))!;
    expect(await worthOf(third)).toBe('present');
    // the session was read before its token was replaced
    expect(await rotate(used)).toBeUndefined();
  });

  it('is handed over at each request where there is no grace, and dead with the first use of a successor', async () => {
    services = scene.services({ lifetime: { rotationGrace: 0 } });
    const { token } = await create();
    const [first, second] = [await rotate((await find(token))!), await rotate((await find(token))!)];
    expect(await honoured(second!.token, token, first!.token)).toEqual([true, false, false]);
  });

  it('stays in its shard where the session is nobody’s', async () => {
    const { token, session } = await services.changes.create({});
    const { token: successor } = (await rotate(session))!;
    // without a user, only the tag leads to the shard
    expect(successor.slice(0, 22)).toBe(token.slice(0, 22));
    expect(await worthOf(successor)).toBe('present');
  });

  it('lets a request that it was handed over in write to the session, and one by a superseded token', async () => {
    const { token, session } = await create();
    const { token: successor } = (await rotate(session))!;
    await session.update({ b: 2 });
    const late = (await find(token))!;
    expect((await find(successor))!.data).toEqual({ a: 1, b: 2 });
    await late.update({ c: 3 });
    scene.now += GRACE;
    await expect(late.update({ d: 4 })).rejects.toMatchObject({ code: 'session_required' });
    expect((await find(successor))!.data).toEqual({ a: 1, b: 2, c: 3 });
  });
});

describe('a token that is replaced with a grace of 0', () => {
  it('is dead at once, with its successors and whatever was honoured beside it', async () => {
    const { token, session } = await create();
    const used = (await find((await rotate(session))!.token))!;
    const { token: successor } = (await rotate(used))!;
    const { token: newest, session: same } = (await rotate(used, { grace: 0, reason: 'roles_changed' }))!;
    expect(same).toBe(used);
    expect([used.id, Session.recordOf(used).digest]).toEqual([session.id, digestOf(newest)]);
    expect(scene.told()).toEqual([
      'session.rotated requested',
      'session.rotated requested',
      'session.rotated roles_changed',
    ]);
    expect(await honoured(token, successor, newest)).toEqual([false, false, true]);
  });

  it('is no reuse while requests are in flight, and is afterwards', async () => {
    const { token, session } = await create();
    const { token: successor } = (await rotate(session))!;
    await rotate(session, { grace: 0 });
    scene.events();
    scene.now += GRACE - 1;
    expect([await honoured(token, successor), scene.told()]).toEqual([[false, false], []]);
    scene.now += 1;
    expect([await honoured(token, successor), scene.told()]).toEqual([
      [false, false],
      [REUSED, REUSED],
    ]);
  });

  it('is replaced only where it still is the token: undefined by one that was superseded or replaced', async () => {
    const { token, session } = await create();
    const [late, later] = [(await find(token))!, (await find(token))!];
    const used = (await find((await rotate(session))!.token))!;
    expect(await rotate(late, { grace: 0 })).toBeUndefined();
    expect(await rotate(used, { grace: 0 })).toBeDefined();
    expect(await rotate(later, { grace: 0 })).toBeUndefined();
    expect(Session.foundBy(later)).toEqual({ digest: digestOf(token), standing: { kind: 'present' } });
  });

  it('is replaced by one of those that ask at once', async () => {
    const { token } = await create();
    const sessions = await Promise.all(Array.from({ length: 20 }, () => find(token)));
    const outcomes = await Promise.all(sessions.map((session) => rotate(session!, { grace: 0 })));
    const [issued, ...others] = outcomes.filter((outcome) => outcome !== undefined);
    expect(others).toEqual([]);
    expect(await worthOf(issued!.token)).toBe('present');
  });

  it('goes on writing with the new one', async () => {
    const { session } = await create();
    const { token } = (await rotate(session, { grace: 0 }))!;
    await session.update({ b: 2 });
    expect((await find(token))!.data).toEqual({ a: 1, b: 2 });
  });

  it('is reuse at once where there is no grace at all', async () => {
    services = scene.services({ lifetime: { rotationGrace: 0 } });
    const { token, session } = await create();
    await rotate(session, { grace: 0 });
    scene.events();
    expect([await honoured(token), scene.told()]).toEqual([[false], [REUSED]]);
  });
});

describe('a rotation that meets another change', () => {
  it.each<[string, RotateSession]>([
    ['handed over', {}],
    ['replaced at once', { grace: 0 }],
  ])('takes that along: %s', async (_how, options) => {
    const { token, session } = await create();
    await services.ofUsers.update('alice', { roles: ['customer', 'admin'], email: 'new@example.com' });
    await (await find(token))!.update({ b: 2 });
    const issued = (await rotate(session, options))!;
    const found = (await find(issued.token))!;
    expect([found.roles, found.email, found.data]).toEqual([['customer', 'admin'], 'new@example.com', { a: 1, b: 2 }]);
    expect([session.roles, session.email]).toEqual([['customer', 'admin'], 'new@example.com']);
  });

  it('replaces at once over a successor that was handed out since', async () => {
    const { token, session } = await create();
    const { token: successor } = (await rotate((await find(token))!))!;
    const { token: newest } = (await rotate(session, { grace: 0 }))!;
    expect(await honoured(successor, newest)).toEqual([false, true]);
  });

  it.each<[string, RotateSession]>([
    ['handed over', {}],
    ['replaced at once', { grace: 0 }],
  ])('gives up where the session is another one at each look, and takes it for ended: %s', async (_how, options) => {
    const { token, session } = await create();
    const rotations = jest.spyOn(scene.store, 'rotate');
    const original = rotations.getMockImplementation()!;
    rotations.mockImplementation(async function (this: typeof scene.store, digest, rotation) {
      await services.ofUsers.update('alice', { email: `${rotations.mock.calls.length}@example.com` });
      return original.call(this, digest, rotation);
    });
    await expect(rotate(session, options)).rejects.toMatchObject({ code: 'session_required' });
    expect(rotations).toHaveBeenCalledTimes(50);
    rotations.mockRestore();
    expect([await worthOf(token), scene.told()]).toEqual(['present', []]);
  });

  it('is an error for a session that has ended, and told to nobody', async () => {
    const { session } = await create();
    await services.changes.destroySession(session, 'logout');
    scene.events();
    for (const options of [{}, { grace: 0 }]) {
      await expect(rotate(session, options)).rejects.toMatchObject({ code: 'session_required' });
    }
    expect(scene.told()).toEqual([]);
  });

  it('believes no record of another session', async () => {
    const { session } = await create();
    for (const change of [{ userId: 'bob' }, { id: 'x'.repeat(20) }, { digest: digestOf(issueSessionToken('bob')) }]) {
      for (const status of ['rotated', 'changed'] as const) {
        const record = { ...Session.recordOf(session), ...change };
        jest.spyOn(scene.store, 'rotate').mockResolvedValueOnce({ status, record });
        await expect(rotate(session, { client: CLIENT })).rejects.toMatchObject({ code: 'session_required' });
        expect(scene.events()).toMatchObject([{ type: 'session.corrupt_record', client: CLIENT }]);
        expect(session.userId).toBe('alice');
      }
    }
  });

  it('has taken place where the store was asked twice, since the client lost the first answer', async () => {
    const store = scene.store.rotate.bind(scene.store);
    const askedTwice = (): unknown =>
      jest.spyOn(scene.store, 'rotate').mockImplementationOnce(async (...args) => {
        await store(...args);
        const second = await store(...args);
        expect(second.status).toBe('changed');
        return second;
      });
    for (const options of [{}, { grace: 0 }]) {
      const { token, session } = await create();
      askedTwice();
      const issued = (await rotate(session, options))!;
      expect(scene.told()).toEqual(['session.rotated requested']);
      expect(await honoured(issued.token)).toEqual([true]);
      expect(await honoured(token)).toEqual(['grace' in options ? false : true]);
      scene.events();
    }
    const { session } = await create();
    askedTwice();
    expect((await services.rotation.factorCompleted(session, 'totp'))?.session.factors).toHaveProperty('totp');
  });

  it('takes a record that cannot be read for an ended session, and tells', async () => {
    const { session } = await create();
    jest
      .spyOn(scene.store, 'rotate')
      .mockRejectedValueOnce(new SessionAuthError('corrupt_session_record', 'unreadable'));
    await expect(rotate(session)).rejects.toMatchObject({ code: 'session_required' });
    expect(scene.told()).toEqual(['session.corrupt_record']);
  });
});

describe('whether a token is due to be replaced', () => {
  const rotating = (): void => void (services = scene.services({ lifetime: { rotateEvery: 5 * MINUTE } }));
  const isDue = (session: Session): boolean => services.reader.isRotationDue(session);

  it('is after rotateEvery, and never without', async () => {
    const { session } = await create();
    scene.now += 5 * MINUTE;
    expect(isDue(session)).toBe(false);
    rotating();
    expect(isDue(session)).toBe(true);
    scene.now -= 1;
    expect(isDue(session)).toBe(false);
  });

  it('is not while a successor is on its way, and again once that takes too long', async () => {
    rotating();
    const { token, session } = await create();
    scene.now += 5 * MINUTE;
    await services.rotation.handOver(session);
    expect(isDue(session)).toBe(false);
    scene.now += GRACE - 1;
    expect(isDue((await find(token))!)).toBe(false);
    scene.now += 1;
    expect(isDue((await find(token))!)).toBe(true);
  });

  it('is counted from when a successor was handed out, not from its first use', async () => {
    rotating();
    const { session } = await create();
    scene.now += 5 * MINUTE;
    const { token } = (await services.rotation.handOver(session))!;
    scene.now += 4 * MINUTE;
    expect(isDue((await find(token))!)).toBe(false);
    scene.now += MINUTE;
    expect(isDue((await find(token))!)).toBe(true);
  });

  it('is never for a token that was superseded', async () => {
    rotating();
    const { token, session } = await create();
    scene.now += 5 * MINUTE;
    await find((await services.rotation.handOver(session))!.token);
    await services.ofUsers.update('alice', { roles: [] });
    expect(isDue((await find(token))!)).toBe(false);
  });

  it('is at once where the account has changed', async () => {
    const { token } = await create();
    await services.ofUsers.update('alice', { email: 'new@example.com' });
    expect(isDue((await find(token))!)).toBe(true);
  });

  it('tells how long a cookie lasts: not while a successor is out, nor shortly before one is due', async () => {
    rotating();
    const { token, session } = await create();
    const isLasting = async (): Promise<boolean> => services.reader.isLasting((await find(token))!);
    scene.now += 5 * MINUTE - GRACE - 1;
    expect(await isLasting()).toBe(true);
    scene.now += 1;
    expect(await isLasting()).toBe(false);
    services = scene.services();
    expect(await isLasting()).toBe(true);
    const { token: successor } = (await services.rotation.rotate(session))!;
    expect(await isLasting()).toBe(false);
    scene.now += HOUR / 2;
    expect(await isLasting()).toBe(false);
    expect(services.reader.isLasting((await find(successor))!)).toBe(true);
    expect(await isLasting()).toBe(false);
  });

  it('takes ten seconds for how long an answer is on its way where there is no grace', () => {
    expect(services.reader.handOverGrace).toBe(GRACE);
    expect(scene.services({ lifetime: { rotationGrace: 3 } }).reader.handOverGrace).toBe(3);
    expect(scene.services({ lifetime: { rotationGrace: 0 } }).reader.handOverGrace).toBe(GRACE);
  });
});
