import 'reflect-metadata';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { BcryptPasswordHasher, SessionAuthModule } from 'nestjs-session-auth';
import {
  PostgresLoginThrottleStore,
  PostgresRememberMeTokenStore,
  PostgresSessionStore,
  postgresStorage,
} from 'nestjs-session-auth/postgres';
import pg from 'pg';
import { makeDatabase, runOnPostgres } from './postgres-database.mjs';

/*
 * What every way to a PostgreSQL has to hold: the contract suites of all ports, with two nodes of the way itself, and
 * with one of them on a pool of pg, and an application that keeps everything there.
 */

// the contract suites find the framework by its globals
Object.assign(globalThis, { describe, it });
const { loginThrottleStoreContract, rememberMeTokenStoreContract, sessionStoreContract } =
  await import('nestjs-session-auth/testing');

/**
 * @param name of the way
 * @param open makes a way to the database of a URL: `{ source, close }`; a source is what a store is made with
 * @param stores the classes of the stores, where they are not those of PostgreSQL itself
 * @param besidePool whether the stack has a `pg` whose pools are taken
 */
export function storesHold(name, open, { besidePool = true, ...stores } = {}) {
  const {
    sessions: Sessions = PostgresSessionStore,
    rememberMe: RememberMe = PostgresRememberMeTokenStore,
    throttle: Throttle = PostgresLoginThrottleStore,
  } = stores;
  let url;
  let nodes = [];
  let pool;

  before(async () => {
    url = await makeDatabase();
    nodes = [await open(url), await open(url)];
    pool = new pg.Pool({ connectionString: url });
  });
  after(async () => {
    for (const { close } of nodes) await close();
    await pool.end();
  });

  const empty = (table) => runOnPostgres(url, `DELETE FROM ${table}`);
  const kept = (Store, table) => () =>
    Promise.resolve({
      store: new Store(nodes[0].source),
      another: () => Promise.resolve(new Store(nodes[1].source)),
      close: () => empty(table),
    });
  sessionStoreContract(name, kept(Sessions, 'session_auth_session'));
  rememberMeTokenStoreContract(name, kept(RememberMe, 'session_auth_remember_me'));
  loginThrottleStoreContract(name, kept(Throttle, 'session_auth_throttle'));
  if (!besidePool) return;
  sessionStoreContract(`${name} beside a pool of pg`, () =>
    Promise.resolve({
      store: new Sessions(nodes[0].source),
      another: () => Promise.resolve(new PostgresSessionStore(pool)),
      close: () => empty('session_auth_session'),
    }),
  );
}

/**
 * The tables are made by the migrations of an ORM, as docs/postgresql.md says.
 *
 * @param migrate runs the ORM's migrations, of which one makes the tables, on the empty database of a URL
 */
export function migrationHolds(name, migrate) {
  it(`${name}: a migration makes the tables`, async () => {
    const url = await makeDatabase({ tables: false });
    await migrate(url);
    await migrate(url);
    const pool = new pg.Pool({ connectionString: url });
    try {
      for (const Store of [PostgresSessionStore, PostgresRememberMeTokenStore, PostgresLoginThrottleStore]) {
        await new Store(pool).checkTables();
      }
    } finally {
      await pool.end();
    }
  });
}

/** @param storageOf makes the storage of a way that is open */
export function applicationHolds(name, open, storageOf = ({ source }) => postgresStorage({ executor: source })) {
  it(`${name}: an application keeps sessions, remembered devices, failures and events there`, async () => {
    const url = await makeDatabase();
    const way = await open(url);
    const passwordHash = await new BcryptPasswordHasher(4).hash('correct horse battery');
    const alice = { id: 'alice', email: 'alice@example.com', roles: [], passwordHash };
    const users = {
      findByEmail: async (email) => (email === alice.email ? alice : undefined),
      findById: async () => alice,
    };
    class AppModule {}
    Module({
      imports: [
        SessionAuthModule.forRoot({
          secrets: ['a secret of a stack that is longer than thirty-two bytes'],
          storage: storageOf(way),
          users: { useValue: users },
          rememberMe: {},
        }),
      ],
    })(AppModule);
    const app = await NestFactory.create(AppModule, { logger: ['error'] });
    await app.listen(0, '127.0.0.1');
    try {
      const base = `http://127.0.0.1:${app.getHttpServer().address().port}/auth`;
      const cookiesOf = (answer) =>
        answer.headers
          .getSetCookie()
          .map((each) => each.split(';')[0])
          .join('; ');
      const form = await fetch(`${base}/csrf`);
      const { csrfToken, headerName } = await form.json();
      const login = (password) =>
        fetch(`${base}/login`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', cookie: cookiesOf(form), [headerName]: csrfToken },
          body: JSON.stringify({ email: alice.email, password, rememberMe: true }),
        });
      assert.equal((await login('wrong')).status, 401);
      const entered = await login('correct horse battery');
      assert.equal(entered.status, 200);
      const cookie = cookiesOf(entered);
      assert.equal((await fetch(`${base}/session`, { headers: { cookie } })).status, 200);
      const counts = async () => {
        const tables = ['session_auth_session', 'session_auth_remember_me', 'session_auth_audit_event'];
        const found = [];
        for (const table of tables)
          found.push(Number((await runOnPostgres(url, `SELECT count(*) FROM ${table}`))[0].count));
        return found;
      };
      const [sessions, devices] = await counts();
      assert.deepEqual([sessions, devices], [1, 1]);
    } finally {
      await app.close();
      await way.close();
    }
    assert.ok(Number((await runOnPostgres(url, 'SELECT count(*) FROM session_auth_audit_event'))[0].count) > 0);
  });
}
