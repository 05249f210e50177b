import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import {
  digestOf,
  handleOf,
  hashOf,
  issueNextSessionToken,
  issueSessionToken,
  shardTagOf,
} from '../../../libs/session-auth/src/crypto/session-token.js';
import type { SessionRecord } from '../../../libs/session-auth/src/session/session-record.js';
import type { SessionStore } from '../../../libs/session-auth/src/session/session-store.js';
import {
  ABSOLUTE,
  IDLE,
  newRecord,
  newUser,
  nextDigest,
  NO_LIMIT,
  NO_MAXIMUM,
  NOW,
  untouched,
} from '../../../libs/session-auth/src/testing/session-store/sample-records.js';
import { MINUTE } from '../../../libs/session-auth/src/time/units.js';
import {
  endAll,
  isLive,
  listAll,
  listedIds,
  liveRecord,
} from '../../../libs/session-auth/src/testing/session-store/store-queries.js';
import { RedisSessionStore } from 'nestjs-session-auth/redis';
import { startLocalRedis, type LocalRedis } from '../../../src/local-services/local-redis.js';

let server: LocalRedis;
let client: Redis;
let store: SessionStore;

beforeAll(async () => {
  // A Redis of its own: its counters are looked at, and it is emptied before every test.
  server = await startLocalRedis();
  client = new Redis(server.url);
  store = new RedisSessionStore(client);
});

afterAll(async () => {
  client.disconnect();
  await server.stop();
});

beforeEach(() => client.flushall());

/** Every operation once, in all its ways. */
const operations: Readonly<Record<string, (userId: string, now: number) => Promise<unknown>>> = {
  'create, no limit': (userId, now) => store.create(recordAt(userId, now), NO_LIMIT, now),
  'create, anonymous': (_, now) => store.create(recordAt(undefined, now), NO_LIMIT, now),
  'create, evict-oldest': (userId, now) =>
    store.create(recordAt(userId, now), { max: 3, onLimit: 'evict-oldest' }, now),
  'create, evict-least-recent': (userId, now) =>
    store.create(recordAt(userId, now), { max: 3, onLimit: 'evict-least-recent' }, now),
  'create, reject': (userId, now) => store.create(recordAt(userId, now), { max: 1, onLimit: 'reject' }, now),
  'create, in the place of others': (userId, now) =>
    store.create({ ...recordAt(userId, now), device: 'device-one_' }, { ...NO_LIMIT, replaces: { id: 'x' } }, now),
  find: async (userId, now) => store.find((await anySession(userId)).digest, untouched(now)),
  'find, touch': async (userId, now) => store.find((await anySession(userId)).digest, { now, idle: IDLE, interval: 0 }),
  update: async (userId, now) => store.update((await anySession(userId)).digest, { [`${now}`]: now }, now, NO_MAXIMUM),
  'rotate, another successor': async (userId, now) => {
    const { digest, revision } = await anySession(userId);
    const successor = { hash: hashOf(nextDigest(digest)), kind: 'successor', at: now } as const;
    return store.rotate(digest, { revision, now, changes: { tokens: [successor] } });
  },
  'rotate, a new token': async (userId, now) => rotate(await anySession(userId), now),
  'rotate, all times': async (userId, now) => {
    const times = { createdAt: now, expiresAt: now + IDLE, absoluteExpiresAt: now + ABSOLUTE };
    return rotate(await anySession(userId), now, { ...times, device: 'device-two_' });
  },
  list: (userId, now) => store.list(userId, { limit: 10 }, now),
  updateByUser: (userId, now) => store.updateByUser(userId, { roles: [`role${now}`] }, now),
  delete: async (userId, now) => store.delete((await anySession(userId)).digest, now),
  deleteByHandle: async (userId, now) => store.deleteByHandle(userId, 'a'.repeat(20), now),
  deleteByUser: (userId, now) => store.deleteByUser(userId, { limit: 1 }, now),
  deleteExpired: (_, now) => store.deleteExpired(now, 100),
};

