import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { anyCharacter } from '../../test/any-character.js';
import { StoreDeadline } from '../async/store-deadline.js';
import { KeyRing } from '../crypto/key-ring.js';
import { SessionEventPublisher } from '../events/event-publisher.js';
import type { SessionEvent } from '../events/session-event.js';
import type { SessionLifecycleService } from '../session/session-lifecycle.service.js';
import { MemoryRememberMeTokenStore } from '../storage/memory/memory-remember-me-token-store.js';
import { DEFAULT_REMEMBER_ME, ON_THEFT_VALUES, type RememberMeSettings } from './remember-me.options.js';
import { validatorDigest } from './remember-me-token.js';
import { MAX_REMEMBERED_DEVICES, RememberMeService, type RememberMeConsumption } from './remember-me.service.js';
import { StoredRememberedDevices } from './stored-remembered-devices.js';
import { DAY, SECOND } from '../time/units.js';

const START = Date.UTC(2026, 0, 1);
const SECRET = 'a secret that is long enough for tests';
const OLD_SECRET = 'another secret that is as long as the first';
const CLIENT = { ip: '192.0.2.1', userAgent: 'test/1.0' };

let now: number;
let events: SessionEvent[];
let store: MemoryRememberMeTokenStore;
let ended: unknown[][];
let service: RememberMeService;

function makeService(
  settings: Partial<RememberMeSettings> = {},
  secrets: readonly string[] = [SECRET],
  storeTimeout = 2000,
): RememberMeService {
  const clock = { now: () => now };
  const revokeAll: SessionLifecycleService['revokeAll'] = async (...args) => {
    ended.push(args);
    return 4;
  };
  return new RememberMeService(
    store,
    { revokeAll } as SessionLifecycleService,
    clock,
    new SessionEventPublisher(clock, { record: (event) => void events.push(event) }),
    new StoreDeadline(storeTimeout),
    new KeyRing(secrets),
    { ...DEFAULT_REMEMBER_ME, ...settings },
  );
}

function makeDevices(settings: RememberMeSettings | undefined, storeTimeout = 2000): StoredRememberedDevices {
  return new StoredRememberedDevices(store, { now: () => now }, new StoreDeadline(storeTimeout), settings);
}

type Remembered = Extract<RememberMeConsumption, { status: 'remembered' }>;

async function use(token: string | undefined, on = service): Promise<Remembered> {
  const consumption = await on.consume(token!, CLIENT);
  if (consumption.status !== 'remembered') throw new Error(`the token was answered with ${consumption.status}`);
  return consumption;
}

beforeEach(() => {
  now = START;
  events = [];
  ended = [];
  store = new MemoryRememberMeTokenStore();
  service = makeService();
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
    expect(await store.list('alice', now)).toEqual([
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
    expect(events).toEqual([
      { type: 'remember_me.issued', at: new Date(START), userId: 'alice', tokenId: device.id, client: CLIENT },
    ]);
    expect(JSON.stringify([device, events])).not.toContain(validator);
  });

  it('makes do without a client', async () => {
    const { device } = await service.issue('alice', 'session-1');
    expect([device.ip, device.userAgent]).toEqual([undefined, undefined]);
  });

  it('keeps a hundred devices of a user, and forgets the oldest beyond', async () => {
    const { device: first } = await service.issue('alice', 'session-0');
    for (let count = 1; count <= MAX_REMEMBERED_DEVICES; count += 1) {
      now += SECOND;
      await service.issue('alice', `session-${count}`);
    }
    const ids = (await service.list('alice')).map(({ id }) => id);
    expect(ids).toHaveLength(100);
    expect(ids).not.toContain(first.id);
  });
});

