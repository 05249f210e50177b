import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
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
  sessionLinkContract,
  sessionStoreContract,
} from 'nestjs-session-auth/testing';
import { createClient } from 'redis';
import { createClient as createClient5 } from 'redis-5';
import { startLocalRedis, type LocalRedis } from '../../../src/local-services/local-redis.js';
import { ADAPTERS, startBank } from '../../support/bank.js';
import { EVERYDAY_STATUSES, everydayVisit } from '../../support/everyday-visit.js';
import { redisContracts } from '../../support/redis-contracts.js';
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
    const clients = ['~sa:@staff:*', '~sa:{* ~sa:throttle:* ~sa:nodes'].map(async (keys, i) => {
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

describe('a Redis user with the rights of the link as well', () => {
  let server: LocalRedis;
  let operator: Redis;
  let restricted: Redis[];
  let given: string[];

  beforeAll(async () => {
    server = await startLocalRedis();
    operator = new Redis(server.url);
    const lines = [...(await readFile('docs/redis.md', 'utf8')).matchAll(/^ACL SETUSER (.+)$/gm)];
    const [rights, ofLink] = lines.map(([, line]) => line!.split(' '));
    given = ofLink!.slice(1);
    await operator.call('ACL', 'SETUSER', ...rights!);
    await operator.call('ACL', 'SETUSER', ...ofLink!);
    const username = ofLink![0]!;
    const password = rights!.find((right) => right.startsWith('>'))!.slice(1);
    restricted = [1, 2].map(() => new Redis(server.url, { username, password }));
  });

  afterAll(async () => {
    for (const client of [operator, ...restricted]) client.disconnect();
    await server.stop();
  });

  sessionLinkContract('RedisSessionStore', () => {
    const own = { namespace: `sa:${randomBytes(6).toString('hex')}:`, link: true };
    return Promise.resolve({
      store: new RedisSessionStore(restricted[0]!, own),
      another: () => Promise.resolve(new RedisSessionStore(restricted[1]!, own)),
      close: () => Promise.resolve(),
    });
  });

  it('was refused nothing, and cannot do without any of them', async () => {
    expect(await operator.call('ACL', 'LOG')).toEqual([]);
    for (const right of given) {
      const [back, without] = right.startsWith('&') ? [right, 'resetchannels'] : [right, right.replace('+', '-')];
      await operator.call('ACL', 'SETUSER', 'bank', without);
      const link = new RedisSessionStore(restricted[0]!, { link: true }).link()!;
      await expect(link.open()).rejects.toMatchObject({
        code: 'invalid_configuration',
        message: expect.stringContaining('redisStorage.link'),
      });
      await link.close();
      await operator.call('ACL', 'SETUSER', 'bank', back);
    }
  });
});

// the types of the result have all that a client may be made of
const clientOf = (create: typeof createClient, options: { url: string; username: string; password: string }) =>
  create(options);

describe('a Redis user of nodes with clients of redis', () => {
  let server: LocalRedis;
  let operator: Redis;
  let clients: ReturnType<typeof clientOf>[];
  let given: string[];

  beforeAll(async () => {
    server = await startLocalRedis();
    operator = new Redis(server.url);
    const guide = await readFile('docs/redis.md', 'utf8');
    const [rights, ofLink] = [...guide.matchAll(/^ACL SETUSER (.+)$/gm)].map(([, line]) => line!.split(' '));
    given = [...rights!.filter((right) => right !== '+info'), ...ofLink!.slice(1)];
    await operator.call('ACL', 'SETUSER', ...given);
    const [username] = given;
    const password = given.find((right) => right.startsWith('>'))!.slice(1);
    clients = [createClient, createClient, createClient5 as never].map((create) =>
      clientOf(create, { url: server.url, username: username!, password }),
    );
    for (const client of clients) {
      client.on('error', () => undefined);
      await client.connect();
    }
  });

  afterAll(async () => {
    for (const client of clients) client.destroy();
    operator.disconnect();
    await server.stop();
  });

  redisContracts('redis', () => clients);
  redisContracts('redis 5', () => [clients[2]!, clients[0]!]);

  it('was refused nothing that the guide does not name, and may do nothing else', async () => {
    const log = (await operator.call('ACL', 'LOG')) as unknown[][];
    // the name of the library, from Redis 7.2 on; and what the link asks for, and does without
    const optional = ['client|setinfo', 'info'];
    const refused = log.map((entry) => String(entry[entry.indexOf('object') + 1]));
    expect(refused.filter((name) => !optional.includes(name))).toEqual([]);
    for (const command of [['keys', '*'], ['info'], ['config', 'get', '*'], ['client', 'list'], ['get', 'other']]) {
      await expect(clients[0]!.sendCommand(command)).rejects.toThrow('NOPERM');
    }
  });

  it('makes the link refuse at once if it lacks the channels, with one line in the log, and try no more', async () => {
    const logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    await operator.call('ACL', 'SETUSER', given[0]!, 'resetchannels');
    for (const client of clients) {
      logged.mockClear();
      const link = new RedisSessionStore(client, { link: true }).link()!;
      await expect(link.open()).rejects.toMatchObject({ code: 'invalid_configuration' });
      expect(logged.mock.calls).toEqual([[expect.stringContaining('the session link is refused'), expect.any(Error)]]);
      await link.close();
    }
    await operator.call('ACL', 'SETUSER', ...given);
    logged.mockRestore();
  });
});
