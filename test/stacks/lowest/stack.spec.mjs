import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import Valkey from 'iovalkey';
import { Redis } from 'ioredis';
import mysql from 'mysql2/promise';
import { mysqlStorage } from 'nestjs-session-auth/mysql';
import { postgresStorage } from 'nestjs-session-auth/postgres';
import { RedisLoginThrottleStore, RedisRememberMeTokenStore, RedisSessionStore } from 'nestjs-session-auth/redis';
import pg from 'pg';
import { createClient } from 'redis';
import { applicationHolds, storesHold } from './contracts.mjs';
import { mysqlStoresHold, runOnMysql } from './mysql-contracts.mjs';

const { loginThrottleStoreContract, rememberMeTokenStoreContract, sessionStoreContract } =
  await import('nestjs-session-auth/testing');
const { after, before, describe } = await import('node:test');

async function openPool(url) {
  const pool = new pg.Pool({ connectionString: url });
  return { source: pool, close: () => pool.end() };
}

storesHold('pg 8.21', openPool, { besidePool: false });
applicationHolds('pg 8.21', openPool, ({ source }) => postgresStorage({ pool: source }));

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
  'ioredis 5.11': async () => {
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
