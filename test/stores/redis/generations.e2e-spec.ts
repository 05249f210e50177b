import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { RememberMeTokenRecord, SessionRecord } from 'nestjs-session-auth';
import { RedisRememberMeTokenStore, RedisSessionStore, type RedisClient } from 'nestjs-session-auth/redis';
import { digestOf, issueSessionToken } from '../../../libs/session-auth/src/crypto/session-token.js';
import { HOUR, newRecord, NO_LIMIT, NOW, touchAt } from '../../support/session-records.js';

/** Four thousand shard tags, and the commands that write their generations on one server. */
const [TAGS, COMMANDS] = [4096, 16];

let client: Redis;
let namespace: string;
let store: RedisSessionStore;
let devices: RedisRememberMeTokenStore;

beforeAll(() => {
  client = new Redis(process.env['TEST_REDIS_URL']!);
});
afterAll(() => client.disconnect());

beforeEach(() => {
  namespace = `t${randomBytes(6).toString('hex')}:`;
  store = new RedisSessionStore(client, { namespace });
  devices = new RedisRememberMeTokenStore(client, { namespace });
});
afterEach(async () => {
  await client.del(...(await client.keys(`${namespace}*`)), 'none');
});

const generations = (letter = 'g'): Promise<string[]> => client.keys(`${namespace}*:${letter}:`);

/** A record of a user whose keys are in one hash slot, as those of a login are. */
const ofUser = (userId: string, changes: Partial<SessionRecord> = {}): SessionRecord =>
  newRecord(userId, { digest: digestOf(issueSessionToken(userId)), ...changes });

const isLive = async (digest: string): Promise<boolean> => (await store.find(digest, touchAt(NOW))).status === 'live';

const deviceOf = (userId: string, changes: Partial<RememberMeTokenRecord> = {}): RememberMeTokenRecord => ({
  selector: ofUser(userId).digest.slice(0, 24),
  id: newRecord(userId).id,
  userId,
  validatorDigest: 'v'.repeat(43),
  createdAt: NOW,
  lastUsedAt: NOW,
  expiresAt: NOW + 24 * HOUR,
  sessionId: newRecord(userId).id,
  ...changes,
});

