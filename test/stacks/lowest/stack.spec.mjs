import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import Valkey from 'iovalkey';
import Redis from 'ioredis';
import mysql from 'mysql2/promise';
import { mysqlStorage } from 'nestjs-session-auth/mysql';
import { PostgresLoginThrottleStore, postgresStorage } from 'nestjs-session-auth/postgres';
import { RedisLoginThrottleStore, RedisRememberMeTokenStore, RedisSessionStore } from 'nestjs-session-auth/redis';
import pg from 'pg';
import { createClient } from 'redis';
import { applicationHolds, storesHold } from './contracts.mjs';
import { mysqlStoresHold } from './mysql-contracts.mjs';
import { runOnMysql } from './mysql-database.mjs';
import { makeDatabase } from './postgres-database.mjs';

const { loginThrottleStoreContract, rememberMeTokenStoreContract, sessionStoreContract } =
  await import('nestjs-session-auth/testing');
const { after, before, describe, it } = await import('node:test');

async function openPool(url) {
  const pool = new pg.Pool({ connectionString: url });
  return { source: pool, close: () => pool.end() };
}

storesHold('pg 8.5', openPool);
applicationHolds('pg 8.5', openPool, ({ source }) => postgresStorage({ pool: source }));

// before 8.21, the driver does not keep the transaction status of a connection
describe('pg 8.5, connections that the application uses as well', () => {
  const LEFT_BEHIND = {
    'an open transaction': (client) => client.query('BEGIN'),
    'a transaction that failed': async (client) => {
      await client.query('BEGIN');
      await client.query('SELECT 1 / 0').catch(() => undefined);
    },
    'a transaction that is just about to open': (client) => void client.query('BEGIN').catch(() => undefined),
    'another encoding': (client) => client.query(`SET client_encoding = 'LATIN1'`),
    'a deadline for statements': (client) => client.query('SET statement_timeout = 1'),
  };
  const add = (pool) => {
    const failure = { subject: `account${(accounts += 1)}`, counter: 'fails', window: 60_000 };
    return { failure, counted: new PostgresLoginThrottleStore(pool).add([failure], 1000) };
  };
  let connectionString;
  let accounts = 0;

  before(async () => {
    connectionString = await makeDatabase();
  });

  for (const [what, leave] of Object.entries(LEFT_BEHIND)) {
    for (const opened of ['before the stores were made', 'after it']) {
      it(`${what}, left on a connection that was opened ${opened}`, async () => {
        const pool = new pg.Pool({ connectionString, max: 1 });
        const another = new pg.Pool({ connectionString, max: 1 });
        try {
          if (opened === 'after it') await add(pool).counted;
          const client = await pool.connect();
          await leave(client);
          client.release();
          const { failure, counted } = add(pool);
          assert.equal((await counted)[0].count, 1);
          // what a transaction of somebody else's has written would not be seen here
          assert.equal((await new PostgresLoginThrottleStore(another).read([failure], 1000))[0]?.count, 1);
        } finally {
          await pool.end();
          await another.end();
        }
      });
    }
  }
});

const schema = createRequire(import.meta.url).resolve('nestjs-session-auth/mysql/schema.sql');
mysqlStoresHold(
  'mysql2 3.0',
  (url) => runOnMysql(url, readFileSync(schema, 'utf8')),
  async (url) => {
    const pool = mysql.createPool(url);
    return { storage: mysqlStorage({ pool }), close: () => pool.end() };
  },
);

const URL_OF_REDIS = process.env['STACK_REDIS_URL'];
const CLIENTS = {
  'ioredis 5.0': async () => {
    const client = new Redis(URL_OF_REDIS);
    return { client, close: () => client.quit() };
  },
  'iovalkey 0.4': async () => {
    const client = new Valkey(URL_OF_REDIS);
    return { client, close: () => client.quit() };
  },
  'redis 5.0': async () => {
    const client = createClient({ url: URL_OF_REDIS }).on('error', () => undefined);
    await client.connect();
    return { client, close: () => client.close() };
  },
};

for (const [name, open] of Object.entries(CLIENTS)) {
  describe(name, () => {
    let nodes = [];
    let made = 0;

    before(async () => {
      nodes = [await open(), await open()];
    });
    after(async () => {
      for (const { close } of nodes) await close();
    });

    const kept = (make) => async () => {
      const namespace = `${name.replace(' ', '')}${(made += 1)}:`;
      return {
        store: make(nodes[0].client, namespace),
        another: async () => make(nodes[1].client, namespace),
        close: async () => undefined,
      };
    };
    sessionStoreContract(
      name,
      kept((client, namespace) => new RedisSessionStore(client, { namespace })),
    );
    rememberMeTokenStoreContract(
      name,
      kept((client, namespace) => new RedisRememberMeTokenStore(client, { namespace })),
    );
    loginThrottleStoreContract(
      name,
      kept((client, namespace) => new RedisLoginThrottleStore(client, namespace)),
    );
  });
}
