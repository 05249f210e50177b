import 'reflect-metadata';
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { SqliteRememberMeTokenStore, SqliteSessionStore } from 'nestjs-session-auth/sqlite';
import { DRIVER, makeDatabase, SCHEMA, UPGRADE } from './handles.mjs';
import { HOUR, newRecord, NO_LIMIT, NOW, UNTOUCHED } from './records.mjs';

/** What this version writes, reads as well, and leaves to later nodes. */
const [OWN, NEXT, LATER] = [2, 3, 4];

const TOO_LATE = /a stored record is of .*version/;

describe(`${DRIVER}: records of other versions`, () => {
  let database;
  let store;
  let record;

  before(() => {
    database = makeDatabase();
    store = new SqliteSessionStore(database.first);
  });
  after(() => database.close());
  beforeEach(async () => {
    database.first.exec('DELETE FROM session_auth_session');
    record = newRecord('alice');
    await store.create(record, NO_LIMIT, NOW);
  });

  const setVersion = (version) => database.first.exec(`UPDATE session_auth_session SET record_version = ${version}`);
  const version = () => database.run('SELECT record_version FROM session_auth_session')[0].record_version;

  const changes = {
    update: () => store.update(record.digest, { seen: true }, NOW, 1000),
    rotate: () => store.rotate(record.digest, { revision: 0, now: NOW, changes: { rotatedAt: NOW + 1 } }),
    updateByUser: () => store.updateByUser('alice', { roles: ['teller'] }, NOW),
  };

  for (const [name, change] of Object.entries(changes)) {
    it(`${name} raises the version of an earlier record`, async () => {
      setVersion(1);
      await change();
      assert.equal(version(), OWN);
    });

    it(`${name} leaves the version of the next one as it is`, async () => {
      setVersion(NEXT);
      await change();
      assert.equal(version(), NEXT);
      assert.equal((await store.find(record.digest, UNTOUCHED)).status, 'live');
    });

    it(`${name} rejects for a later record, and changes nothing`, async () => {
      setVersion(LATER);
      const before = database.run('SELECT * FROM session_auth_session');
      await assert.rejects(change(), TOO_LATE);
      assert.deepEqual(database.run('SELECT * FROM session_auth_session'), before);
    });
  }

  it('reads of a later record reject: it is neither absent nor corrupt', async () => {
    setVersion(LATER);
    await assert.rejects(store.find(record.digest, UNTOUCHED), TOO_LATE);
    await assert.rejects(store.list('alice', { limit: 10 }, NOW), TOO_LATE);
  });

  it('a later record counts for the limit, and can be ended', async () => {
    setVersion(LATER);
    const second = newRecord('alice');
    const outcome = await store.create(second, { max: 1, onLimit: 'evict-oldest' }, NOW);
    assert.deepEqual(outcome.evicted, [{ id: record.id, userId: 'alice' }]);
    setVersion(LATER);
    assert.deepEqual(await store.delete(second.digest, NOW), { id: second.id, userId: 'alice' });
  });

  it('a remembered device of a later version is not read, and can be forgotten', async () => {
    const tokens = new SqliteRememberMeTokenStore(database.first);
    const token = {
      selector: 'a'.repeat(22),
      id: 'b'.repeat(22),
      userId: 'alice',
      validatorDigest: 'c'.repeat(43),
      revision: 0,
      createdAt: NOW,
      lastUsedAt: NOW,
      expiresAt: NOW + HOUR,
      sessionId: record.id,
    };
    await tokens.create(token, 5, NOW);
    database.first.exec(`UPDATE session_auth_remember_me SET record_version = ${LATER}`);
    await assert.rejects(tokens.find(token.selector, NOW), TOO_LATE);
    const replacement = { revision: 0, now: NOW, changes: { lastUsedAt: NOW + 1 } };
    await assert.rejects(tokens.replace(token.selector, replacement), TOO_LATE);
    assert.equal(await tokens.deleteByUser('alice', undefined, NOW), 1);
  });
});

describe(`${DRIVER}: tables of other versions`, () => {
  for (const [version, isTaken] of [
    [0, false],
    [1, false],
    [2, true],
    [3, true],
    [4, false],
  ]) {
    it(`a node ${isTaken ? 'starts' : 'does not start'} on those of version ${version}`, async () => {
      const database = makeDatabase();
      try {
        database.first.exec(`UPDATE session_auth_version SET version = ${version}`);
        const check = new SqliteSessionStore(database.first).checkTables();
        if (isTaken) await check;
        else await assert.rejects(check, { name: 'SessionAuthError', code: 'invalid_configuration' });
      } finally {
        database.close();
      }
    });
  }

  it('upgrade.sql brings those of version 1 to this one, with their rows, and refuses to run twice', async () => {
    const database = makeDatabase();
    try {
      const shape = () => database.run('SELECT name, sql FROM sqlite_schema ORDER BY name').map(({ name }) => name);
      const columns = () => database.run("SELECT name FROM pragma_table_info('session_auth_session')");
      const [names, fresh] = [shape(), columns()];
      const store = new SqliteSessionStore(database.first);
      const record = newRecord('alice');
      await store.create(record, NO_LIMIT, NOW);
      database.first.exec(`DROP TABLE session_auth_generation;
        ALTER TABLE session_auth_session DROP COLUMN generation;
        ALTER TABLE session_auth_remember_me DROP COLUMN generation;
        UPDATE session_auth_version SET version = 1`);
      database.first.exec(SCHEMA);
      await assert.rejects(new SqliteSessionStore(database.first).checkTables(), { code: 'invalid_configuration' });
      database.first.exec(UPGRADE);
      await new SqliteSessionStore(database.first).checkTables();
      assert.deepEqual([shape(), columns()], [names, fresh]);
      assert.equal((await store.find(record.digest, UNTOUCHED)).status, 'live');
      assert.throws(() => database.first.exec(UPGRADE), /duplicate column/);
      assert.equal((await store.find(record.digest, UNTOUCHED)).status, 'live');
    } finally {
      database.close();
    }
  });
});
