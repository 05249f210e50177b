import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { SessionRecord, SessionStore } from 'nestjs-session-auth';
import { MysqlSessionStore } from 'nestjs-session-auth/mysql';
import { PostgresSessionStore } from 'nestjs-session-auth/postgres';
import { RedisSessionStore } from 'nestjs-session-auth/redis';
import { digestOf, issueSessionToken } from '../../libs/session-auth/src/crypto/session-token.js';
import { createMysqlDatabase } from '../support/mysql-database.js';
import { createDatabaseWithTables, poolOf } from '../support/postgres-database.js';
import { newRecord, NO_LIMIT, NOW } from '../support/session-records.js';

/** A store, and what it holds of a session beside its back. */
interface Opened {
  readonly store: SessionStore;
  /** Makes the stored session one of a version. */
  readonly age: (id: string, version: number) => Promise<void>;
  /** All that is stored of a session; undefined when it is gone. */
  readonly stored: (id: string) => Promise<unknown>;
  readonly close: () => Promise<unknown>;
}

async function openRedis(): Promise<Opened> {
  const client = new Redis(process.env['TEST_REDIS_URL']!);
  const namespace = `t${randomBytes(6).toString('hex')}:`;
  const keyOf = async (id: string): Promise<string> =>
    (await client.keys(`${namespace}*`)).find((key) => key.endsWith(`:s:${id}`)) ?? 'none';
  return {
    store: new RedisSessionStore(client, { namespace }),
    age: async (id, version) => {
      const key = await keyOf(id);
      await client.set(key, (await client.get(key))!.replace(/\n"z":\d+/, `\n"z":${version}`), 'KEEPTTL');
    },
    stored: async (id) => (await client.get(await keyOf(id))) ?? undefined,
    close: () => client.quit(),
  };
}

async function openPostgres(): Promise<Opened> {
  const database = await createDatabaseWithTables();
  const dataSource = await database.open();
  const table = 'session_auth_session';
  return {
    store: new PostgresSessionStore(poolOf(dataSource)),
    age: (id, version) => dataSource.query(`UPDATE ${table} SET record_version = $2 WHERE handle = $1`, [id, version]),
    stored: async (id) =>
      (await dataSource.query<object[]>(`SELECT to_json(s)::text AS row FROM ${table} s WHERE handle = $1`, [id]))[0],
    close: () => database.close(),
  };
}

async function openMysql(): Promise<Opened> {
  const database = await createMysqlDatabase();
  const table = 'session_auth_session';
  return {
    store: new MysqlSessionStore(database.open()),
    age: async (id, version) =>
      void (await database.run(`UPDATE ${table} SET record_version = ? WHERE handle = ?`, [version, Buffer.from(id)])),
    stored: async (id) => (await database.run(`SELECT * FROM ${table} WHERE handle = ?`, [Buffer.from(id)]))[0],
    close: () => database.close(),
  };
}

const OPEN = { Redis: openRedis, PostgreSQL: openPostgres, MariaDB: openMysql };
const TOUCH = { now: NOW + 50, idle: 1000, interval: 0 };
const LIMIT = { max: 1, onLimit: 'evict-oldest' } as const;

/** In Redis the digests of a user begin with the user's tag. */
const recordOfAlice = (): SessionRecord => newRecord('alice', { digest: digestOf(issueSessionToken('alice')) });

/** What reads or changes a session, in each way that a store has. */
const CALLS: Readonly<Record<string, (store: SessionStore, digest: string) => Promise<unknown>>> = {
  'a read': (store, digest) => store.find(digest, { ...TOUCH, interval: 100 }),
  'a touch': (store, digest) => store.find(digest, TOUCH),
  'an update': (store, digest) => store.update(digest, { one: 1 }, NOW + 50, 10_000),
  'a rotation': (store, digest) => store.rotate(digest, { revision: 0, now: NOW + 50, changes: { roles: ['boss'] } }),
  'a list': (store) => store.list('alice', { limit: 10 }, NOW + 50),
  'a change of roles': (store) => store.updateByUser('alice', { roles: ['boss'] }, NOW + 50),
};

describe.each(Object.entries(OPEN))('a session of another version in %s', (_, open) => {
  let opened: Opened;

  beforeAll(async () => {
    opened = await open();
  });
  afterAll(() => opened.close());

  it.each(Object.entries(CALLS))('is neither read nor changed by %s if it is two ahead', async (name, call) => {
    const { store, age, stored } = opened;
    const [record, other] = [recordOfAlice(), recordOfAlice()];
    for (const each of [record, other]) await store.create(each, NO_LIMIT, NOW);
    await age(record.id, 4);
    const before = [await stored(record.id), await stored(other.id)];
    await expect(call(store, record.digest)).rejects.toMatchObject({
      message: expect.stringContaining('this node reads records up to version 3') as unknown,
    });
    await expect(call(store, record.digest)).rejects.not.toHaveProperty('code', 'corrupt_session_record');
    expect([name, await stored(record.id), await stored(other.id)]).toEqual([name, ...before]);
    await store.deleteByUser('alice', { limit: 10 }, NOW);
  });

  it.each(Object.entries(CALLS))('is used by %s where it is one ahead, and stays so', async (_name, call) => {
    const { store, age, stored } = opened;
    const record = recordOfAlice();
    await store.create(record, NO_LIMIT, NOW);
    await age(record.id, 3);
    await call(store, record.digest);
    expect(JSON.stringify(await stored(record.id))).toMatch(/\\"z\\":3|record_version\\?":3/);
    await store.deleteByUser('alice', { limit: 10 }, NOW);
  });

  it('is ended in any version, and its owner is returned', async () => {
    const { store, age, stored } = opened;
    const ends: readonly ((digest: string, id: string) => Promise<unknown>)[] = [
      (digest) => store.delete(digest, NOW + 1),
      (_digest, id) => store.deleteByHandle('alice', id, NOW + 1),
      async () => (await store.deleteByUser('alice', { limit: 10 }, NOW + 1)).ended[0],
      async () => {
        const outcome = await store.create(recordOfAlice(), LIMIT, NOW + 1);
        return outcome.status === 'created' && outcome.evicted[0];
      },
      async (digest) => {
        const outcome = await store.find(digest, { now: NOW * 2, idle: 1000, interval: 100 });
        return outcome.status === 'expired' && outcome.ended;
      },
    ];
    for (const end of ends) {
      const record = recordOfAlice();
      await store.deleteByUser('alice', { limit: 10 }, NOW);
      await store.create(record, NO_LIMIT, NOW);
      await age(record.id, 9);
      expect(await end(record.digest, record.id)).toEqual({ id: record.id, userId: 'alice' });
      expect(await stored(record.id)).toBeUndefined();
    }
  });
});