describe('consume', () => {
  it('replaces the token, tells of it, and names the session to make', async () => {
    const { token, device } = await service.issue('alice', 'session-1', CLIENT);
    events.length = 0;
    now += SECOND;
    const used = await use(token);
    expect(used.device).toEqual({ ...device, lastUsedAt: new Date(now) });
    expect(used.token).toMatch(/^[\w-]{24}:[\w-]{43}$/);
    expect(used.token?.slice(0, 25)).toBe(token.slice(0, 25));
    expect(used.token).not.toBe(token);
    expect(used.session).toEqual({
      token: expect.stringMatching(/^[\w-]{45}$/),
      id: expect.stringMatching(/^[\w-]{20}$/),
    });
    expect((await store.list('alice', now))[0]?.sessionId).toBe(used.session?.id);
    expect(events).toEqual([
      { type: 'remember_me.used', at: new Date(now), userId: 'alice', tokenId: device.id, client: CLIENT },
    ]);
  });

  it('gives everybody who presents one token within the grace the same successor and session', async () => {
    const { token } = await service.issue('alice', 'session-1');
    const first = await use(token);
    now += 30 * SECOND - 1;
    expect(await use(token)).toEqual(first);
    expect(events.filter(({ type }) => type === 'remember_me.used')).toHaveLength(1);
  });

  it('finds the end of a chain of several replacements within the grace', async () => {
    const { token } = await service.issue('alice', 'session-1');
    const second = await use(token);
    const third = await use(second.token);
    const fourth = await use(third.token);
    for (const earlier of [token, second.token, third.token]) expect(await use(earlier)).toEqual(fourth);
  });

  it('follows a chain under any of the keys, and says undefined where only another node can', async () => {
    const byOld = makeService({}, [OLD_SECRET]);
    const both = makeService({}, [SECRET, OLD_SECRET]);
    const { token } = await service.issue('alice', 'session-1');
    const second = await use(token, byOld);
    const third = await use(second.token, both);
    expect(await use(token, both)).toEqual(third);
    // a node that has the old key only cannot work out what the new one made
    expect(await use(token, byOld)).toMatchObject({ status: 'remembered', token: undefined, session: undefined });
  });

  it('does not work without end on a chain, however often the token was replaced, whatever the number of keys', async () => {
    const secrets = Array.from({ length: 4 }, (_, index) => `${SECRET} ${index}`);
    const many = makeService({}, secrets);
    const { token } = await many.issue('alice', 'session-1');
    let last = token;
    for (let count = 0; count < 12; count += 1) last = (await use(last, many)).token!;
    // 4 to the power of 12 would be 16 million candidates
    expect(await use(token, many)).toMatchObject({ status: 'remembered', token: undefined });
    expect(await use(last, many)).toMatchObject({ status: 'remembered', token: expect.any(String) });
  });

  it('works out as many steps as the keys allow', async () => {
    const both = makeService({}, [SECRET, OLD_SECRET]);
    const { token } = await both.issue('alice', 'session-1');
    let last: string | undefined = token;
    for (let count = 0; count < 9; count += 1) last = (await use(last, both)).token;
    expect((await use(token, both)).token).toBe(last);
  });

  it('takes a token that was replaced longer ago than the grace for stolen', async () => {
    const { token, device } = await service.issue('alice', 'session-1');
    await service.issue('alice', 'session-2');
    const { token: successor } = await use(token);
    events.length = 0;
    now += 30 * SECOND;
    expect(await service.consume(token, CLIENT)).toEqual({ status: 'theft', userId: 'alice' });
    expect(ended).toEqual([['alice', 'remember_me_theft', CLIENT]]);
    expect(events).toEqual([
      {
        type: 'remember_me.theft',
        at: new Date(now),
        userId: 'alice',
        tokenId: device.id,
        revokedTokens: 2,
        revokedSessions: 4,
        client: CLIENT,
      },
    ]);
    expect(await service.list('alice')).toEqual([]);
    for (const stolen of [token, successor!]) expect(await service.consume(stolen)).toEqual({ status: 'refused' });
  });

  it('leaves sessions alone after a theft, where told so', async () => {
    const mild = makeService({ onTheft: 'revoke-tokens' });
    const { token } = await mild.issue('alice', 'session-1');
    await use(token, mild);
    now += 30 * SECOND;
    expect(await mild.consume(token)).toEqual({ status: 'theft', userId: 'alice' });
    expect(ended).toEqual([]);
    expect(events.at(-1)).toMatchObject({ type: 'remember_me.theft', revokedTokens: 1, revokedSessions: 0 });
  });

  it('takes a known selector with a validator that was never issued for stolen', async () => {
    const { token } = await service.issue('alice', 'session-1');
    const guessed = token.slice(0, 25) + (await service.issue('alice', 'session-2')).token.slice(25);
    expect(await service.consume(guessed)).toEqual({ status: 'theft', userId: 'alice' });
  });

  it('refuses an expired token like an unknown one, and keeps its end unless it slides', async () => {
    const { token } = await service.issue('alice', 'session-1');
    now += 29 * DAY;
    const { token: second, device } = await use(token);
    expect(device.expiresAt).toEqual(new Date(START + 30 * DAY));
    now = START + 30 * DAY;
    expect(await service.consume(second!)).toEqual({ status: 'refused' });
    expect(events.map(({ type }) => type)).toEqual(['remember_me.issued', 'remember_me.used']);

    const sliding = makeService({ sliding: true });
    const other = await sliding.issue('bob', 'session-2');
    now += 29 * DAY;
    expect((await use(other.token, sliding)).device.expiresAt).toEqual(new Date(now + 30 * DAY));
  });

  it('asks no store for what is no token: never a throw, never an acceptance', async () => {
    const calls = jest.spyOn(store, 'use');
    const { token } = await service.issue('alice', 'session-1');
    const shaped = fc.stringMatching(/^[\w-]{24}:[\w-]{42}$/);
    const hostile = fc.oneof(fc.string({ unit: anyCharacter, maxLength: 90 }), shaped, fc.constant(`${token}\n`));
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        expect(await service.consume(text)).toEqual({ status: 'refused' });
        expect(await service.revokeToken(text)).toBe(false);
      }),
    );
    expect(calls).not.toHaveBeenCalled();
  });

  it('does not hand out what a client could work out without the key', async () => {
    const { token } = await service.issue('alice', 'session-1');
    const { token: successor = '', session } = await use(token);
    const [selector = '', validator = ''] = token.split(':');
    for (const key of [validator, selector, '']) {
      for (const label of ['validator', 'session']) {
        const guess = createHmac('sha256', key).update(`${label}:${selector}:${validator}`).digest('base64url');
        expect([successor.slice(25), session?.token.slice(2)]).not.toContain(guess);
      }
    }
  });
});

