import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ALICE, CLIENT, MINUTE, SECOND, SessionScene } from '../../test/fixtures/session-scene.js';
import type { SessionServices } from '../../test/fixtures/session-services.js';
import { digestOf, issueHandle, issueSessionToken, sessionTokenFrom } from '../crypto/session-token.js';
import { NewSessionAnnouncer } from './new-session-announcer.js';
import type { SessionOfDevice } from './session-changes.js';
import type { IssuedSession } from './session-rotation.js';
import { Session } from './session.js';

const GRACE = 10 * SECOND;
const BOB = { id: 'bob' };

let scene: SessionScene;
let services: SessionServices;

const create = (login: SessionOfDevice): Promise<IssuedSession> => services.changes.create(login);
const find = (token: string): Promise<Session | undefined> => services.reader.find(token, {});
const idsOf = async (userId: string): Promise<readonly string[]> =>
  (await services.lifecycle.list(userId)).sessions.map(({ id }) => id);

beforeEach(() => {
  scene = new SessionScene();
  services = scene.services();
});

describe('a session with a token that was made elsewhere', () => {
  const secret = issueSessionToken(undefined).slice(22);
  const token = sessionTokenFrom('alice', issueHandle(), secret);

  it('is shared by all logins with it, and made once', async () => {
    const logins = await Promise.all(Array.from({ length: 20 }, () => create({ user: ALICE, token })));
    expect(new Set(logins.map((each) => each.token))).toEqual(new Set([token]));
    expect(new Set(logins.map(({ session }) => session.id)).size).toBe(1);
    expect([await idsOf('alice'), scene.told()]).toEqual([[logins[0]!.session.id], ['session.created']]);
  });

  it('is shared for as long as that token is honoured: superseded by then, it writes no cookie any more', async () => {
    const { session } = await create({ user: ALICE, token });
    const { token: newer } = (await services.rotation.rotate(session))!;
    expect((await create({ user: ALICE, token })).session.id).toBe(session.id);
    await find(newer);
    const late = await create({ user: ALICE, token });
    expect([late.token, late.session.id, services.lifecycle.isSuperseded(late.session)]).toEqual([
      token,
      session.id,
      true,
    ]);
    scene.events();
    scene.now += GRACE;
    await expect(create({ user: ALICE, token })).rejects.toMatchObject({
      code: 'session_required',
      message: 'the session has ended',
    });
    expect([await idsOf('alice'), scene.told()]).toEqual([[session.id], []]);
    expect(await find(newer)).toBeDefined();
  });

  it('is not shared once it has proved more: what a login over it has proved was not proved by this one', async () => {
    const { session } = await create({ user: ALICE, token });
    await services.rotation.factorCompleted(session, 'totp');
    scene.events();
    await expect(create({ user: ALICE, token })).rejects.toMatchObject({ code: 'session_required' });
    expect(scene.told()).toEqual([]);
  });

  it('is made anew where the one before is over', async () => {
    const { session } = await create({ user: ALICE, token });
    await services.changes.destroySession(session, 'logout');
    const again = await create({ user: ALICE, token });
    expect([again.session.id, (await find(token))?.id]).toEqual([session.id, session.id]);
  });

  it('is not taken from a store that returns another’s', async () => {
    const { session } = await create({ user: ALICE, token });
    scene.events();
    jest
      .spyOn(scene.store, 'find')
      .mockResolvedValueOnce({ status: 'live', record: { ...Session.recordOf(session), userId: 'bob' } });
    await expect(create({ user: ALICE, token, client: CLIENT })).rejects.toMatchObject({ code: 'session_required' });
    expect(scene.events()).toMatchObject([{ type: 'session.corrupt_record', client: CLIENT }]);
  });
});

