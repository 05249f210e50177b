import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ALICE, CLIENT, HOUR, MINUTE, SECOND, SessionScene } from '../../test/fixtures/session-scene.js';
import type { SessionServices } from '../../test/fixtures/session-services.js';
import { digestOf, markOfUser } from '../crypto/session-token.js';
import type { IssuedSession } from './session-rotation.js';
import { Session } from './session.js';

const GRACE = 10 * SECOND;
const LOGIN = { user: ALICE, authentication: 'password' as const };
const REUSED = 'session.token_reused';

let scene: SessionScene;
let services: SessionServices;
let token: string;
let session: Session;

const find = (each: string): Promise<Session | undefined> => services.reader.find(each, { client: CLIENT });

/** Finds the session of a token that was replaced at once, as a request that repeats the proof does. */
const findRetired = (each: string, reader = services.reader, userId = 'alice'): Promise<Session | undefined> =>
  reader.readRetired({ token: each, digest: digestOf(each), userMark: markOfUser(userId) }, {});

/** As {@link findRetired}, for a token that a proof of identity replaced. */
async function findRenewable(each: string): Promise<Session | undefined> {
  const found = await findRetired(each);
  return found !== undefined && Session.foundBy(found).standing.kind === 'renewable' ? found : undefined;
}

/** Each proof of identity, with its name in the event. */
const PROOFS: readonly [string, string, (at: Session) => Promise<IssuedSession | undefined>][] = [
  ['a login over the session', 'login', (at) => services.rotation.renew(at, LOGIN)],
  ['a re-authentication', 'reauthentication', (at) => services.rotation.reauthenticated(at, LOGIN)],
  ['a change of password', 'credentials_changed', (at) => services.rotation.credentialsChanged(at)],
];

beforeEach(async () => {
  scene = new SessionScene();
  services = scene.services();
  ({ token, session } = await services.changes.create({ user: ALICE, client: CLIENT, data: { a: 1 } }));
  scene.events();
});

describe.each(PROOFS)('%s', (_what, reason, prove) => {
  it('replaces the token at once, and tells why', async () => {
    const issued = (await prove(session))!;
    expect(issued.session).toBe(session);
    expect(scene.told()).toEqual([`session.rotated ${reason}`]);
    expect([await find(token), (await find(issued.token))?.id]).toEqual([undefined, session.id]);
    expect(scene.told()).toEqual([]);
  });

  it('by a form that was sent twice is answered twice, and the client has a token that works either way', async () => {
    for (const kept of ['first', 'second']) {
      const form = await services.changes.create({ user: ALICE });
      const first = (await prove(form.session))!.token;
      scene.events();
      expect(await find(form.token)).toBeUndefined();
      const second = (await prove((await findRenewable(form.token))!))!.token;
      expect(scene.told()).toEqual([`session.rotated ${reason}`]);
      const [answer, lost] = kept === 'first' ? [first, second] : [second, first];
      for (let request = 0; request < 3; request += 1, scene.now += GRACE) {
        expect((await find(answer))?.id).toBe(form.session.id);
      }
      expect(scene.told()).toEqual([]);
      // the lost token: an unused successor still works, a replaced token does not
      expect((await find(lost)) !== undefined).toBe(kept === 'first');
    }
  });

  it('at the same time by two requests is answered to both', async () => {
    const requests = await Promise.all([find(token), find(token)]);
    const answers = await Promise.all(requests.map((each) => prove(each!)));
    const [first, second] = answers.map((answer) => answer!.token);
    expect(first).not.toBe(second);
    expect([(await find(first!))?.id, (await find(second!))?.id]).toEqual([session.id, session.id]);
    expect(scene.told()).toEqual([`session.rotated ${reason}`, `session.rotated ${reason}`]);
  });

  it('again changes nothing of the session: the first one counts', async () => {
    const first = (await prove(session))!;
    const { authenticatedAt, createdAt, absoluteExpiresAt } = (await find(first.token))!;
    scene.now += GRACE - 1;
    const again = (await prove((await findRenewable(token))!))!;
    const found = (await find(again.token))!;
    expect([found.authenticatedAt, found.createdAt, found.absoluteExpiresAt]).toEqual([
      authenticatedAt,
      createdAt,
      absoluteExpiresAt,
    ]);
  });

  it('again is nothing once the grace is over, and no session is found to prove it by', async () => {
    await prove(session);
    const late = (await findRenewable(token))!;
    scene.now += GRACE - 1;
    expect(await findRenewable(token)).toBeDefined();
    scene.now += 1;
    expect([await findRenewable(token), await prove(late)]).toEqual([undefined, undefined]);
    scene.events();
    expect([await find(token), scene.told()]).toEqual([undefined, [REUSED]]);
  });

  it('again is nothing after a factor was proved, nor after any other new token that is worth more', async () => {
    const first = (await prove(session))!;
    const late = (await findRenewable(token))!;
    await services.rotation.factorCompleted((await find(first.token))!, 'totp');
    expect([await findRenewable(token), await prove(late)]).toEqual([undefined, undefined]);
    const other = await services.changes.create({ user: ALICE });
    const proved = (await prove(other.session))!;
    await services.rotation.rotate(proved.session, { grace: 0 });
    expect(await findRenewable(other.token)).toBeUndefined();
  });

  it('again is nothing after the session has ended', async () => {
    await prove(session);
    const late = (await findRenewable(token))!;
    await services.changes.destroySession(session, 'logout');
    expect(await findRenewable(token)).toBeUndefined();
    await expect(prove(late)).rejects.toMatchObject({ code: 'session_required' });
  });

  it('again, of which both answers are lost, is one of at most four tokens that are out', async () => {
    const first = (await prove(session))!;
    for (let again = 0; again < 6; again += 1) await prove((await findRenewable(token))!);
    expect(Session.recordOf((await find(first.token))!).tokens).toHaveLength(5);
  });

  it('counts by a token that was superseded: the proof is as good, and leaves one token', async () => {
    const { token: successor } = (await services.rotation.rotate(session))!;
    await find(successor);
    const late = (await find(token))!;
    const { token: newest } = (await prove(late))!;
    expect([await find(token), await find(successor), (await find(newest))?.id]).toEqual([
      undefined,
      undefined,
      session.id,
    ]);
  });

  it('counts over a successor that was handed out since, which is renewable as well', async () => {
    const { token: successor } = (await services.rotation.rotate((await find(token))!))!;
    await prove(session);
    expect(await find(successor)).toBeUndefined();
    const again = await prove((await findRenewable(successor))!);
    expect(await find(again!.token)).toBeDefined();
  });

  it('proves nothing by a token that was replaced at once by something else', async () => {
    const late = (await find(token))!;
    await services.rotation.rotate(session, { grace: 0 });
    scene.events();
    expect([await findRenewable(token), await prove(late), scene.told()]).toEqual([undefined, undefined, []]);
  });
});