describe('a key of the Redis session store', () => {
  it('has a time to live at every moment, never beyond the absolute lifetime', async () => {
    const users = [newUser(), newUser()];
    const names = Object.keys(operations);
    let looks = 0;
    for (let step = 0; step < 400; step++) {
      const now = NOW + step * MINUTE;
      await operations[names[(step * 7) % names.length]!]!(users[step % 2]!, now);
      for (const [key, ttl] of await timesToLive()) {
        expect([key, ttl > 0 && ttl <= ABSOLUTE]).toEqual([key, true]);
        looks++;
      }
    }
    expect(looks).toBeGreaterThan(400);
  });

  it('has one too when the times that a rotation sets are over already', async () => {
    const record = newRecord(newUser());
    await store.create(record, NO_LIMIT, NOW);
    await rotate(record, NOW, { expiresAt: NOW - 1, absoluteExpiresAt: NOW - 1 });
    expect(await isLive(store, record.digest)).toBe(false);
    expect(await listedIds(store, record.userId!)).toEqual([]);
    for (const [, ttl] of await timesToLive()) expect(ttl).toBeGreaterThan(0);
  });

  it('lives as long as what it lists, also by the clock of a node that is late', async () => {
    const userId = newUser();
    const record = newRecord(userId, { expiresAt: NOW + 10 * MINUTE, absoluteExpiresAt: NOW + 10 * MINUTE });
    await store.create(record, NO_LIMIT, NOW);
    // eight minutes later
    for (const key of await client.keys('*')) await client.pexpire(key, 2 * MINUTE);
    await store.find(record.digest, { now: NOW + MINUTE, idle: IDLE, interval: 0 });
    const ttls = new Map([...(await timesToLive())].map(([key, ttl]) => [/:([su]):/.exec(key)![1]!, ttl]));
    expect(ttls.get('s')).toBeGreaterThan(8 * MINUTE);
    // to the millisecond that may pass between two looks
    expect(ttls.get('u')).toBeGreaterThan(ttls.get('s')! - 1000);
  });

  it('shares a hash slot with all others of its user', async () => {
    const users = Array.from({ length: 20 }, () => newUser());
    const slots = new Set<number>();
    for (const userId of users) {
      await client.flushall();
      for (let i = 0; i < 3; i++) {
        const record = newRecord(userId);
        await store.create(record, NO_LIMIT, NOW);
        await rotate(record, NOW);
      }
      const keys = await client.keys('*');
      expect(keys).toHaveLength(4);
      const tags = new Set(keys.map((key) => /\{([^}]+)\}/.exec(key)?.[1]));
      expect(tags.size).toBe(1);
      slots.add(hashSlot([...tags][0]!));
    }
    expect(slots.size).toBeGreaterThan(10);
  });

  it('shows neither token nor user', async () => {
    const userId = 'alice@example.com';
    const token = issueSessionToken(userId);
    const record = newRecord(userId, { digest: digestOf(token), email: 'alice@example.com' });
    await store.create(record, NO_LIMIT, NOW);
    const nextToken = issueNextSessionToken(token);
    await rotate(record, NOW, { digest: digestOf(nextToken) });
    const keys = await client.keys('*');
    expect(keys).toHaveLength(2);
    const values = await Promise.all(keys.map((key) => client.dump(key)));
    for (const secret of [token, nextToken].map((each) => each.slice(22))) {
      for (const part of [secret, secret.slice(2, 20)]) expect([...keys, ...values].join('\n')).not.toContain(part);
    }
    expect(keys.join('\n')).not.toContain('alice');
  });

  it('is removed with the last session', async () => {
    const userId = newUser();
    const records = Array.from({ length: 5 }, () => newRecord(userId, { device: newDevice() }));
    for (const record of records) await store.create(record, NO_LIMIT, NOW);
    await store.delete(records[0]!.digest, NOW);
    await store.deleteByHandle(userId, records[1]!.id, NOW);
    await store.find(records[2]!.digest, untouched(NOW + IDLE));
    expect(await client.zcard(await indexKey())).toBe(2);
    await endAll(store, userId);
    expect(await lastingKeys()).toEqual([]);
  });
});

