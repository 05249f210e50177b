import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { anyCharacter } from '../../test/any-character.js';
import { CLIENT, logIn, RememberMeWorld, SECRET, signIn, START } from '../../test/fixtures/remember-me-world.js';
import type { RememberMeServices } from '../../test/fixtures/remember-me-services.js';
import { markOfUser } from '../crypto/session-token.js';
import { DAY, HOUR, MINUTE, SECOND } from '../time/units.js';
import type { RememberMeTokenRecord } from './remember-me-token-store.js';

const OLD_SECRET = 'another secret that is as long as the first';
const GRACE = 30 * SECOND;

let world: RememberMeWorld;
let node: RememberMeServices;

beforeEach(() => {
  world = new RememberMeWorld();
  node = world.node();
});

async function recordOf(token: string): Promise<RememberMeTokenRecord | undefined> {
  return world.tokens.find(token.slice(0, 24), world.now);
}

/** The handles of Alice's live sessions. */
async function sessions(): Promise<string[]> {
  const { records } = await world.sessions.list('alice', { limit: 100 }, world.now);
  return records.map(({ id }) => id);
}

describe('a device that is remembered', () => {
  it('gets a session and a successor of its token, and its earlier session is replaced', async () => {
    const { token, sessionId } = await logIn(node);
    const record = await recordOf(token);
    world.heard();
    world.now += DAY - SECOND;
    const { session, ...signedIn } = await signIn(node, token);
    expect(signedIn).toEqual({
      status: 'signed-in',
      token: expect.stringMatching(/^[\w-]{24}:[\w-]{43}$/),
      record: {
        ...record,
        revision: 2,
        lastUsedAt: world.now,
        sessionId: session.session.id,
        successor: expect.objectContaining({ at: world.now, sessionId: session.session.id }),
      },
      until: world.now + GRACE,
    });
    expect(signedIn.token.slice(0, 25)).toBe(token.slice(0, 25));
    expect(signedIn.token).not.toBe(token);
    expect(session.session).toMatchObject({ userId: 'alice', authentication: 'remember-me', ...CLIENT });
    expect(session.session.authenticatedAt).toEqual(new Date(START));
    expect((await world.visit(node, session.token))?.id).toBe(session.session.id);
    expect(await sessions()).toEqual([session.session.id]);
    expect(sessionId).not.toBe(session.session.id);
  });

  it('is one device through every restart: what it had before is replaced, and the notifier learns of it', async () => {
    let { token, sessionId } = await logIn(node);
    world.notices.length = 0;
    for (let restart = 0; restart < 5; restart += 1) {
      world.now += 10 * MINUTE;
      world.heard();
      const { session, token: successor } = await signIn(node, token);
      expect(world.events).toMatchObject([
        { type: 'session.destroyed', sessionId, reason: 'replaced', client: CLIENT },
        { type: 'session.created', sessionId: session.session.id, newDevice: false },
        { type: 'remember_me.used', userId: 'alice', tokenId: (await recordOf(token))?.id, client: CLIENT },
      ]);
      expect(await sessions()).toEqual([session.session.id]);
      token = successor;
      sessionId = session.session.id;
    }
    expect(world.notices.map(({ isReplacement }) => isReplacement)).toEqual(Array.from({ length: 5 }, () => true));
  });

  it('is let in at the limit, also where a login beyond it is rejected: its own session makes room', async () => {
    const strict = world.node({ limit: { max: 1, onLimit: 'reject' } });
    let { token } = await logIn(strict);
    for (let restart = 0; restart < 3; restart += 1) {
      world.now += 10 * MINUTE;
      ({ token } = await signIn(strict, token));
    }
    expect(await sessions()).toHaveLength(1);
  });

  it('is not signed in where others fill the limit, and may try again', async () => {
    const strict = world.node({ limit: { max: 1, onLimit: 'reject' } });
    const { token, sessionId } = await logIn(strict);
    await strict.sessions.lifecycle.destroySession(
      (await strict.sessions.lifecycle.list('alice')).sessions[0]!,
      'revoked',
    );
    await strict.sessions.changes.create({ user: { id: 'alice' } });
    for (let tries = 0; tries < 3; tries += 1) {
      expect(await strict.signIns.signIn(token, {})).toEqual({ status: 'unused' });
      world.now += MINUTE;
    }
    expect(world.heard().filter((type) => type.startsWith('remember_me'))).toEqual(['remember_me.issued']);
    expect(await recordOf(token)).toMatchObject({ sessionId });
    await strict.sessions.lifecycle.revokeAll('alice');
    // forgotten when its sessions ended
    expect(await strict.signIns.signIn(token, {})).toEqual({ status: 'refused' });
  });

  it('keeps its end, unless that slides', async () => {
    const { token } = await logIn(node);
    world.now += 29 * DAY;
    const { record, token: successor } = await signIn(node, token);
    expect(record.expiresAt).toBe(START + 30 * DAY);
    world.now = START + 30 * DAY;
    expect(await node.signIns.signIn(successor, {})).toEqual({ status: 'refused' });

    const sliding = world.node({ rememberMe: { sliding: true } });
    const other = await logIn(sliding);
    world.now += 29 * DAY;
    expect((await signIn(sliding, other.token)).record.expiresAt).toBe(world.now + 30 * DAY);
  });
});