describe('a session of a device', () => {
  const login = { user: ALICE, device: 'laptop', sharedFor: GRACE, client: CLIENT };

  it('takes the place of the one that the device had: it counts once, and is told as replaced', async () => {
    services = scene.services({ limit: { max: 2, onLimit: 'reject' } });
    const phone = await create({ ...login, device: 'phone' });
    const restarts: IssuedSession[] = [];
    for (let restart = 0; restart < 5; restart += 1, scene.now += MINUTE) restarts.push(await create(login));
    expect(await idsOf('alice')).toEqual([restarts[4]!.session.id, phone.session.id]);
    const [, first, replaced, second] = scene.events();
    expect([first, replaced, second]).toMatchObject([
      { type: 'session.created', sessionId: restarts[0]!.session.id },
      {
        type: 'session.destroyed',
        sessionId: restarts[0]!.session.id,
        userId: 'alice',
        reason: 'replaced',
        client: CLIENT,
      },
      { type: 'session.created', sessionId: restarts[1]!.session.id },
    ]);
  });

  it('is shared by a form that was sent twice, one after the other or at once: each answer has a token of its own', async () => {
    const [first, second] = await Promise.all([create(login), create(login)]);
    scene.now += GRACE - 1;
    const third = await create(login);
    const answers = [first, second, third];
    expect(new Set(answers.map(({ token }) => token)).size).toBe(3);
    expect(await idsOf('alice')).toEqual([first.session.id]);
    expect(new Set(answers.map(({ session }) => session.id)).size).toBe(1);
    expect(scene.told()).toEqual(['session.created', 'session.rotated login', 'session.rotated login']);
    // the browser is signed in with either response
    expect((await find(second.token))?.id).toBe(first.session.id);
    expect((await find(first.token))?.id).toBe(first.session.id);
  });

  it.each([0, 1, 2])('is shared by whoever holds answer %i of three', async (kept) => {
    const answers = await Promise.all([create(login), create(login), create(login)]);
    const { token, session } = answers[kept]!;
    for (let request = 0; request < 3; request += 1, scene.now += MINUTE) {
      expect((await find(token))?.id).toBe(session.id);
    }
  });

  it('is replaced, and not shared, once the time for that is over', async () => {
    const { token } = await create(login);
    scene.now += GRACE;
    const again = await create(login);
    expect([await find(token), await idsOf('alice')]).toEqual([undefined, [again.session.id]]);
    expect(scene.told()).toContain('session.destroyed replaced');
  });

  it('is replaced, and not shared, where a factor was proved in it: the second login has proved none', async () => {
    const { session } = await create(login);
    const proved = (await services.rotation.factorCompleted(session, 'totp'))!;
    const again = await create(login);
    expect([again.session.id === session.id, again.session.factors]).toEqual([false, {}]);
    expect([await find(proved.token), await idsOf('alice')]).toEqual([undefined, [again.session.id]]);
  });

  it.each(['create', 'rotate'] as const)('is made anew where the one to share has ended by %s', async (step) => {
    const { session } = await create(login);
    const end = (): Promise<boolean> => services.changes.destroySession(session, 'logout');
    const { store } = scene;
    if (step === 'create') {
      jest.spyOn(store, 'create').mockImplementationOnce(async (...args) => {
        const outcome = await store.create(...args);
        await end();
        return outcome;
      });
    } else {
      jest.spyOn(store, 'rotate').mockImplementationOnce(async (...args) => {
        await end();
        return store.rotate(...args);
      });
    }
    const again = await create(login);
    expect(again.session.id).not.toBe(session.id);
    expect((await find(again.token))?.id).toBe(again.session.id);
  });

  it('stands beside those of other devices, other users and no known device', async () => {
    const logins = [login, { ...login, device: 'phone' }, { user: ALICE }, { ...login, user: BOB }, { user: ALICE }];
    for (const each of logins) await create({ ...each, sharedFor: 0 });
    expect([(await idsOf('alice')).length, (await idsOf('bob')).length]).toEqual([3, 1]);
    expect(new Set(scene.told())).toEqual(new Set(['session.created', 'session.evicted']));
  });

  it('keeps the device for the next time, also where the user logs in over it', async () => {
    const { session } = await create(login);
    await services.rotation.renew(session, { user: ALICE, authentication: 'password' });
    expect(Session.recordOf(session).device).toBe('laptop');
  });
});

