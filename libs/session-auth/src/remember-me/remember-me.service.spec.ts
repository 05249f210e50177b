import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CLIENT, logIn, RememberMeWorld, signIn, START } from '../../test/fixtures/remember-me-world.js';
import { StoreDeadline } from '../async/store-deadline.js';
import { DAY, SECOND } from '../time/units.js';
import { DEFAULT_REMEMBER_ME, ON_THEFT_VALUES, type RememberMeSettings } from './remember-me.options.js';
import { validatorDigest } from './remember-me-token.js';
import { MAX_REMEMBERED_DEVICES, type RememberMeService } from './remember-me.service.js';
import { StoredRememberedDevices } from './stored-remembered-devices.js';

let world: RememberMeWorld;
let service: RememberMeService;

function makeDevices(settings: RememberMeSettings | undefined, storeTimeout = 2000): StoredRememberedDevices {
  return new StoredRememberedDevices(world.tokens, { now: () => world.now }, new StoreDeadline(storeTimeout), settings);
}

beforeEach(() => {
  world = new RememberMeWorld();
  service = world.node().rememberMe;
});

describe('the defaults', () => {
  it('are 30 days from the login, 30 seconds of grace, and the end of tokens and sessions after a theft', () => {
    expect(DEFAULT_REMEMBER_ME).toEqual({
      lifetime: 30 * DAY,
      sliding: false,
      reuseGrace: 30 * SECOND,
      onTheft: 'revoke-tokens-and-sessions',
    });
    expect(ON_THEFT_VALUES).toEqual(['revoke-tokens-and-sessions', 'revoke-tokens']);
  });
});

describe('issue', () => {
  it('hands out a token of which the store has a digest only, with the device and an event', async () => {
    const { token, device } = await service.issue('alice', 'session-1', CLIENT);
    const [selector = '', validator = ''] = token.split(':');
    expect(await world.tokens.list('alice', world.now)).toEqual([
      {
        selector,
        id: device.id,
        userId: 'alice',
        validatorDigest: validatorDigest(validator),
        createdAt: START,
        lastUsedAt: START,
        expiresAt: START + 30 * DAY,
        sessionId: 'session-1',
        ...CLIENT,
      },
    ]);
    expect(device).toEqual({
      id: expect.stringMatching(/^[\w-]{20}$/),
      userId: 'alice',
      createdAt: new Date(START),
      lastUsedAt: new Date(START),
      expiresAt: new Date(START + 30 * DAY),
      ...CLIENT,
    });
    expect(world.events).toEqual([
      {
        type: 'remember_me.issued',
        realm: 'default',
        at: new Date(START),
        userId: 'alice',
        tokenId: device.id,
        client: CLIENT,
      },
    ]);
    expect(JSON.stringify([device, world.events])).not.toContain(validator);
  });

  it('makes do without a client', async () => {
    const { device } = await service.issue('alice', 'session-1');
    expect([device.ip, device.userAgent]).toEqual([undefined, undefined]);
  });

  it('keeps a hundred devices of a user, and forgets the oldest beyond', async () => {
    const { device: first } = await service.issue('alice', 'session-0');
    for (let count = 1; count <= MAX_REMEMBERED_DEVICES; count += 1) {
      world.now += SECOND;
      await service.issue('alice', `session-${count}`);
    }
    const ids = (await service.list('alice')).map(({ id }) => id);
    expect(ids).toHaveLength(100);
    expect(ids).not.toContain(first.id);
  });
});

describe('signIn', () => {
  it('makes a session whose token is good for the lifecycle, and tells until when the client may get it', async () => {
    const node = world.node();
    const { token } = await logIn(node);
    const { id } = (await service.list('alice'))[0]!;
    world.now += DAY;
    const outcome = await service.signIn(token, CLIENT);
    if (outcome.status !== 'signed-in') throw new Error(`the token came to ${outcome.status}`);
    expect(outcome).toEqual({
      status: 'signed-in',
      device: expect.objectContaining({ id, userId: 'alice', lastUsedAt: new Date(world.now) }),
      token: expect.stringMatching(/^[\w-]{24}:[\w-]{43}$/),
      session: { token: expect.any(String), session: expect.objectContaining({ userId: 'alice', ...CLIENT }) },
      until: new Date(world.now + 30 * SECOND),
    });
    const { session } = outcome;
    expect((await node.sessions.lifecycle.find(session.token))?.id).toBe(session.session.id);
    expect((await service.signIn(outcome.token)).status).toBe('signed-in');
  });

  it('passes on what else comes of a token', async () => {
    const node = world.node();
    expect(await service.signIn('no token')).toEqual({ status: 'refused' });
    const { token } = await logIn(node);
    await signIn(node, (await signIn(node, token)).token);
    expect(await service.signIn(token)).toEqual({ status: 'unused' });
    world.now += 30 * SECOND;
    expect(await service.signIn(token)).toEqual({ status: 'theft', userId: 'alice' });
  });
});

