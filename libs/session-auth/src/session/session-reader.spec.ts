import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ALICE, CLIENT, HOUR, SECOND, SessionScene } from '../../test/fixtures/session-scene.js';
import type { SessionServices } from '../../test/fixtures/session-services.js';
import { digestOf, issueNextSessionToken, issueSessionToken, markOfUser } from '../crypto/session-token.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { NewSession } from './login-record.js';
import type { SessionRecord } from './session-record.js';
import { Session } from './session.js';

const GRACE = 10 * SECOND;

let scene: SessionScene;
let services: SessionServices;

const find = (token: string): Promise<Session | undefined> => services.reader.find(token, { client: CLIENT });
const present = (token: string): Promise<Session | undefined> => services.reader.read(digestOf(token), {});
const standingOf = (session: Session | undefined): string | undefined =>
  session && Session.foundBy(session).standing.kind;

/** Returns a session of Alice with a successor of its token, and clears the events. */
async function handedOver(): Promise<{ token: string; successor: string; session: Session }> {
  const { token, session } = await services.changes.create({ user: ALICE });
  const { token: successor } = (await services.rotation.rotate(session))!;
  scene.events();
  return { token, successor, session };
}

beforeEach(() => {
  scene = new SessionScene();
  services = scene.services();
});

describe('a read', () => {
  it('works out the client only when it has to be stored', async () => {
    const { token } = await services.changes.create({ user: ALICE });
    const client = jest.fn(() => CLIENT);
    const scope = Object.defineProperty({}, 'client', { get: client });
    const read = (): Promise<Session | undefined> => services.reader.find(token, scope);
    expect((await read())?.userId).toBe(ALICE.id);
    expect(client).not.toHaveBeenCalled();
    scene.now += HOUR / 2;
    expect((await read())?.ip).toBe(CLIENT.ip);
    expect(client).toHaveBeenCalled();
  });
});

