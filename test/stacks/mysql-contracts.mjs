import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { makeMysqlDatabase, runOnMysql } from './mysql-database.mjs';

/* What a way to a MariaDB has to hold: the contract suites of all ports, with two nodes of the way. */

// the contract suites find the framework by its globals
Object.assign(globalThis, { describe, it });
const { loginThrottleStoreContract, rememberMeTokenStoreContract, sessionStoreContract } =
  await import('nestjs-session-auth/testing');

/**
 * @param name of the way
 * @param makeTables of an empty database, by its URL
 * @param open makes a way to the database of a URL: `{ storage, close }`
 */
export function mysqlStoresHold(name, makeTables, open) {
  let url;
  let nodes = [];

  before(async () => {
    url = await makeMysqlDatabase();
    await makeTables(url);
    nodes = [await open(url), await open(url)];
  });
  after(async () => {
    for (const { close } of nodes) await close();
  });

  const kept = (part, table) => async () => {
    // what is injected into the slot: no deadline, and the pool or DataSource that the storage was made with
    const storeOf = ({ storage }) => storage[part].useFactory(undefined);
    return {
      store: await storeOf(nodes[0]),
      another: () => storeOf(nodes[1]),
      close: () => runOnMysql(url, `DELETE FROM ${table}`),
    };
  };
  sessionStoreContract(name, kept('sessions', 'session_auth_session'));
  rememberMeTokenStoreContract(name, kept('rememberMe', 'session_auth_remember_me'));
  loginThrottleStoreContract(name, kept('throttle', 'session_auth_throttle'));
  it(`${name}: keeps nothing in the other tables but locks and the version`, async () => {
    assert.deepEqual(await runOnMysql(url, 'SELECT version FROM session_auth_version'), [{ version: 3 }]);
  });
}