describe('revoking', () => {
  it('forgets the device of a token, and ends its session for the reason that is given', async () => {
    const { token, sessionId } = await logIn(world.node());
    expect(await service.revokeToken(token, { reason: 'logout', client: CLIENT })).toBe(true);
    expect(world.events.at(-1)).toMatchObject({
      type: 'session.destroyed',
      sessionId,
      reason: 'logout',
      client: CLIENT,
    });
    expect(await service.revokeToken(token)).toBe(false);
    expect(await service.list('alice')).toEqual([]);
  });

  it('forgets one device by its handle, of its own user only', async () => {
    const { device } = await service.issue('alice', 'session-1');
    expect(await service.revoke('bob', device.id)).toBe(false);
    expect(await service.list('alice')).toEqual([device]);
    expect(await service.revoke('alice', device.id)).toBe(true);
    expect(await service.list('alice')).toEqual([]);
  });

  it('forgets all, or all but the one of a session', async () => {
    await service.issue('alice', 'session-1');
    const { device: kept } = await service.issue('alice', 'session-2');
    await service.issue('bob', 'session-3');
    expect(await service.revokeAll('alice', 'session-2')).toBe(1);
    expect((await service.list('alice')).map(({ id }) => id)).toEqual([kept.id]);
    expect(await service.revokeAll('alice')).toBe(1);
    expect(await service.list('bob')).toHaveLength(1);
  });
});

describe('StoredRememberedDevices', () => {
  it('forgets devices by the session that they were signed in by', async () => {
    const devices = makeDevices(DEFAULT_REMEMBER_ME);
    for (const session of ['session-1', 'session-2', 'session-3']) await service.issue('alice', session);
    expect(await devices.forgetSession('alice', 'session-1')).toBe(1);
    expect(await devices.forgetSession('bob', 'session-2')).toBe(0);
    expect(await devices.forgetOthers('alice', 'session-2')).toBe(1);
    expect(await world.tokens.list('alice', world.now)).toMatchObject([{ sessionId: 'session-2' }]);
    expect(await devices.forgetOthers('alice', undefined)).toBe(1);
  });

  it('asks no store where remember-me is off', async () => {
    await service.issue('alice', 'session-1');
    const devices = makeDevices(undefined);
    expect(await devices.forgetSession('alice', 'session-1')).toBe(0);
    expect(await devices.forgetOthers('alice', undefined)).toBe(0);
    expect(await world.tokens.list('alice', world.now)).toHaveLength(1);
  });
});

describe('a store that does not answer', () => {
  it('is not waited for longer than storeTimeout', async () => {
    const never = (): Promise<never> => new Promise(() => undefined);
    const { tokens } = world;
    for (const operation of ['create', 'find', 'list', 'delete'] as const) {
      jest.spyOn(tokens, operation).mockImplementation(never);
    }
    for (const operation of ['deleteById', 'deleteByUser', 'deleteBySession'] as const) {
      jest.spyOn(tokens, operation).mockImplementation(never);
    }
    const hasty = world.node({ storeTimeout: 5 }).rememberMe;
    const devices = makeDevices(DEFAULT_REMEMBER_ME, 5);
    const token = `${'A'.repeat(24)}:${'A'.repeat(43)}`;
    const calls: Promise<unknown>[] = [
      hasty.issue('alice', 'session-1'),
      hasty.signIn(token),
      hasty.list('alice'),
      hasty.revoke('alice', 'x'),
      hasty.revokeToken(token),
      hasty.revokeAll('alice'),
      devices.forgetSession('alice', 'x'),
      devices.forgetOthers('alice', undefined),
    ];
    for (const { status, ...rest } of await Promise.allSettled(calls)) {
      expect(status).toBe('rejected');
      expect(rest).toMatchObject({ reason: { code: 'session_store_unavailable' } });
    }
    expect(world.events).toEqual([]);
  });
});