describe('the first use of a successor', () => {
  it('puts it in the place of the token, in one write; no other use writes', async () => {
    const { token, successor, session } = await handedOver();
    const [finds, rotations] = [jest.spyOn(scene.store, 'find'), jest.spyOn(scene.store, 'rotate')];
    const used = (await find(successor))!;
    expect([used.id, standingOf(used), Session.recordOf(used).digest]).toEqual([
      session.id,
      'present',
      digestOf(successor),
    ]);
    expect([finds, rotations].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
    expect(standingOf(await find(successor))).toBe('present');
    expect(standingOf(await find(token))).toBe('superseded');
    expect([finds, rotations].map(({ mock }) => mock.calls.length)).toEqual([3, 1]);
    expect(scene.told()).toEqual([]);
  });

  it('is not made by reading alone: only by who accepts the session', async () => {
    const { token, successor } = await handedOver();
    const read = (await present(successor))!;
    expect([standingOf(read), standingOf(await find(token))]).toEqual(['successor', 'present']);
    expect(standingOf(await services.reader.accept(read, {}))).toBe('present');
    expect(standingOf(await find(token))).toBe('superseded');
  });

  it('is shared by all requests that make it at once', async () => {
    const { token, successor } = await handedOver();
    const sessions = await Promise.all(Array.from({ length: 20 }, () => find(successor)));
    expect(sessions.map(standingOf)).toEqual(Array(20).fill('present'));
    expect(standingOf(await find(token))).toBe('superseded');
    expect(scene.told()).toEqual([]);
  });

  it('is one successor’s: of two that come at once the other one is a replaced token', async () => {
    const { successor, session } = await handedOver();
    scene.now += GRACE;
    const { token: another } = (await services.rotation.rotate(session))!;
    scene.events();
    const [first, second] = (await Promise.all([present(successor), present(another)])) as [Session, Session];
    const accepted = await Promise.all([first, second].map((each) => services.reader.accept(each, {})));
    expect(accepted.map(standingOf)).toEqual(['present', undefined]);
    expect(scene.told()).toEqual(['session.token_reused']);
  });

  it('finds none where the session has ended since it was read', async () => {
    const { successor, session } = await handedOver();
    const read = (await present(successor))!;
    await services.changes.destroySession(session, 'logout');
    scene.events();
    expect(await services.reader.accept(read, { client: CLIENT })).toBeUndefined();
    expect(scene.events()).toMatchObject([{ type: 'session.used_after_end', client: CLIENT }]);
  });

  it('is not kept from its place by what changes the session meanwhile', async () => {
    const { token, successor, session } = await handedOver();
    const read = (await present(successor))!;
    await services.ofUsers.update('alice', { roles: ['auditor'], email: 'new@example.com' });
    scene.now += GRACE;
    await services.rotation.rotate((await find(token))!);
    const accepted = (await services.reader.accept(read, {}))!;
    expect([standingOf(accepted), accepted.id, accepted.email]).toEqual(['present', session.id, 'new@example.com']);
    expect(accepted.roles).toEqual([]);
  });

  it('finds none where the session is another one at each look, and all is well with the next request', async () => {
    const { successor } = await handedOver();
    const rotations = jest.spyOn(scene.store, 'rotate');
    const original = rotations.getMockImplementation()!;
    rotations.mockImplementation(async function (this: typeof scene.store, digest, rotation) {
      await services.ofUsers.update('alice', { email: `${rotations.mock.calls.length}@example.com` });
      return original.call(this, digest, rotation);
    });
    expect(await find(successor)).toBeUndefined();
    expect(rotations).toHaveBeenCalledTimes(50);
    rotations.mockRestore();
    expect(standingOf(await find(successor))).toBe('present');
    expect(scene.told()).toEqual([]);
  });

  it.each<[string, (record: SessionRecord) => Partial<SessionRecord>]>([
    ['user', () => ({ userId: 'bob' })],
    ['handle', () => ({ id: 'x'.repeat(20) })],
    ['digest', () => ({ digest: digestOf(issueSessionToken('alice')) })],
  ])('does not believe a store that returns a record with another %s for it', async (_what, change) => {
    const { successor } = await handedOver();
    for (const status of ['rotated', 'changed'] as const) {
      const read = (await present(successor))!;
      const record = { ...Session.recordOf(read), ...change(Session.recordOf(read)) };
      jest.spyOn(scene.store, 'rotate').mockResolvedValueOnce({ status, record });
      expect(await services.reader.accept(read, {})).toBeUndefined();
      expect(scene.told()).toEqual(['session.corrupt_record']);
    }
  });

  it('finds none where the record cannot be read any more, and says only that', async () => {
    const { successor } = await handedOver();
    const unreadable = new SessionAuthError('corrupt_session_record', 'unreadable');
    jest.spyOn(scene.store, 'rotate').mockRejectedValueOnce(unreadable);
    expect(await find(successor)).toBeUndefined();
    expect(scene.told()).toEqual(['session.corrupt_record']);
  });

  it('fails where the store does, and is made by the next request', async () => {
    const { successor } = await handedOver();
    jest.spyOn(scene.store, 'rotate').mockRejectedValueOnce(new Error('down'));
    await expect(find(successor)).rejects.toMatchObject({ code: 'session_store_unavailable' });
    expect(standingOf(await find(successor))).toBe('present');
  });
});

describe('the use of a replaced token', () => {
  /** A session, by default of Alice, the token that was replaced, and the present one. */
  async function replaced(login: NewSession = { user: ALICE }): Promise<{ old: string; token: string; id: string }> {
    const { token: old, session } = await services.changes.create(login);
    const { token } = (await services.rotation.rotate(session))!;
    await find(token);
    scene.now += GRACE;
    scene.events();
    return { old, token, id: session.id };
  }

  it('is refused and told, with session and user, each time; the session goes on', async () => {
    const { old, token, id } = await replaced();
    expect([await find(old), await find(old)]).toEqual([undefined, undefined]);
    const told = {
      type: 'session.token_reused',
      realm: 'default',
      at: new Date(scene.now),
      sessionId: id,
      userId: 'alice',
      client: CLIENT,
    };
    expect(scene.events()).toEqual([told, told]);
    expect(standingOf(await find(token))).toBe('present');
  });

  it('is told of a genuine token that the session has never kept in mind: the caller vouches for it', async () => {
    const { token } = await replaced();
    expect(await find(issueNextSessionToken(token))).toBeUndefined();
    expect(scene.told()).toEqual(['session.token_reused']);
  });

  it('is no activity', async () => {
    const { old, token } = await replaced();
    scene.now += HOUR / 2;
    await find(old);
    expect((await find(token))!.lastActivityAt.getTime()).toBe(scene.now);
    scene.now += HOUR - 1;
    await find(old);
    scene.now += 1;
    expect(await find(token)).toBeUndefined();
  });

  it('is use after the end where the session is over', async () => {
    const { old, token } = await replaced();
    await services.changes.destroy(digestOf(token), 'logout');
    scene.events();
    expect(await find(old)).toBeUndefined();
    expect(scene.told()).toEqual(['session.used_after_end']);
  });

  it('is nothing to tell where a token is only looked at', async () => {
    const { old, token } = await replaced();
    expect(await services.reader.read(digestOf(old), {}, { isUse: false })).toBeUndefined();
    await services.changes.destroy(digestOf(token), 'logout');
    scene.events();
    expect(await services.reader.read(digestOf(old), {}, { isUse: false })).toBeUndefined();
    expect(scene.told()).toEqual([]);
  });

  describe('with onReuse: end-session', () => {
    const forgetSession = jest.fn(() => Promise.resolve(1));

    beforeEach(() => {
      forgetSession.mockClear();
      const devices = {
        forgetSession,
        tokenStore: undefined,
        forgetEvery: () => Promise.resolve(),
        forgetOthers: () => Promise.reject(new Error('not asked for')),
      };
      services = scene.services({ lifetime: { onReuse: 'end-session' }, devices });
    });

    it('ends the session for both, and forgets the device that it was signed in from', async () => {
      const { old, token, id } = await replaced();
      expect(await find(old)).toBeUndefined();
      expect(scene.events()).toMatchObject([
        { type: 'session.token_reused', sessionId: id, userId: 'alice', client: CLIENT },
        { type: 'session.destroyed', sessionId: id, userId: 'alice', reason: 'token_reused', client: CLIENT },
      ]);
      expect(forgetSession.mock.calls).toEqual([['alice', id]]);
      expect(await find(token)).toBeUndefined();
    });

    it('ends a session of nobody', async () => {
      const { old, token, id } = await replaced({});
      expect(await find(old)).toBeUndefined();
      expect(scene.events()).toMatchObject([
        { type: 'session.token_reused', sessionId: id, userId: undefined },
        { type: 'session.destroyed', sessionId: id, reason: 'token_reused' },
      ]);
      expect(forgetSession).not.toHaveBeenCalled();
      expect(await find(token)).toBeUndefined();
    });

    it('ends nothing by a token that is still honoured, nor by one that is refused without being reuse', async () => {
      const { token, successor } = await handedOver();
      const used = (await find(successor))!;
      expect(standingOf(await find(token))).toBe('superseded');
      await services.rotation.rotate(used, { grace: 0 });
      expect([await find(successor), await find(token)]).toEqual([undefined, undefined]);
      expect(scene.told()).toEqual(['session.rotated requested']);
      expect(scene.store.size).toBe(1);
    });

    it('fails where the store cannot end it: the request is not let in, and may come again', async () => {
      const { old, token } = await replaced();
      jest.spyOn(scene.store, 'deleteByHandle').mockRejectedValueOnce(new Error('down'));
      await expect(find(old)).rejects.toMatchObject({ code: 'session_store_unavailable' });
      expect(await find(old)).toBeUndefined();
      expect(await find(token)).toBeUndefined();
    });
  });
});

describe('a record that is not the one asked for', () => {
  it('is no session for whoever knows which one it is to be: of another handle, of another user', async () => {
    const { token, session } = await services.changes.create({ user: ALICE });
    const { session: own } = await services.changes.create({ user: ALICE });
    const { session: foreign } = await services.changes.create({ user: { id: 'bob' } });
    const userMark = markOfUser('alice');
    const read = (): Promise<Session | undefined> => services.reader.read(digestOf(token), {}, { userMark });
    expect((await read())?.id).toBe(session.id);
    scene.events();
    const record = Session.recordOf(session);
    for (const other of [
      Session.recordOf(own),
      Session.recordOf(foreign),
      { ...record, userId: 'bob' },
      { ...record, userId: undefined },
      { ...record, digest: Session.recordOf(own).digest },
    ]) {
      jest.spyOn(scene.store, 'find').mockResolvedValueOnce({ status: 'live', record: other });
      expect(await read()).toBeUndefined();
      expect(scene.told()).toEqual(['session.corrupt_record']);
    }
  });

  it('is no session for whoever asks by handle, and not told: nobody has shown a token', async () => {
    const { session } = await services.changes.create({ user: ALICE });
    const { session: foreign } = await services.changes.create({ user: { id: 'bob' } });
    const { reader } = services;
    const found = await reader.readByHandle('alice', session.id, {});
    expect([found?.id, found?.userId]).toEqual([session.id, 'alice']);
    scene.events();
    expect(await reader.readByHandle('alice', foreign.id, {})).toBeUndefined();
    expect(await reader.readByHandle('alice', 'x'.repeat(20), {})).toBeUndefined();
    jest
      .spyOn(scene.store, 'find')
      .mockResolvedValueOnce({ status: 'live', record: { ...Session.recordOf(session), userId: 'bob' } });
    expect(await reader.readByHandle('alice', session.id, {})).toBeUndefined();
    expect(scene.told()).toEqual([]);
  });
});