/** A client whose scripts from the given one on fail, until it is repaired; it counts them. */
function failingFrom(first: number): { readonly client: RedisClient; repair: () => void; sent: number } {
  const failing = { sent: 0, isRepaired: false };
  const run = async (send: () => Promise<unknown>): Promise<unknown> => {
    failing.sent += 1;
    if (failing.sent >= first && !failing.isRepaired) throw new Error('the connection is gone');
    return send();
  };
  const evalsha = (...given: Parameters<Redis['evalsha']>): Promise<unknown> => run(() => client.evalsha(...given));
  const wrapped = new Proxy(client, {
    get: (target, name) => {
      const value: unknown = name === 'evalsha' ? evalsha : Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return {
    client: wrapped,
    repair: () => (failing.isRepaired = true),
    get sent() {
      return failing.sent;
    },
  };
}

describe('generations in Redis', () => {
  it('are in one key a shard tag, which has a time to live, and takes no command of a read', async () => {
    const counted = failingFrom(Infinity);
    const reader = new RedisSessionStore(counted.client, { namespace });
    const record = ofUser('alice');
    await store.create(record, NO_LIMIT, NOW);
    await reader.find(record.digest, touchAt(NOW));
    expect(counted.sent).toBe(1);
    await reader.deleteByRealm({});
    expect(counted.sent).toBe(1 + COMMANDS);
    expect(await reader.find(record.digest, touchAt(NOW))).toEqual({ status: 'absent' });
    expect(counted.sent).toBe(2 + COMMANDS);
    const keys = await generations();
    expect(keys).toHaveLength(TAGS);
    for (const key of keys.slice(0, 50)) expect(await client.pttl(key)).toBeGreaterThan(9 * 365 * 24 * HOUR);
    expect(await generations('w')).toEqual([]);
    await devices.deleteByRealm({});
    expect(await generations('w')).toHaveLength(TAGS);
  });

  it('are written by a call that repeats one which failed in its middle', async () => {
    const records = Array.from({ length: 300 }, (_, i) => ofUser(`user${i}`));
    for (const record of records) await store.create(record, NO_LIMIT, NOW);
    const failing = failingFrom(6);
    const interrupted = new RedisSessionStore(failing.client, { namespace });
    await expect(interrupted.deleteByRealm({})).rejects.toThrow('the connection is gone');
    const left = await Promise.all(records.map(({ digest }) => isLive(digest)));
    expect(left).toContain(true);
    expect(left).toContain(false);
    // what began meanwhile is of the new generation where it was written
    const later = Array.from({ length: 300 }, (_, i) => ofUser(`user${i}`));
    for (const record of later) await store.create(record, NO_LIMIT, NOW);
    failing.repair();
    await interrupted.deleteByRealm({});
    for (const { digest } of [...records, ...later]) expect(await isLive(digest)).toBe(false);
    const after = ofUser('alice');
    await store.create(after, NO_LIMIT, NOW);
    expect(await isLive(after.digest)).toBe(true);
  });

  it('live for longer than the sessions that have them: a login and a new deadline renew them', async () => {
    await store.deleteByRealm({});
    const record = ofUser('alice');
    const expire = async (): Promise<void> => {
      await Promise.all((await generations()).map((key) => client.pexpire(key, HOUR)));
    };
    const longest = async (): Promise<number> =>
      Math.max(...(await Promise.all((await generations()).map((key) => client.pttl(key)))));
    await expire();
    expect(await longest()).toBeLessThanOrEqual(HOUR);
    await store.create(record, NO_LIMIT, NOW);
    expect(await longest()).toBeGreaterThan(9 * 365 * 24 * HOUR);
    await expire();
    const changes = { absoluteExpiresAt: NOW + 48 * HOUR };
    await store.rotate(record.digest, { revision: 0, now: NOW, changes });
    expect(await longest()).toBeGreaterThan(9 * 365 * 24 * HOUR);
  });

  it('end what has one if they are lost, and never come again', async () => {
    const [old, young, device] = [ofUser('alice'), ofUser('alice'), deviceOf('alice')];
    await store.create(old, NO_LIMIT, NOW);
    await store.deleteByRealm({});
    await devices.deleteByRealm({});
    await store.create(young, NO_LIMIT, NOW);
    await devices.create(device, 10, NOW);
    expect([await isLive(old.digest), await isLive(young.digest)]).toEqual([false, true]);
    await client.del(...(await generations()), ...(await generations('w')));
    expect(await isLive(young.digest)).toBe(false);
    expect(await devices.find(device.selector, NOW)).toBeUndefined();
    const since = ofUser('alice');
    await store.create(since, NO_LIMIT, NOW);
    expect(await isLive(since.digest)).toBe(true);
    // at the same time by all clocks, a lost counter would give the number of `young` once more
    await store.deleteByRealm({});
    await devices.deleteByRealm({});
    for (const { digest } of [old, young, since]) expect(await isLive(digest)).toBe(false);
    expect(await devices.find(device.selector, NOW)).toBeUndefined();
  });

  it('leave nothing in the index of a user', async () => {
    const records = Array.from({ length: 5 }, (_, i) => ofUser('alice', { createdAt: NOW + i }));
    for (const record of records) await store.create(record, NO_LIMIT, NOW);
    await store.deleteByRealm({});
    expect(await store.list('alice', { limit: 10 }, NOW)).toEqual({ records: [], next: undefined });
    expect(await client.keys(`${namespace}*:[su]:*`)).toEqual([]);
  });

  it('are those of version 2 for a node that does not know them: it keeps the line in the value', async () => {
    await store.deleteByRealm({});
    const record = ofUser('alice');
    await store.create(record, NO_LIMIT, NOW);
    const [key] = await client.keys(`${namespace}*:s:*`);
    const value = (await client.get(key!))!;
    expect(value).toMatch(/,\n"y":\d+$/);
    await store.update(record.digest, { a: 1 }, NOW, 1000);
    expect(await client.get(key!)).toMatch(/,\n"y":\d+,\n".a":1$/);
    expect(await isLive(record.digest)).toBe(true);
  });
});