describe('tabs that start together', () => {
  it('share one session and one successor for the grace, of which one event tells', async () => {
    const second = world.node();
    const { token } = await logIn(node);
    world.heard();
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => signIn(i % 2 === 0 ? node : second, token)));
    world.now += GRACE - 1;
    all.push(await signIn(second, token));
    expect(new Set(all.map((each) => each.token)).size).toBe(1);
    expect(new Set(all.map(({ session }) => session.token)).size).toBe(1);
    expect(new Set(all.map(({ until }) => until))).toEqual(new Set([START + GRACE]));
    expect(await sessions()).toEqual([all[0]!.session.session.id]);
    expect(world.heard().filter((type) => type === 'remember_me.used' || type === 'session.created')).toHaveLength(2);
  });

  it('share under any of the keys, and wait where only another node can tell what was handed out', async () => {
    const byOld = world.node({ secrets: [OLD_SECRET] });
    const both = world.node({ secrets: [SECRET, OLD_SECRET] });
    const { token } = await logIn(both);
    const first = await signIn(byOld, token);
    expect((await signIn(both, token)).session.token).toBe(first.session.token);
    const second = await signIn(both, first.token);
    expect((await signIn(both, first.token)).token).toBe(second.token);
    // a node that has only the old key cannot derive what the new key made
    expect(await byOld.signIns.signIn(first.token, {})).toEqual({ status: 'unused' });
  });

  it('find no session once it has proved more under another token, and are not told of theft', async () => {
    const { token } = await logIn(node);
    const { session } = await signIn(node, token);
    await node.sessions.rotation.factorCompleted((await world.visit(node, session.token))!, 'totp');
    world.heard();
    expect(await node.signIns.signIn(token, {})).toEqual({ status: 'unused' });
    expect(world.heard()).toEqual([]);
  });

  it('each get a successor of their own with a grace of 0, of which the last one counts', async () => {
    const strict = world.node({ rememberMe: { reuseGrace: 0 } });
    const { token } = await logIn(strict);
    const first = await signIn(strict, token);
    const second = await signIn(strict, token);
    expect(second.token).not.toBe(first.token);
    expect(await sessions()).toEqual([second.session.session.id]);
    expect(first.until).toBe(START + GRACE);
    expect(await strict.signIns.signIn(first.token, {})).toEqual({ status: 'theft', userId: 'alice' });
  });
});

