import 'reflect-metadata';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { SqliteLoginThrottleStore, SqliteSessionStore } from 'nestjs-session-auth/sqlite';
import { DRIVER, makeDatabase, run } from './handles.mjs';
import { newRecord, NO_LIMIT, NOW, UNTOUCHED } from './records.mjs';

describe(`${DRIVER}: a handle that the application uses as well`, () => {
  let database;
  let store;

  beforeEach(() => {
    database = makeDatabase();
    database.first.exec('PRAGMA busy_timeout = 60000');
    store = new SqliteSessionStore(database.first, { queryTimeout: 30_000 });
  });
  afterEach(() => database.close());

  const handles = () => database.run('SELECT handle FROM session_auth_session').map(({ handle }) => handle);

  it('waits for the lock of another connection while the event loop goes on', async () => {
    const other = database.open();
    other.exec('BEGIN IMMEDIATE');
    const record = newRecord('alice');
    const created = store.create(record, NO_LIMIT, NOW);
    // a process that sleeps for the lock, as the handle is set to for a minute, never comes to release it
    await turn();
    assert.deepEqual(handles(), []);
    other.exec('COMMIT');
    assert.equal((await created).status, 'created');
    assert.deepEqual(handles(), [record.id]);
  });

  it('leaves the time that the application waits for locks as it is', async () => {
    await store.create(newRecord('alice'), NO_LIMIT, NOW);
    await store.find(newRecord('alice').digest, UNTOUCHED);
    await assert.rejects(store.create(newRecord('alice', { createdAt: 1.5 }), NO_LIMIT, NOW));
    assert.deepEqual(Object.values(database.run('PRAGMA busy_timeout')[0]), [60_000]);
  });

  it('gives up after its time, says why, and does nothing later', async () => {
    const hasty = new SqliteSessionStore(database.first, { queryTimeout: 30 });
    const other = database.open();
    other.exec('BEGIN IMMEDIATE');
    await assert.rejects(
      hasty.create(newRecord('alice'), NO_LIMIT, NOW),
      /not free within 30 ms: another connection holds/,
    );
    other.exec('COMMIT');
    assert.equal((await store.list('alice', { limit: 10 }, NOW)).records.length, 0);
    database.first.exec('BEGIN');
    await assert.rejects(
      hasty.find(newRecord('alice').digest, UNTOUCHED),
      /30 ms: the application has a transaction open/,
    );
    database.first.exec('COMMIT');
  });

  it('lets all that waits go on in its order, the next one too', async () => {
    const other = database.open();
    other.exec('BEGIN IMMEDIATE');
    const records = Array.from({ length: 20 }, () => newRecord('alice'));
    const done = [];
    const created = records.map(async (record) => {
      await store.create(record, NO_LIMIT, NOW);
      done.push(record.id);
    });
    other.exec('COMMIT');
    await Promise.all(created);
    assert.deepEqual(
      done,
      records.map(({ id }) => id),
    );
  });

  it('keeps its own out of a transaction of the application, which goes over turns, and its rollback', async () => {
    const { first } = database;
    first.exec('CREATE TABLE note (text TEXT) STRICT');
    const known = newRecord('bob');
    await store.create(known, NO_LIMIT, NOW);
    first.exec('BEGIN');
    run(first, "INSERT INTO note VALUES ('of a transaction') RETURNING 1");
    const record = newRecord('alice');
    const outcomes = [];
    const all = [
      store.create(record, NO_LIMIT, NOW).then(({ status }) => outcomes.push(status)),
      store.find(known.digest, UNTOUCHED).then(({ status }) => outcomes.push(status)),
    ];
    for (let i = 0; i < 50; i += 1) await turn();
    assert.deepEqual(outcomes, []);
    first.exec('ROLLBACK');
    await Promise.all(all);
    assert.deepEqual(outcomes.sort(), ['created', 'live']);
    assert.deepEqual(database.run('SELECT * FROM note'), []);
    assert.deepEqual(handles().sort(), [record.id, known.id].sort());
  });

  it('sees what another process has ended, although a transaction of the application began before', async () => {
    const record = newRecord('alice');
    await store.create(record, NO_LIMIT, NOW);
    database.first.exec('BEGIN');
    database.run('SELECT count(*) FROM session_auth_session');
    await new SqliteSessionStore(database.open()).delete(record.digest, NOW);
    const found = store.find(record.digest, UNTOUCHED);
    await turn();
    database.first.exec('COMMIT');
    assert.equal((await found).status, 'absent');
  });

  it('undoes what has failed as a whole, and goes on', async () => {
    const throttle = new SqliteLoginThrottleStore(database.first);
    const key = { subject: 'a', counter: 'b', window: 1000 };
    await assert.rejects(throttle.add([key, { ...key, counter: 'c', window: 0.5 }], NOW));
    assert.deepEqual(await throttle.read([key], NOW), [undefined]);
    assert.deepEqual(await throttle.add([key], NOW), [{ count: 1, until: NOW + 1000 }]);
  });

  it('writes while the application goes through rows, or once it has', async () => {
    for (const user of ['alice', 'bob']) await store.create(newRecord(user), NO_LIMIT, NOW);
    const rows = database.first.prepare('SELECT user_id FROM session_auth_session').iterate();
    rows.next();
    const created = store.create(newRecord('carol'), NO_LIMIT, NOW);
    await turn();
    rows.return();
    assert.equal((await created).status, 'created');
  });

  it(
    'reads a session in one statement, and writes none',
    { skip: DRIVER !== 'better-sqlite3' && 'it shows no statements' },
    async () => {
      const statements = [];
      const watched = new SqliteSessionStore(database.open({ verbose: (text) => statements.push(text) }));
      const record = newRecord('alice');
      await store.create(record, NO_LIMIT, NOW);
      statements.length = 0;
      assert.equal((await watched.find(record.digest, UNTOUCHED)).status, 'live');
      const onTables = statements.filter((text) => text.includes('session_auth'));
      assert.equal(onTables.length, 1);
      assert.match(onTables[0], /^SELECT/);
      assert.deepEqual(
        statements.filter((text) => /BEGIN|COMMIT/.test(text)),
        [],
      );
    },
  );
});
