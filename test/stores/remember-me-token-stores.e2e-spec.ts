import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { MemoryRememberMeTokenStore } from 'nestjs-session-auth';
import { RedisRememberMeTokenStore } from 'nestjs-session-auth/redis';
import { rememberMeTokenStoreContract } from 'nestjs-session-auth/testing';
import { REMEMBER_ME_TABLE, TypeOrmRememberMeTokenStore } from 'nestjs-session-auth/typeorm';
import { describeOnPostgres } from '../support/postgres-variants.js';

rememberMeTokenStoreContract('memory', () => {
  const store = new MemoryRememberMeTokenStore();
  return Promise.resolve({ store, another: () => Promise.resolve(store), close: () => Promise.resolve() });
});

describe.each([
  ['redis', {}],
  ['redis with a keyPrefix', { keyPrefix: 'app:{x}:' }],
  ['redis with auto-pipelining', { enableAutoPipelining: true }],
])('%s', (name, options) => {
  const namespace = `r${randomBytes(6).toString('hex')}:`;
  let clients: Redis[];

  beforeAll(() => {
    clients = [1, 2].map(() => new Redis(process.env['TEST_REDIS_URL']!, options));
  });

  afterAll(() => clients.forEach((client) => client.disconnect()));

  rememberMeTokenStoreContract(name, () =>
    Promise.resolve({
      store: new RedisRememberMeTokenStore(clients[0]!, { namespace }),
      another: () => Promise.resolve(new RedisRememberMeTokenStore(clients[1]!, { namespace })),
      close: () => Promise.resolve(),
    }),
  );

  it('gives every key a time to live', async () => {
    const plain = new Redis(process.env['TEST_REDIS_URL']!);
    const keys = await plain.keys(`*${namespace}*`);
    expect(keys.length).toBeGreaterThan(10);
    for (const key of keys) expect(await plain.pttl(key)).toBeGreaterThan(0);
    await plain.del(...keys);
    plain.disconnect();
  });
});

describeOnPostgres('TypeOrmRememberMeTokenStore', (name, { options, dataSource }) => {
  rememberMeTokenStoreContract(name, () =>
    Promise.resolve({
      store: new TypeOrmRememberMeTokenStore(dataSource(0), options),
      another: () => Promise.resolve(new TypeOrmRememberMeTokenStore(dataSource(1), options)),
      close: async () => {
        await dataSource(0).query(`TRUNCATE ${options.schema ? '"we""ird schema".' : ''}${REMEMBER_ME_TABLE}`);
      },
    }),
  );
});