describe('the index of a user', () => {
  it('lives as long as the longest session may, however the others end', async () => {
    const userId = newUser();
    const long = newRecord(userId, { absoluteExpiresAt: NOW + 3 * ABSOLUTE });
    await store.create(long, NO_LIMIT, NOW);
    await store.create(newRecord(userId), NO_LIMIT, NOW);
    const index = await indexKey();
    expect(await client.pttl(index)).toBeGreaterThan(3 * ABSOLUTE - MINUTE);
    await rotate(long, NOW);
    expect(await client.pttl(index)).toBeGreaterThan(3 * ABSOLUTE - MINUTE);
    expect(await client.pttl(index)).toBeLessThanOrEqual(3 * ABSOLUTE);
  });

  it('is kept when a rotation puts the absolute deadline off', async () => {
    const record = newRecord(newUser(), { absoluteExpiresAt: NOW + IDLE });
    await store.create(record, NO_LIMIT, NOW);
    await rotate(record, NOW, { absoluteExpiresAt: NOW + ABSOLUTE });
    expect(await client.pttl(await indexKey())).toBeGreaterThan(ABSOLUTE - MINUTE);
  });

  it('does not grow with the sessions that Redis expires, while a user logs in again and again', async () => {
    const userId = newUser();
    for (let day = 0; day < 300; day++) {
      const now = NOW + day * ABSOLUTE;
      const record = recordAt(userId, now);
      await store.create(record, NO_LIMIT, now);
      const [session] = await client.keys('*:s:*');
      // As Redis does when its time is over: without a word to the index.
      await client.del(session!);
      expect(await client.zcard(await indexKey())).toBeLessThanOrEqual(2);
    }
  });

  it.each(['evict-oldest', 'evict-least-recent'] as const)(
    'holds no session that was ended for %s',
    async (onLimit) => {
      const userId = newUser();
      for (let i = 0; i < 10; i++) await store.create(newRecord(userId), { max: 3, onLimit }, NOW);
      expect(await client.zcard(await indexKey())).toBe(3);
    },
  );

  it('loses what has expired when it is listed', async () => {
    const userId = newUser();
    for (let i = 0; i < 20; i++) await store.create(newRecord(userId), NO_LIMIT, NOW);
    const index = await indexKey();
    expect(await listedIds(store, userId, NOW + IDLE)).toEqual([]);
    expect(await client.exists(index)).toBe(0);
  });

  it('has each session once, with its present device and createdAt', async () => {
    const record = newRecord(newUser());
    await store.create(record, NO_LIMIT, NOW);
    const members = async (): Promise<string[]> => client.zrange(await indexKey(), 0, -1, 'WITHSCORES');
    expect(await members()).toEqual([record.id, `${NOW}`]);
    await rotate(record, NOW, { device: 'device-one_' });
    expect(await members()).toEqual([`${record.id}device-one_`, `${NOW}`]);
    await rotate({ ...record, revision: 1 }, NOW, { device: 'device-two_', createdAt: NOW + 1 });
    expect(await members()).toEqual([`${record.id}device-two_`, `${NOW + 1}`]);
    await rotate({ ...record, revision: 2 }, NOW, { createdAt: NOW + 2 });
    expect(await members()).toEqual([`${record.id}device-two_`, `${NOW + 2}`]);
  });

  it('loses what Redis has left of a session when one of the same handle has another device', async () => {
    const userId = newUser();
    const record = newRecord(userId, { device: 'device-one_' });
    await store.create(record, NO_LIMIT, NOW);
    await client.del((await client.keys('*:s:*'))[0]!);
    const again = { ...record, device: 'device-two_' };
    await store.create(again, NO_LIMIT, NOW);
    expect(await listedIds(store, userId)).toEqual([record.id]);
    expect(await client.zrange(await indexKey(), 0, -1)).toEqual([`${record.id}device-two_`]);
  });

  it('loses the sessions of earlier versions, which were kept by digest', async () => {
    const userId = newUser();
    const session = `sa:{${shardTagOf(userId)}}:s:${'h'.repeat(43)}`;
    const old = (handle: string): string => handle.padEnd(20, 'x') + 'h'.repeat(43);
    const operations: Readonly<Record<string, () => Promise<unknown>>> = {
      list: () => store.list(userId, { limit: 10 }, NOW),
      create: () => store.create(newRecord(userId), { max: 2, onLimit: 'reject' }, NOW),
      'create, no limit': () => store.create(newRecord(userId), NO_LIMIT, NOW),
      updateByUser: () => store.updateByUser(userId, { roles: ['admin'] }, NOW),
      deleteByUser: () => store.deleteByUser(userId, { limit: 10 }, NOW),
    };
    for (const [name, operation] of Object.entries(operations)) {
      await client.flushdb();
      await store.create(newRecord(userId), NO_LIMIT, NOW);
      const index = await indexKey();
      const value = `${`${NOW}`.repeat(3)}${'x'.repeat(20)}${index.slice(-22)}"u":"${userId}",\n"r":[],\n"c":${NOW}`;
      await client.set(session, value, 'PX', MINUTE);
      await client.zadd(index, NOW - 2, old('one'), NOW - 1, old('two'));
      await operation();
      const left = await client.zrange(index, 0, -1);
      expect([name, left.filter((member) => member.length === 63)]).toEqual([name, []]);
    }
  });
});