describe('the session of a token that a proof has replaced', () => {
  it('is good for nothing else: neither its data nor a factor can be written, and no token comes of it', async () => {
    await services.rotation.reauthenticated(session, LOGIN);
    const { rotation } = services;
    const found = async (): Promise<Session> => (await findRenewable(token))!;
    await expect((await found()).update({ b: 2 })).rejects.toMatchObject({ code: 'session_required' });
    expect(await rotation.rotate(await found())).toBeUndefined();
    expect(await rotation.rotate(await found(), { grace: 0 })).toBeUndefined();
    expect(await rotation.factorCompleted(await found(), 'totp')).toBeUndefined();
  });

  it('is looked for without a word, and without counting as activity', async () => {
    const { token: other } = await services.changes.create({ user: ALICE });
    await services.rotation.reauthenticated(session, LOGIN);
    scene.events();
    const before = Session.recordOf(session).lastActivityAt;
    scene.now += GRACE - 1;
    const { reader } = scene.services({ lifetime: { touchInterval: 0 } });
    expect(Session.recordOf((await findRetired(token, reader))!).lastActivityAt).toBe(before);
    for (const none of [other, token.slice(0, 22) + other.slice(22)]) expect(await findRetired(none)).toBeUndefined();
    expect(scene.told()).toEqual([]);
  });

  it('is found for its grace where something else has replaced the token, and proves nothing', async () => {
    await services.rotation.factorCompleted(session, 'totp');
    const found = (await findRetired(token))!;
    expect([found.id, Session.foundBy(found).standing.kind, await findRenewable(token)]).toEqual([
      session.id,
      'retired',
      undefined,
    ]);
    scene.now += GRACE;
    expect(await findRetired(token)).toBeUndefined();
  });

  it('is not found in another user’s record', async () => {
    await services.rotation.reauthenticated(session, LOGIN);
    expect(await findRetired(token, services.reader, 'bob')).toBeUndefined();
  });
});

