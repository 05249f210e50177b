import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { anyCharacter } from '../../test/any-character.js';
import { CLIENT, logIn, RememberMeWorld, signIn } from '../../test/fixtures/remember-me-world.js';
import type { RememberMeServices } from '../../test/fixtures/remember-me-services.js';
import { markOfUser } from '../crypto/session-token.js';
import { DAY, MINUTE, SECOND } from '../time/units.js';

const GRACE = 30 * SECOND;

let world: RememberMeWorld;
let node: RememberMeServices;

beforeEach(() => {
  world = new RememberMeWorld();
  node = world.node();
});

/** The handles of Alice's live sessions. */
async function sessions(): Promise<string[]> {
  const { records } = await world.sessions.list('alice', { limit: 100 }, world.now);
  return records.map(({ id }) => id);
}

const thefts = (): number => world.events.filter(({ type }) => type === 'remember_me.theft').length;

describe('forgetting a device by its token', () => {
  it('ends the session that it was signed in by, and no other', async () => {
    const other = await logIn(node);
    const { token } = await logIn(node);
    const { session } = await signIn(node, token);
    expect(await node.revocation.forget(token, { reason: 'logout', client: CLIENT })).toBe(true);
    expect(world.events.at(-1)).toMatchObject({
      type: 'session.destroyed',
      sessionId: session.session.id,
      reason: 'logout',
      client: CLIENT,
    });
    expect(await sessions()).toEqual([other.sessionId]);
    expect(await node.rememberMe.list('alice')).toHaveLength(1);
    expect(thefts()).toBe(0);
  });

  it.each(['present', 'successor'])('does so by the %s validator, and is not known any more', async (which) => {
    const { token } = await logIn(node);
    const { token: successor } = await signIn(node, token);
    expect(await node.revocation.forget(which === 'present' ? token : successor, {})).toBe(true);
    expect(await sessions()).toEqual([]);
    for (const each of [token, successor]) {
      expect(await node.revocation.forget(each, {})).toBe(false);
      expect(await node.signIns.signIn(each, {})).toEqual({ status: 'refused' });
    }
    expect(thefts()).toBe(0);
  });

  it('does so by a validator that was replaced a moment ago', async () => {
    const { token } = await logIn(node);
    await signIn(node, (await signIn(node, token)).token);
    expect(await node.revocation.forget(token, {})).toBe(true);
    expect(await sessions()).toEqual([]);
    expect(thefts()).toBe(0);
  });

  it('leaves the session that goes on, or has ended already', async () => {
    const { token, sessionId } = await logIn(node);
    world.heard();
    expect(await node.revocation.forget(token, { exceptSessionId: sessionId })).toBe(true);
    expect(await sessions()).toEqual([sessionId]);
    expect(world.heard()).toEqual([]);
  });

  it('ends both sessions of a device that is being signed in', async () => {
    const { token, sessionId } = await logIn(node);
    const create = world.sessions.create.bind(world.sessions);
    jest.spyOn(world.sessions, 'create').mockImplementationOnce(async (record, admission, now) => {
      const outcome = await create(record, { ...admission, replaces: undefined }, now);
      expect(await sessions()).toHaveLength(2);
      await node.revocation.forget(token, { reason: 'logout' });
      return outcome;
    });
    expect(await node.signIns.signIn(token, {})).toEqual({ status: 'refused' });
    expect(await sessions()).toEqual([]);
    expect(sessionId).toBeDefined();
  });

  it('does nothing for what is no token, or none that is known', async () => {
    const remove = jest.spyOn(world.tokens, 'delete');
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: anyCharacter, maxLength: 90 }), async (text) => {
        expect(await node.revocation.forget(text, {})).toBe(false);
      }),
    );
    expect(remove).not.toHaveBeenCalled();
    expect(await node.revocation.forget(`${'A'.repeat(24)}:${'A'.repeat(43)}`, {})).toBe(false);
    const { token } = await logIn(node);
    world.now += 30 * DAY;
    expect(await node.revocation.forget(token, {})).toBe(false);
  });

  it('ends nobody’s session where the store has mixed users up', async () => {
    const { token, sessionId } = await logIn(node);
    world.heard();
    expect(await node.revocation.forget(token, {}, markOfUser('bob'))).toBe(false);
    expect(world.heard()).toEqual(['session.corrupt_record']);
    expect(await sessions()).toEqual([sessionId]);
  });
});

describe('a stolen token that is to be forgotten', () => {
  it('is dealt with like one that is used: tokens and sessions end, and one of many callers tells', async () => {
    const { token } = await logIn(node);
    await logIn(node);
    await signIn(node, (await signIn(node, token)).token);
    world.now += GRACE;
    world.heard();
    const forgotten = await Promise.all(
      Array.from({ length: 5 }, () => node.revocation.forget(token, { reason: 'logout', client: CLIENT })),
    );
    expect(forgotten.filter(Boolean)).toHaveLength(1);
    expect(world.events.filter(({ type }) => type === 'remember_me.theft')).toEqual([
      expect.objectContaining({ userId: 'alice', revokedTokens: 2, revokedSessions: 2, client: CLIENT }),
    ]);
    expect(await sessions()).toEqual([]);
    expect(await node.rememberMe.list('alice')).toEqual([]);
  });

  it('leaves the session in which the user has just proved who they are', async () => {
    const { token } = await logIn(node);
    await signIn(node, (await signIn(node, token)).token);
    world.now += GRACE;
    const { session } = await node.sessions.changes.create({ user: { id: 'alice' } });
    await node.revocation.forget(token, { exceptSessionId: session.id });
    expect(thefts()).toBe(1);
    expect(await sessions()).toEqual([session.id]);
  });

  it('is also the present one, where somebody went on with the answer that was thought lost', async () => {
    const { token } = await logIn(node);
    const { session } = await signIn(node, token);
    world.now += MINUTE + 1;
    await world.visit(node, session.token);
    expect(await node.revocation.forget(token, { reason: 'logout' })).toBe(true);
    expect(thefts()).toBe(1);
    expect(await sessions()).toEqual([]);
  });

  it.each([
    ['where nobody did', 0, false],
    ['where that session is the own one', 2 * MINUTE, true],
  ])('is not the present one %s', async (_what, used, isOwn) => {
    const { token } = await logIn(node);
    const { session } = await signIn(node, token);
    world.now += used;
    await world.visit(node, session.token);
    await node.revocation.forget(token, { exceptSessionId: isOwn ? session.session.id : undefined });
    expect(thefts()).toBe(0);
  });

  it('is not the present one where the session of the lost answer is over', async () => {
    const { token } = await logIn(node);
    const { session } = await signIn(node, token);
    await node.sessions.ofUsers.end('alice', session.session.id, 'logout');
    await node.revocation.forget(token, {});
    expect(thefts()).toBe(0);
  });
});
