import 'reflect-metadata';
import { after, before, describe, it } from 'node:test';
import { SqliteLoginThrottleStore, SqliteRememberMeTokenStore, SqliteSessionStore } from 'nestjs-session-auth/sqlite';
import { DRIVER, makeDatabase, openHandle, SCHEMA } from './handles.mjs';

// the contract suites find the framework by its globals
Object.assign(globalThis, { describe, it });
const { loginThrottleStoreContract, rememberMeTokenStoreContract, sessionStoreContract } =
  await import('nestjs-session-auth/testing');

const SUITES = [
  ['sessions', sessionStoreContract, SqliteSessionStore, 'session_auth_session'],
  ['remembered devices', rememberMeTokenStoreContract, SqliteRememberMeTokenStore, 'session_auth_remember_me'],
  ['counts of failed logins', loginThrottleStoreContract, SqliteLoginThrottleStore, 'session_auth_throttle'],
];

describe(`${DRIVER}: two handles on one file`, () => {
  let database;
  let second;

  before(() => {
    database = makeDatabase();
    second = database.open();
  });
  after(() => database.close());

  for (const [what, contract, Store, table] of SUITES) {
    contract(`${DRIVER}: ${what} by two handles`, async () => ({
      store: new Store(database.first),
      another: async () => new Store(second),
      close: async () => database.first.exec(`DELETE FROM ${table}`),
    }));
  }
});

describe(`${DRIVER}: one handle, in memory`, () => {
  for (const [what, contract, Store] of SUITES) {
    contract(`${DRIVER}: ${what} in memory`, async () => {
      const handle = openHandle(':memory:');
      handle.exec(SCHEMA);
      return { store: new Store(handle), another: async () => new Store(handle), close: async () => handle.close() };
    });
  }
});