describe('renew', () => {
  it('makes a fresh login of a session: new deadlines, present account and client; data stays', async () => {
    scene.now += HOUR / 2;
    const { now } = scene;
    const client = { ip: '192.0.2.2', userAgent: 'other/1.0' };
    const user = { id: 'alice', email: 'new@example.com', roles: ['customer', 'admin'] };
    const login = { user, authentication: 'password' as const, client, fingerprint: 'traits of the login' };
    const issued = (await services.rotation.renew(session, login))!;
    expect(scene.events()).toMatchObject([{ type: 'session.rotated', reason: 'login', client }]);
    expect(Session.recordOf((await find(issued.token))!)).toEqual({
      digest: digestOf(issued.token),
      id: session.id,
      revision: 1,
      tokens: [expect.objectContaining({ kind: 'renewable', at: now + GRACE })],
      formerRoles: [],
      rolesSince: 0,
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
  });

  it('leaves nothing of further factors: the login has proved none', async () => {
    const proved = (await services.rotation.factorCompleted(session, 'totp'))!;
    const issued = await services.rotation.renew(proved.session, LOGIN);
    expect((await find(issued!.token))!.factors).toEqual({});
  });

  it('takes roles and e-mail address away from a user who has none left', async () => {
    expect(session.email).toBe(ALICE.email);
    const issued = await services.rotation.renew(session, { user: { id: 'alice' }, authentication: 'custom' });
    const found = (await find(issued!.token))!;
    expect([found.roles, found.email, found.toJSON().email]).toEqual([[], undefined, undefined]);
  });
});

describe('reauthenticated', () => {
  it('renews authenticatedAt and keeps the absolute deadline', async () => {
    const start = scene.now;
    scene.now += HOUR / 2;
    const issued = (await services.rotation.reauthenticated(session, {
      user: { id: 'alice', email: 'new@example.com', roles: ['customer', 'admin'] },
      authentication: 'password',
      client: CLIENT,
      fingerprint: 'traits',
    }))!;
    expect(scene.events()).toMatchObject([{ type: 'session.rotated', reason: 'reauthentication', client: CLIENT }]);
    const found = (await find(issued.token))!;
    const { email, roles, fingerprint } = Session.recordOf(found);
    expect([email, roles, fingerprint]).toEqual(['new@example.com', ['customer', 'admin'], 'traits']);
    const { authenticatedAt, authentication, createdAt, absoluteExpiresAt } = found;
    expect([authenticatedAt, authentication, createdAt, absoluteExpiresAt]).toEqual([
      new Date(scene.now),
      'password',
      new Date(start),
      new Date(start + 24 * HOUR),
    ]);
  });
});

describe('credentialsChanged', () => {
  it('changes nothing but the token', async () => {
    const before = Session.recordOf(session);
    scene.now += MINUTE;
    const issued = (await services.rotation.credentialsChanged(session, CLIENT))!;
    expect(scene.events()).toMatchObject([
      { type: 'session.rotated', reason: 'credentials_changed', sessionId: session.id, client: CLIENT },
    ]);
    const { tokens: _, ...after } = Session.recordOf(session);
    expect(after).toEqual({
      ...before,
      digest: digestOf(issued.token),
      revision: 1,
      rotatedAt: scene.now,
      rolesSince: 0,
    });
  });
});

describe('factorCompleted', () => {
  const complete = (at: Session, factor: string): Promise<IssuedSession | undefined> =>
    services.rotation.factorCompleted(at, factor, CLIENT);

  it('records the factor under a new token, the old one dead at once, and leaves everything else as it is', async () => {
    const before = Session.recordOf(session);
    scene.now += HOUR / 2;
    const issued = (await complete(session, 'totp'))!;
    expect(scene.events()).toMatchObject([
      { type: 'session.rotated', reason: 'factor_completed', factor: 'totp', client: CLIENT },
    ]);
    const { tokens: _, ...after } = Session.recordOf(session);
    expect(after).toEqual({
      ...before,
      digest: digestOf(issued.token),
      revision: 1,
      rotatedAt: scene.now,
      rolesSince: 0,
      factors: { totp: scene.now },
    });
    expect([await find(token), await findRenewable(token)]).toEqual([undefined, undefined]);
    expect((await find(issued.token))!.factors).toEqual({ totp: new Date(scene.now) });
    expect(scene.told()).toEqual([]);
  });

  it('keeps the factors of before, and the time of the last proof of each', async () => {
    for (const factor of ['totp', 'passkey', 'totp']) {
      scene.now += MINUTE;
      await complete(session, factor);
    }
    const expected = { totp: new Date(scene.now), passkey: new Date(scene.now - MINUTE) };
    expect(session.factors).toEqual(expected);
    await services.rotation.reauthenticated(session, LOGIN);
    expect(session.factors).toEqual(expected);
  });

  it('records nothing where another request has replaced the token, be it for a factor as well', async () => {
    const [late, later] = [(await find(token))!, (await find(token))!];
    const used = (await find((await services.rotation.rotate(session))!.token))!;
    expect(await complete(late, 'totp')).toBeUndefined();
    await complete(used, 'passkey');
    expect(await complete(later, 'totp')).toBeUndefined();
    const { sessions } = await services.lifecycle.list('alice');
    expect(sessions.map(({ factors }) => factors)).toEqual([{ passkey: new Date(scene.now) }]);
  });

  it('records of several at once that of one', async () => {
    const requests = await Promise.all(Array.from({ length: 5 }, () => find(token)));
    const answers = await Promise.all(requests.map((each, index) => complete(each!, `factor-${index}`)));
    const [issued, ...others] = answers.filter((answer) => answer !== undefined);
    expect(others).toEqual([]);
    expect(Object.keys((await find(issued!.token))!.factors)).toHaveLength(1);
  });

  it('refuses a session of nobody, and what is no name, before the store is asked', async () => {
    const { session: anonymous } = await services.changes.create({});
    const rotations = jest.spyOn(scene.store, 'rotate');
    await expect(complete(anonymous, 'totp')).rejects.toMatchObject({
      code: 'session_required',
      message: 'sign in first',
    });
    await expect(complete(session, '__proto__')).rejects.toMatchObject({ code: 'invalid_configuration' });
    expect(rotations).not.toHaveBeenCalled();
  });
});