describe('an operation of the Redis session store', () => {
  it.each(Object.entries(operations).filter(([name]) => name !== 'deleteExpired'))(
    'is one command: %s',
    async (_, operation) => {
      const userId = newUser();
      for (let i = 0; i < 3; i++) await store.create(newRecord(userId), NO_LIMIT, NOW);
      await operation(userId, NOW);
      // The server knows the script now. Some operations look for a digest first, by KEYS: that is not theirs.
      await client.config('RESETSTAT');
      await operation(userId, NOW + 1);
      const calls = await commandCalls();
      expect([calls['evalsha'], calls['eval']]).toEqual([1, undefined]);
      expect(calls['scan']).toBeUndefined();
    },
  );

  it('sends nothing for deleteExpired', async () => {
    await client.config('RESETSTAT');
    await store.deleteExpired(NOW, 100);
    expect(Object.keys(await commandCalls()).filter((name) => !/^(info|config)/.test(name))).toEqual([]);
  });

  it('works when the server has forgotten its scripts', async () => {
    const userId = newUser();
    await store.create(newRecord(userId), NO_LIMIT, NOW);
    for (const operation of Object.values(operations)) {
      await client.script('FLUSH');
      await operation(userId, NOW);
    }
    const record = newRecord(userId);
    await store.create(record, NO_LIMIT, NOW);
    await client.script('FLUSH');
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => store.update(record.digest, { [`key${i}`]: i }, NOW, NO_MAXIMUM)),
    );
    expect(Object.keys((await liveRecord(store, record.digest)).data)).toHaveLength(20);
  });

  it('rejects when the server is down, and never returns absent', async () => {
    const gone = new Redis(server.url, { retryStrategy: () => null, enableOfflineQueue: false });
    await once(gone, 'ready');
    const ended = once(gone, 'end');
    gone.disconnect();
    await ended;
    const cut = new RedisSessionStore(gone);
    const record = newRecord(newUser());
    await expect(cut.find(record.digest, untouched(NOW))).rejects.toThrow();
    await expect(cut.create(record, NO_LIMIT, NOW)).rejects.toThrow();
    await expect(cut.update(record.digest, {}, NOW, 1)).rejects.toThrow();
    await expect(cut.delete(record.digest, NOW)).rejects.toThrow();
    await expect(cut.list(record.userId!, { limit: 1 }, NOW)).rejects.toThrow();
  });
});

