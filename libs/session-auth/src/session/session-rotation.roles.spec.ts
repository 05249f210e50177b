import { beforeEach, describe, expect, it } from '@jest/globals';
import { ALICE, SECOND, SessionScene } from '../../test/fixtures/session-scene.js';
import type { SessionServices } from '../../test/fixtures/session-services.js';
import { Session } from './session.js';

const GRACE = 10 * SECOND;
const BOTH = ['customer', 'admin'];

let scene: SessionScene;
let services: SessionServices;

const find = async (token: string): Promise<Session> => (await services.reader.find(token, {}))!;
const rolesOf = async (token: string): Promise<readonly string[]> => (await find(token)).roles;
const changeRoles = (roles: readonly string[]): Promise<number> => services.ofUsers.update('alice', { roles });

/** Issues a successor if the token must be replaced, as a request does. */
async function request(token: string): Promise<{ roles: readonly string[]; successor: string | undefined }> {
  const session = await find(token);
  const issued = services.reader.isRotationDue(session) ? await services.rotation.handOver(session) : undefined;
  return { roles: session.roles, successor: issued?.token };
}

let token: string;
let session: Session;

beforeEach(async () => {
  scene = new SessionScene();
  services = scene.services();
  ({ token, session } = await services.changes.create({ user: ALICE }));
  scene.events();
});

describe('a role that was gained', () => {
  it('comes with the successor, and to the request that gets it; no other by the old token has it', async () => {
    await changeRoles(BOTH);
    expect(await rolesOf(token)).toEqual(['customer']);
    const [first, second] = await Promise.all([request(token), request(token)]);
    expect([first.roles, second]).toEqual([BOTH, { roles: ['customer'], successor: undefined }]);
    expect(await rolesOf(token)).toEqual(['customer']);
    expect(await rolesOf(first.successor!)).toEqual(BOTH);
    expect([await rolesOf(token), await rolesOf(first.successor!)]).toEqual([['customer'], BOTH]);
    expect(scene.events()).toMatchObject([
      { type: 'session.rotated', reason: 'roles_changed', sessionId: session.id, userId: 'alice' },
    ]);
  });

  it('comes with a token that is replaced at once, and to the request that replaces it', async () => {
    await changeRoles(BOTH);
    const found = await find(token);
    const { token: newest } = (await services.rotation.rotate(found, { grace: 0 }))!;
    expect([found.roles, await rolesOf(newest)]).toEqual([BOTH, BOTH]);
    expect(Session.recordOf(found).formerRoles).toEqual([]);
    expect(services.reader.isRotationDue(found)).toBe(false);
  });

  it('does not come with a successor that was on its way before: that one is due to be replaced again', async () => {
    const { token: successor } = (await services.rotation.rotate(session))!;
    await changeRoles(BOTH);
    const { roles, successor: second } = await request(successor);
    expect([roles, await rolesOf(second!), await rolesOf(successor)]).toEqual([BOTH, BOTH, ['customer']]);
    expect(scene.told()).toEqual(['session.rotated requested', 'session.rotated roles_changed']);
  });

  it('comes with another successor where the answer with the first one was lost', async () => {
    await changeRoles(BOTH);
    await request(token);
    scene.now += GRACE;
    expect(await rolesOf(token)).toEqual(['customer']);
    const again = await request(token);
    expect([again.roles, await rolesOf(again.successor!)]).toEqual([BOTH, BOTH]);
  });

  it('is not the session’s any more once it was taken away, whatever token comes', async () => {
    await changeRoles(BOTH);
    const { successor } = await request(token);
    await changeRoles(['customer']);
    expect([await rolesOf(token), await rolesOf(successor!)]).toEqual([['customer'], ['customer']]);
  });

  it('may come to a handler that changes the roles with the token: it alone has it', async () => {
    const issued = await services.rotation.rotate(session, { changes: { roles: BOTH } });
    expect([session.roles, await rolesOf(token), await rolesOf(issued!.token)]).toEqual([BOTH, ['customer'], BOTH]);
  });
});

describe('a role that was lost', () => {
  it('is lost by every token at once, and by every request from the next read on', async () => {
    const { token: successor } = (await services.rotation.rotate(session))!;
    await changeRoles([]);
    expect([await rolesOf(token), await rolesOf(successor), await rolesOf(token)]).toEqual([[], [], []]);
  });

  it('does not come back with a token from before', async () => {
    await changeRoles([]);
    await changeRoles(['customer']);
    expect(await rolesOf(token)).toEqual([]);
    const { roles, successor } = await request(token);
    expect([roles, await rolesOf(successor!), await rolesOf(token)]).toEqual([['customer'], ['customer'], []]);
  });

  it('leaves a session that has another one instead with neither, until it has a new token', async () => {
    await changeRoles(['auditor']);
    expect(await rolesOf(token)).toEqual([]);
    const { successor } = await request(token);
    expect([await rolesOf(successor!), await rolesOf(token)]).toEqual([['auditor'], []]);
  });
});

describe('roles that change again and again', () => {
  it('are those that a token has had all the time, for each token by itself', async () => {
    await changeRoles(['customer', 'auditor']);
    const { successor: second } = await request(token);
    await find(second!);
    await changeRoles(['customer', 'auditor', 'admin']);
    const { successor: third } = await request(second!);
    await find(third!);
    await changeRoles(['auditor', 'admin', 'root']);
    const tokens = [token, second!, third!];
    expect(await Promise.all(tokens.map(rolesOf))).toEqual([[], ['auditor'], ['auditor', 'admin']]);
  });

  it('are kept only as far back as a token that is honoured', async () => {
    let current = token;
    for (let change = 0; change < 30; change += 1) {
      await changeRoles([`role-${change}`]);
      current = (await request(current)).successor!;
      const record = Session.recordOf(await find(current));
      // at most eight, for tokens that were superseded within the grace period
      expect(record.formerRoles!.length).toBeLessThanOrEqual(9);
      expect(record.tokens!.length).toBeLessThanOrEqual(8);
      if (change % 10 === 9) scene.now += GRACE;
    }
    expect(await rolesOf(current)).toEqual(['role-29']);
  });

  it('are no change where they are the same: the token is replaced, and the reason is another', async () => {
    await changeRoles(['customer']);
    const { roles, successor } = await request(token);
    expect([roles, await rolesOf(successor!), scene.told()]).toEqual([
      ['customer'],
      ['customer'],
      ['session.rotated interval'],
    ]);
  });

  it('are the account’s in a list, whatever token its session has', async () => {
    await changeRoles(BOTH);
    const { sessions } = await services.lifecycle.list('alice');
    expect(sessions.map(({ roles }) => roles)).toEqual([BOTH]);
  });
});