describe('revoking', () => {
  it('forgets the device of a token, by whichever of its validators', async () => {
    const { token } = await service.issue('alice', 'session-1');
    await use(token);
    expect(await service.revokeToken(token)).toBe(true);
    expect(await service.revokeToken(token)).toBe(false);
    expect(await service.list('alice')).toEqual([]);
  });

  it('forgets one device by its handle, of its own user only', async () => {
    const { device } = await service.issue('alice', 'session-1');
    expect(await service.revoke('bob', device.id)).toBe(false);
    expect(await service.isRemembered('alice', device.id)).toBe(true);
    expect(await service.isRemembered('bob', device.id)).toBe(false);
    expect(await service.isRemembered('alice', 'another')).toBe(false);
    expect(await service.revoke('alice', device.id)).toBe(true);
    expect(await service.isRemembered('alice', device.id)).toBe(false);
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
    expect(await store.list('alice', now)).toMatchObject([{ sessionId: 'session-2' }]);
    expect(await devices.forgetOthers('alice', undefined)).toBe(1);
  });

  it('asks no store where remember-me is off', async () => {
    await service.issue('alice', 'session-1');
    const devices = makeDevices(undefined);
    expect(await devices.forgetSession('alice', 'session-1')).toBe(0);
    expect(await devices.forgetOthers('alice', undefined)).toBe(0);
    expect(await store.list('alice', now)).toHaveLength(1);
  });
});

describe('a store that does not answer', () => {
  const never = (): Promise<never> => new Promise(() => undefined);

  it('is not waited for longer than storeTimeout', async () => {
    for (const operation of ['create', 'use', 'list'] as const) {
      jest.spyOn(store, operation).mockImplementation(never);
    }
    for (const operation of ['delete', 'deleteById', 'deleteByUser', 'deleteBySession'] as const) {
      jest.spyOn(store, operation).mockImplementation(never);
    }
    const hasty = makeService({}, [SECRET], 5);
    const devices = makeDevices(DEFAULT_REMEMBER_ME, 5);
    const token = `${'A'.repeat(24)}:${'A'.repeat(43)}`;
    const calls: Promise<unknown>[] = [
      hasty.issue('alice', 'session-1'),
      hasty.consume(token),
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
    expect(events).toEqual([]);
  });
});