describe('a value that cannot be read', () => {
  const spoil: Readonly<Record<string, (key: string, value: string) => Promise<unknown>>> = {
    garbage: (key) => client.set(key, 'garbage', 'KEEPTTL'),
    nothing: (key) => client.set(key, '', 'KEEPTTL'),
    'letters for digits': (key, value) => client.set(key, `x${value.slice(1)}`, 'KEEPTTL'),
    'a header alone': (key, value) => client.set(key, value.slice(0, 104), 'KEEPTTL'),
    'a header cut off': (key, value) => client.set(key, value.slice(0, 80), 'KEEPTTL'),
    'JSON cut off': (key, value) => client.set(key, value.slice(0, -5), 'KEEPTTL'),
    'a line replaced': (key, value) => client.set(key, value.replace('"r":["reader"]', '"r":7'), 'KEEPTTL'),
    'another user in the header': (key, value) => client.set(key, `${value.slice(0, 82)}${'x'.repeat(22)}!`, 'KEEPTTL'),
    'tokens that are none': (key, value) => client.set(key, `${value},\n"k":[["x"]]`, 'KEEPTTL'),
    'no createdAt': (key, value) => client.set(key, value.replace(`,\n"c":${NOW}`, ''), 'KEEPTTL'),
    'a list': async (key) => {
      await client.del(key);
      await client.rpush(key, 'a');
    },
    'a hash': async (key) => {
      await client.del(key);
      await client.hset(key, 'a', 'b');
    },
  };
  const corrupt = { name: 'SessionAuthError', code: 'corrupt_session_record' };

  describe.each(Object.entries(spoil))('%s', (_, write) => {
    async function spoiled(): Promise<{ userId: string; digest: string; id: string; good: string }> {
      const userId = newUser();
      const good = newRecord(userId, { createdAt: NOW - 1 });
      const bad = newRecord(userId, { roles: ['reader'], data: { last: 'some text' } });
      await store.create(bad, NO_LIMIT, NOW);
      const [key] = await client.keys('*:s:*');
      await write(key!, (await client.get(key!))!);
      await store.create(good, NO_LIMIT, NOW).catch(() => undefined);
      return { userId, digest: bad.digest, id: bad.id, good: good.digest };
    }

    it('is reported as corrupt by find, update and rotate', async () => {
      const record = newRecord(newUser(), { roles: ['reader'], data: { last: 'some text' } });
      await store.create(record, NO_LIMIT, NOW);
      const [key] = await client.keys('*:s:*');
      await write(key!, (await client.get(key!))!);
      await expect(store.find(record.digest, untouched(NOW))).rejects.toMatchObject(corrupt);
      await expect(store.find(record.digest, { now: NOW + 1, idle: IDLE, interval: 0 })).rejects.toMatchObject(corrupt);
      await expect(store.update(record.digest, { a: 1 }, NOW, NO_MAXIMUM)).rejects.toMatchObject(corrupt);
      await expect(rotate(record, NOW)).rejects.toMatchObject(corrupt);
    });

    it('is removed by delete', async () => {
      const { digest } = await spoiled();
      expect(await store.delete(digest, NOW)).toBeUndefined();
      expect(await store.find(digest, untouched(NOW))).toEqual({ status: 'absent' });
    });

    it('does not stand in the way of the other sessions of its user', async () => {
      const { userId, good, id } = await spoiled();
      const admitted = newRecord(userId, { createdAt: NOW + 1 });
      expect((await store.create(admitted, { max: 5, onLimit: 'reject' }, NOW)).status).toBe('created');
      expect(await listedIds(store, userId)).toEqual([admitted.id, (await liveRecord(store, good)).id]);
      expect((await listAll(store, userId, { limit: 1 })).map((record) => record.digest)).toEqual([
        admitted.digest,
        good,
      ]);
      await store.updateByUser(userId, { roles: ['admin'] }, NOW);
      expect((await liveRecord(store, good)).roles).toEqual(['admin']);
      await store.deleteByHandle(userId, id, NOW);
      await endAll(store, userId);
      expect(await lastingKeys()).toEqual([]);
    });
  });
});