describe('a session that takes the place of a named one', () => {
  it('ends that in the same step, unless it is in use', async () => {
    const { session: before } = await create({ user: ALICE });
    const replaces = { id: before.id, unlessUsedFor: MINUTE };
    const { session } = await create({ user: ALICE, replaces });
    expect(await idsOf('alice')).toEqual([session.id]);
    expect(scene.told()).toEqual(['session.created', 'session.destroyed replaced', 'session.created']);
  });

  it('is none where that is in use: nothing changes, and nothing is told', async () => {
    const { token, session: before } = await create({ user: ALICE });
    scene.events();
    scene.now += 2 * MINUTE;
    await find(token);
    const replaces = { id: before.id, unlessUsedFor: MINUTE };
    expect(await services.changes.createUnlessInUse({ user: ALICE, replaces })).toBeUndefined();
    await expect(create({ user: ALICE, replaces })).rejects.toMatchObject({ code: 'session_required' });
    expect([await idsOf('alice'), scene.told()]).toEqual([[before.id], []]);
  });
});

describe('the announcement of a session', () => {
  it('is made of what is new for a user, and neither of what is nobody’s nor of what was there', async () => {
    const announced = jest.spyOn(NewSessionAnnouncer.prototype, 'announce').mockImplementation(() => undefined);
    services = scene.services({ notifier: { wants: () => false, send: () => undefined } });
    const token = issueSessionToken('alice');
    const { session } = await create({ user: ALICE, token, newDevice: false });
    await create({ user: ALICE, token, newDevice: false });
    await create({});
    const login = { user: BOB, device: 'laptop', newDevice: true, sharedFor: GRACE };
    const { session: ofBob } = await create(login);
    await create(login);
    scene.now += GRACE;
    const { session: again } = await create({ ...login, newDevice: false });
    expect(announced.mock.calls).toEqual([
      [ALICE, session, { newDevice: false, isReplacement: false }],
      [BOB, ofBob, { newDevice: true, isReplacement: false }],
      [BOB, again, { newDevice: false, isReplacement: true }],
    ]);
    announced.mockRestore();
  });
});

describe('the end of a session', () => {
  it('comes by the digest of any token that it ever had, whatever that is worth, in one call', async () => {
    const kinds: readonly [string, (issued: IssuedSession) => Promise<string>][] = [
      ['the present one', ({ token }) => Promise.resolve(token)],
      ['a successor that is out', async ({ session }) => (await services.rotation.rotate(session))!.token],
      [
        'one that was superseded long ago',
        async ({ token, session }) => {
          await find((await services.rotation.rotate(session))!.token);
          scene.now += MINUTE;
          return token;
        },
      ],
      [
        'one that was replaced at once',
        async ({ token, session }) => {
          await services.rotation.factorCompleted(session, 'totp');
          return token;
        },
      ],
      [
        'one that was replaced by a proof long ago',
        async ({ token, session }) => {
          await services.rotation.reauthenticated(session, { user: ALICE, authentication: 'password' });
          scene.now += MINUTE;
          return token;
        },
      ],
    ];
    for (const [what, tokenOf] of kinds) {
      const issued = await create({ user: ALICE });
      const token = await tokenOf(issued);
      scene.events();
      const deletions = jest.spyOn(scene.store, 'delete');
      const others = (['find', 'rotate', 'deleteByHandle'] as const).map((name) => jest.spyOn(scene.store, name));
      expect([what, await services.changes.destroy(digestOf(token), 'logout', CLIENT)]).toEqual([what, true]);
      expect(deletions).toHaveBeenCalledTimes(1);
      for (const other of others) expect(other).not.toHaveBeenCalled();
      jest.restoreAllMocks();
      expect(scene.events()).toMatchObject([
        { type: 'session.destroyed', sessionId: issued.session.id, userId: 'alice', reason: 'logout', client: CLIENT },
      ]);
      expect(await idsOf('alice')).toEqual([]);
    }
  });

  it('leaves nothing of a session that rotates at the same time', async () => {
    for (const grace of [undefined, 0]) {
      const { token, session } = await create({ user: ALICE });
      const [issued] = await Promise.all([
        services.rotation.rotate(session, { grace }).catch(() => undefined),
        services.changes.destroy(digestOf(token), 'logout'),
      ]);
      expect([await idsOf('alice'), issued && (await find(issued.token))]).toEqual([[], undefined]);
    }
  });
});