describe('a lost answer', () => {
  it('is made up for, whenever the client comes again: the session of before is replaced', async () => {
    const { token } = await logIn(node);
    let last = (await signIn(node, token)).session.session.id;
    for (const pause of [GRACE, HOUR, 20 * DAY]) {
      world.now += pause;
      world.heard();
      const { session, token: successor } = await signIn(node, token);
      if (pause === GRACE) {
        expect(world.events[0]).toMatchObject({ type: 'session.destroyed', sessionId: last, reason: 'replaced' });
      }
      expect(world.heard()).not.toContain('remember_me.theft');
      expect(await sessions()).toEqual([session.session.id]);
      last = session.session.id;
      if (pause === 20 * DAY) expect((await signIn(node, successor)).status).toBe('signed-in');
    }
  });

  it('that turns up after all is theft', async () => {
    const { token } = await logIn(node);
    const lost = await signIn(node, token);
    world.now += GRACE;
    await signIn(node, token);
    expect(await node.signIns.signIn(lost.token, {})).toEqual({ status: 'theft', userId: 'alice' });
    expect(await sessions()).toEqual([]);
  });

  it('whose session was used for longer than a minute was not lost: that is theft, told once', async () => {
    const { token } = await logIn(node);
    const { session } = await signIn(node, token);
    world.now += MINUTE + 1;
    await world.visit(node, session.token);
    world.heard();
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => node.signIns.signIn(token, { client: CLIENT })));
    const statuses = outcomes.map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array.from({ length: 4 }, () => 'refused'), 'theft']);
    expect(world.events.filter(({ type }) => type === 'remember_me.theft')).toEqual([
      expect.objectContaining({ userId: 'alice', revokedTokens: 1, revokedSessions: 1, client: CLIENT }),
    ]);
    expect(await sessions()).toEqual([]);
    expect(await world.tokens.list('alice', world.now)).toEqual([]);
  });

  it('whose session was used for a minute may have been lost: browsers save cookies late', async () => {
    const { token } = await logIn(node);
    const { session } = await signIn(node, token);
    world.now += MINUTE;
    await world.visit(node, session.token);
    expect((await signIn(node, token)).session.session.id).not.toBe(session.session.id);
  });

  it('is judged by the last session that was made: a hand-out without one changes nothing', async () => {
    const { token } = await logIn(node);
    const { session } = await signIn(node, token);
    world.now += 2 * MINUTE;
    await world.visit(node, session.token);
    const create = jest.spyOn(world.sessions, 'create').mockRejectedValueOnce(new Error('the store is down'));
    await expect(node.signIns.signIn(token, {})).rejects.toMatchObject({ code: 'session_store_unavailable' });
    create.mockRestore();
    world.now += GRACE;
    expect(await node.signIns.signIn(token, {})).toEqual({ status: 'theft', userId: 'alice' });
  });
});