describe('a user with 10,000 sessions', () => {
  const COUNT = 10_000;
  const userId = newUser();

  beforeEach(async () => {
    for (let start = 0; start < COUNT; start += 1000) {
      const records = Array.from({ length: 1000 }, (_, i) =>
        newRecord(userId, { createdAt: NOW - ((start + i) % 997) }),
      );
      await Promise.all(records.map((record) => store.create(record, NO_LIMIT, NOW)));
    }
    await client.config('SET', 'slowlog-log-slower-than', '0');
    await client.slowlog('RESET');
  });

  it('is listed, changed and ended in bounded steps', async () => {
    const ids = await listedIds(store, userId);
    expect(new Set(ids).size).toBe(COUNT);
    expect(await store.updateByUser(userId, { roles: ['admin'] }, NOW)).toBe(COUNT);
    expect((await listAll(store, userId)).every((record) => record.roles[0] === 'admin')).toBe(true);
    expect(await store.deleteByHandle(userId, ids[5000]!, NOW)).toEqual({ id: ids[5000], userId });
    expect(await store.deleteByHandle(userId, ids[5000]!, NOW)).toBeUndefined();
    const step = await store.deleteByUser(userId, { limit: 1000, except: ids[0]! }, NOW);
    expect([step.ended.length, step.more]).toEqual([1000, true]);
    expect(await endAll(store, userId)).toHaveLength(COUNT - 1001);
    expect(await lastingKeys()).toEqual([]);
    expect(await slowestScript()).toBeLessThan(250_000);
  });
});

/** All keys but the answers that are kept for a minute. */
async function lastingKeys(): Promise<string[]> {
  return (await client.keys('*')).filter((key) => !key.includes(':a:'));
}

function recordAt(userId: string | undefined, now: number) {
  return newRecord(userId, { createdAt: now });
}

/** A new token for a session, in the place of the present one. */
async function rotate(
  { digest, revision = 0 }: Pick<SessionRecord, 'digest' | 'revision'>,
  now: number,
  changes: Parameters<SessionStore['rotate']>[1]['changes'] = {},
) {
  return store.rotate(digest, { revision, now, changes: { digest: nextDigest(digest), rotatedAt: now, ...changes } });
}

/** Some session that is stored, of whatever user; one of nobody where there is none. */
async function anySession(userId: string): Promise<{ readonly digest: string; readonly revision: number }> {
  const keys = await client.keys('*:s:*');
  if (keys.length === 0) return { digest: newRecord(userId).digest, revision: 0 };
  const key = keys[keys.length >> 1]!;
  const [, tag, handle] = /\{(..)\}:s:(.+)$/.exec(key)!;
  const value = (await client.get(key))!;
  const revision = Number(/\n"v":(\d+)/.exec(value)?.[1] ?? 0);
  return { digest: `${tag}${handle}${value.slice(39, 82)}`, revision };
}

async function indexKey(): Promise<string> {
  return (await client.keys('*:u:*'))[0]!;
}

function newDevice(): string {
  return handleOf(newRecord(undefined).digest).slice(0, 11);
}

async function timesToLive(): Promise<[string, number][]> {
  const source = `
    local answer = {}
    for _, key in ipairs(redis.call('KEYS', '*')) do
      answer[#answer + 1] = { key, redis.call('PTTL', key) }
    end
    return answer`;
  return (await client.eval(source, 0)) as [string, number][];
}

/** How often each command ran since the counters were reset. */
async function commandCalls(): Promise<Record<string, number>> {
  const info = await client.info('commandstats');
  return Object.fromEntries(
    [...info.matchAll(/cmdstat_([^:]+):calls=(\d+)/g)].map(([, name, calls]) => [name!.toLowerCase(), Number(calls)]),
  );
}

/** Microseconds. */
async function slowestScript(): Promise<number> {
  const entries = (await client.slowlog('GET', 1000)) as [number, number, number, string[]][];
  return Math.max(...entries.filter(([, , , [name]]) => /^eval/i.test(name!)).map(([, , micros]) => micros));
}

/** The slot of a key's tag in a Redis Cluster: CRC-16 (XMODEM) modulo 16384. */
function hashSlot(tag: string): number {
  let crc = 0;
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return crc % 16_384;
}
