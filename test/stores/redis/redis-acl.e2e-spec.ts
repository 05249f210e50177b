import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import {
  RedisLoginThrottleStore,
  RedisRememberMeTokenStore,
  redisStorage,
  RedisSessionStore,
} from 'nestjs-session-auth/redis';
import {
  loginThrottleStoreContract,
  rememberMeTokenStoreContract,
  sessionStoreContract,
} from 'nestjs-session-auth/testing';
import { startLocalRedis, type LocalRedis } from '../../../src/local-services/local-redis.js';
import { ADAPTERS, startBank } from '../../support/bank.js';
import { EVERYDAY_STATUSES, everydayVisit } from '../../support/everyday-visit.js';
import { newRecord, NOW } from '../../support/session-records.js';

/** `INFO` was asked for before the count began. */
const NOT_COUNTED = ['info'];

/** What only this test sends. */
describe('a Redis user with the rights of docs/redis.md and no more', () => {
  let server: LocalRedis;
  let operator: Redis;
  let rights: string[];
  let restricted: Redis[];

  const namespace = (): string => `sa:${randomBytes(6).toString('hex')}:`;

  beforeAll(async () => {
    server = await startLocalRedis();
    operator = new Redis(server.url);
    const [, line] = /^ACL SETUSER (.+)$/m.exec(await readFile('docs/redis.md', 'utf8'))!;
    rights = line!.split(' ');
    await operator.call('ACL', 'SETUSER', ...rights);
    const username = rights[0]!;
    const password = rights.find((right) => right.startsWith('>'))!.slice(1);
    restricted = [1, 2].map(() => new Redis(server.url, { username, password }));
    await operator.config('RESETSTAT');
  });

  afterAll(async () => {
    for (const client of [operator, ...restricted]) client.disconnect();
    await server.stop();
  });

  sessionStoreContract('RedisSessionStore', () => {
    const own = { namespace: namespace() };
    return Promise.resolve({
      store: new RedisSessionStore(restricted[0]!, own),
      another: () => Promise.resolve(new RedisSessionStore(restricted[1]!, own)),
      close: () => Promise.resolve(),
    });
  });

  rememberMeTokenStoreContract('RedisRememberMeTokenStore', () => {
    const own = { namespace: namespace() };
    return Promise.resolve({
      store: new RedisRememberMeTokenStore(restricted[0]!, own),
      another: () => Promise.resolve(new RedisRememberMeTokenStore(restricted[1]!, own)),
      close: () => Promise.resolve(),
    });
  });

  loginThrottleStoreContract('RedisLoginThrottleStore', () => {
    const own = namespace();
    return Promise.resolve({
      store: new RedisLoginThrottleStore(restricted[0]!, own),
      another: () => Promise.resolve(new RedisLoginThrottleStore(restricted[1]!, own)),
      close: () => Promise.resolve(),
    });
  });

  it.each(ADAPTERS)('serves a bank on %s: logins, failed ones, devices and what comes after', async (adapter) => {
    const storage = redisStorage({ client: restricted[0]!, namespace: namespace() });
    const backend = { storage, redis: operator, namespace: '', close: () => Promise.resolve() };
    const bank = await startBank({ adapter, backend });
    try {
      expect(await everydayVisit(bank)).toEqual(EVERYDAY_STATUSES);
    } finally {
      await bank.close();
    }
  });

  it('was refused nothing, may do nothing else, and needs every right', async () => {
    expect(await operator.call('ACL', 'LOG')).toEqual([]);
    for (const command of [['keys', '*'], ['scan', '0'], ['flushall'], ['config', 'get', '*'], ['acl', 'list']]) {
      await expect(restricted[0]!.call(...(command as [string]))).rejects.toThrow('NOPERM');
    }
    await expect(restricted[0]!.call('get', 'somebody-elses')).rejects.toThrow('NOPERM');
    await expect(restricted[0]!.call('publish', 'c', 'm')).rejects.toThrow('NOPERM');

    const stats = await operator.info('commandstats');
    const used = [...stats.matchAll(/^cmdstat_([^:]+):calls=[1-9]/gm)].map(([, name]) => name!);
    const given = rights.filter((right) => /^\+\w/.test(right)).map((right) => right.slice(1));
    expect(given.filter((name) => !used.includes(name) && !NOT_COUNTED.includes(name))).toEqual([]);
  });

  it('reaches one realm alone, with the keys that the guide says for it', async () => {
    const guide = await readFile('docs/redis.md', 'utf8');
    const clients = ['~sa:@staff:*', '~sa:{* ~sa:throttle:*'].map(async (keys, i) => {
      expect(guide).toContain(`\`${keys}\``);
      const own = rights.flatMap((right) => (right === '~sa:*' ? keys.split(' ') : [right]));
      await operator.call('ACL', 'SETUSER', `realm${i}`, ...own.slice(1));
      const password = rights.find((right) => right.startsWith('>'))!.slice(1);
      return new Redis(server.url, { username: `realm${i}`, password });
    });
    const [ofStaff, ofDefault] = await Promise.all(clients);
    try {
      for (const [client, realm, other] of [
        [ofStaff!, 'staff', 'default'],
        [ofDefault!, 'default', 'staff'],
      ] as const) {
        const key = { subject: 'somebody', counter: 'failures' };
        const record = newRecord('alice');
        await new RedisSessionStore(client, { realm }).create(record, { max: 1, onLimit: 'reject' }, NOW);
        const own = new RedisLoginThrottleStore(client, realm === 'staff' ? 'sa:@staff:' : 'sa:');
        await own.add([{ ...key, window: 1000 }], NOW);
        await expect(
          new RedisSessionStore(client, { realm: other }).list('alice', { limit: 1 }, NOW),
        ).rejects.toThrow();
        const foreign = new RedisLoginThrottleStore(client, realm === 'staff' ? 'sa:' : 'sa:@staff:');
        await expect(foreign.read([key], NOW)).rejects.toThrow();
      }
    } finally {
      for (const client of [ofStaff!, ofDefault!]) client.disconnect();
    }
  });
});