describe('a validator that was replaced', () => {
  it('signs nobody in within the grace, and is no theft: the request was in flight', async () => {
    const { token } = await logIn(node);
    const { token: successor } = await signIn(node, token);
    world.now += DAY;
    await signIn(node, successor);
    world.heard();
    world.now += GRACE - 1;
    expect(await node.signIns.signIn(token, {})).toEqual({ status: 'unused' });
    expect(world.heard()).toEqual([]);
    world.now += 1;
    expect(await node.signIns.signIn(token, {})).toEqual({ status: 'theft', userId: 'alice' });
  });

  it('is theft: tokens and sessions end, nobody else’s, and one event is out however many come', async () => {
    const { token } = await logIn(node);
    await logIn(node);
    await node.rememberMe.issue('bob', 'session of bob');
    const { token: successor, record } = await signIn(node, token);
    world.now += DAY;
    await signIn(node, successor);
    world.now += GRACE;
    world.heard();
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => node.signIns.signIn(token, { client: CLIENT })));
    expect(outcomes.filter(({ status }) => status === 'theft')).toEqual([{ status: 'theft', userId: 'alice' }]);
    expect(outcomes.filter(({ status }) => status === 'refused')).toHaveLength(4);
    expect(world.events.filter(({ type }) => type === 'remember_me.theft')).toEqual([
      {
        type: 'remember_me.theft',
        realm: 'default',
        at: new Date(world.now),
        userId: 'alice',
        tokenId: record.id,
        revokedTokens: 2,
        revokedSessions: 1,
        client: CLIENT,
      },
    ]);
    expect(world.events.filter(({ type }) => type === 'session.destroyed')).toMatchObject([
      { reason: 'remember_me_theft' },
    ]);
    expect(await world.tokens.list('alice', world.now)).toEqual([]);
    expect(await world.tokens.list('bob', world.now)).toHaveLength(1);
    for (const stolen of [token, successor])
      expect(await node.signIns.signIn(stolen, {})).toEqual({ status: 'refused' });
  });

  it('leaves sessions alone, where told so', async () => {
    const mild = world.node({ rememberMe: { onTheft: 'revoke-tokens' } });
    const { token } = await logIn(mild);
    const { session } = await signIn(mild, (await signIn(mild, token)).token);
    world.now += GRACE;
    expect(await mild.signIns.signIn(token, {})).toEqual({ status: 'theft', userId: 'alice' });
    expect(world.events.at(-1)).toMatchObject({ type: 'remember_me.theft', revokedTokens: 1, revokedSessions: 0 });
    expect((await world.visit(mild, session.token))?.id).toBe(session.session.id);
  });

  it('is judged anew where the record has changed since it was read', async () => {
    const { token } = await logIn(node);
    const guessed = token.slice(0, 25) + (await logIn(node)).token.slice(25);
    const remove = world.tokens.delete.bind(world.tokens);
    const spy = jest.spyOn(world.tokens, 'delete').mockImplementationOnce(async (...args) => {
      await signIn(node, token);
      return remove(...args);
    });
    expect(await node.signIns.signIn(guessed, {})).toEqual({ status: 'theft', userId: 'alice' });
    expect(spy).toHaveBeenCalledTimes(2);
  });
});

describe('who cannot be signed in', () => {
  it('is the device of a user who is gone or disabled: all their devices are forgotten', async () => {
    for (const user of [undefined, { id: 'alice', disabled: true }]) {
      const { token } = await logIn(node);
      await logIn(node);
      world.findById.mockResolvedValueOnce(user);
      expect(await node.signIns.signIn(token, {})).toEqual({ status: 'refused' });
      expect(await world.tokens.list('alice', world.now)).toEqual([]);
    }
  });

  it('comes again when users cannot be looked up: nothing has changed', async () => {
    const { token } = await logIn(node);
    const before = await recordOf(token);
    world.findById.mockRejectedValueOnce(new Error('the database of users is down'));
    await expect(node.signIns.signIn(token, {})).rejects.toThrow('the database of users is down');
    expect(await recordOf(token)).toEqual(before);
  });

  it('needs users', async () => {
    const { token } = await logIn(node);
    const without = world.node({ users: null });
    await expect(without.signIns.signIn(token, {})).rejects.toMatchObject({ code: 'not_configured' });
  });

  it('is a device that is forgotten while it is signed in: its session ends again', async () => {
    const { token } = await logIn(node);
    const create = world.sessions.create.bind(world.sessions);
    jest.spyOn(world.sessions, 'create').mockImplementationOnce(async (...args) => {
      await node.sessions.lifecycle.revokeAll('alice');
      return create(...args);
    });
    world.heard();
    expect(await node.signIns.signIn(token, {})).toEqual({ status: 'refused' });
    expect(await sessions()).toEqual([]);
    expect(world.events.at(-1)).toMatchObject({ type: 'session.destroyed', reason: 'revoked' });
  });

  it('is a tab of a device that is forgotten while it gets the session that is there already', async () => {
    const { token } = await logIn(node);
    await signIn(node, token);
    const read = world.sessions.find.bind(world.sessions);
    jest.spyOn(world.sessions, 'find').mockImplementationOnce(async (...args) => {
      const found = await read(...args);
      await node.rememberMe.revokeAll('alice');
      return found;
    });
    expect(await node.signIns.signIn(token, {})).toEqual({ status: 'refused' });
    expect(await sessions()).toEqual([]);
  });

  it('is who was overtaken: another successor is out, and another session', async () => {
    const { token } = await logIn(node);
    const create = world.sessions.create.bind(world.sessions);
    let other: string | undefined;
    jest.spyOn(world.sessions, 'create').mockImplementationOnce(async (...args) => {
      world.now += GRACE;
      other = (await signIn(node, token)).session.session.id;
      return create(...args);
    });
    expect(await node.signIns.signIn(token, {})).toEqual({ status: 'unused' });
    expect(await sessions()).toEqual([other]);
  });

  it('is who never gets hold of a record that others change at each look, and may try again', async () => {
    const { token } = await logIn(node);
    const { selector } = (await recordOf(token))!;
    const replace = world.tokens.replace.bind(world.tokens);
    const spy = jest.spyOn(world.tokens, 'replace').mockImplementation(async (...args) => {
      const { revision = 0 } = (await recordOf(token))!;
      await replace(selector, { revision, now: world.now, changes: {} });
      return replace(...args);
    });
    expect(await node.signIns.signIn(token, {})).toEqual({ status: 'unused' });
    expect(spy).toHaveBeenCalledTimes(5);
    spy.mockRestore();
    expect((await node.signIns.signIn(token, {})).status).toBe('signed-in');
  });

  it('is an expired, revoked or unknown token, all alike', async () => {
    const { token } = await logIn(node);
    world.now += 30 * DAY;
    expect(await node.signIns.signIn(token, {})).toEqual({ status: 'refused' });
    const other = await logIn(node);
    await node.rememberMe.revokeAll('alice');
    expect(await node.signIns.signIn(other.token, {})).toEqual({ status: 'refused' });
    expect(await node.signIns.signIn(`${'A'.repeat(24)}:${'A'.repeat(43)}`, {})).toEqual({ status: 'refused' });
  });

  it('is whoever a store mixes up with another: nothing changes, and it is told', async () => {
    const { token } = await logIn(node);
    const other = await logIn(node);
    jest.spyOn(world.tokens, 'find').mockResolvedValueOnce(await recordOf(other.token));
    world.heard();
    expect(await node.signIns.signIn(token, {})).toEqual({ status: 'refused' });
    expect(world.heard()).toEqual(['session.corrupt_record']);
    const userMark = markOfUser('bob');
    expect(await node.signIns.signIn(token, { userMark })).toEqual({ status: 'refused' });
    expect(world.heard()).toEqual(['session.corrupt_record']);
    expect((await node.signIns.signIn(token, { userMark: markOfUser('alice') })).status).toBe('signed-in');
  });

  it('is whoever presents what is no token: never a throw, never an acceptance, and no store call', async () => {
    const { token } = await logIn(node);
    const find = jest.spyOn(world.tokens, 'find');
    const shaped = fc.stringMatching(/^[\w-]{24}:[\w-]{42}$/);
    const hostile = fc.oneof(fc.string({ unit: anyCharacter, maxLength: 90 }), shaped, fc.constant(`${token}\n`));
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        expect(await node.signIns.signIn(text, {})).toEqual({ status: 'refused' });
      }),
    );
    expect(find).not.toHaveBeenCalled();
  });

  it('cannot work out what is handed out without the key', async () => {
    const { token } = await logIn(node);
    const { token: successor, session, record } = await signIn(node, token);
    const [selector = '', validator = ''] = token.split(':');
    const { nonce } = record.successor!;
    for (const key of [validator, selector, nonce, '']) {
      for (const label of ['validator', 'session']) {
        const guess = createHmac('sha256', key)
          .update(`${label}:${selector}:${validator}:${nonce}`)
          .digest('base64url');
        expect([successor.slice(25), session.token.slice(22)]).not.toContain(guess);
      }
    }
  });
});
