import 'reflect-metadata';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SessionAuthModule, SessionLifecycleService } from 'nestjs-session-auth';
import { SqliteSessionStore, sqliteStorage } from 'nestjs-session-auth/sqlite';
import { DRIVER, makeDatabase, openHandle, SCHEMA } from './handles.mjs';
import { newRecord, NO_LIMIT, NOW, UNTOUCHED } from './records.mjs';

const ALLOWED =
  'allowed is an open Database of better-sqlite3 12 or 13, or an open DatabaseSync of node:sqlite (Node 22.16 or later)';

/** Boots an application on a storage, with a provider `HANDLE`. */
async function boot(storage, handle, logger = ['error']) {
  class DatabaseModule {}
  Module({ providers: [{ provide: 'HANDLE', useValue: handle }], exports: ['HANDLE'] })(DatabaseModule);
  class AppModule {}
  Module({
    imports: [
      SessionAuthModule.forRoot({
        secrets: ['a secret of a stack that is longer than thirty-two bytes'],
        imports: [DatabaseModule],
        storage,
        users: { useValue: { findById: async (id) => ({ id }) } },
      }),
    ],
  })(AppModule);
  return (await NestFactory.create(AppModule, { logger, abortOnError: false })).init();
}

const bootOn = (database) => boot(sqliteStorage({ database }), undefined, false);

describe(`${DRIVER}: what an application may give`, () => {
  let database;

  beforeEach(() => {
    database = makeDatabase();
  });
  afterEach(() => database.close());

  it('is a handle, or a provider of one', async () => {
    const storages = [sqliteStorage({ database: database.first }), sqliteStorage({ inject: 'HANDLE' })];
    for (const storage of storages) {
      const app = await boot(storage, database.first);
      const { session } = await app.get(SessionLifecycleService).create({ user: { id: 'alice' } });
      const rows = database.run('SELECT user_id FROM session_auth_session WHERE handle = ?', session.id);
      assert.deepEqual(
        rows.map((row) => row.user_id),
        ['alice'],
      );
      await app.close();
    }
  });

  class DataSource {}
  class Pool {
    query() {}
  }
  for (const [what, given, said] of [
    ['nothing', undefined, 'undefined'],
    ['a path', 'app.db', "'app.db'"],
    ["TypeORM's DataSource", new DataSource(), 'an object of DataSource'],
    ['a pool of another database', new Pool(), 'an object of Pool'],
  ]) {
    it(`is not ${what}: the boot says what was given and what is taken`, async () => {
      await assert.rejects(bootOn(given), {
        code: 'invalid_configuration',
        message: `sqliteStorage.database: given ${said}; ${ALLOWED}`,
      });
    });
  }

  it('is not a handle that does not tell of transactions, as those of Node before 22.16 do not', async () => {
    const old = { prepare: () => undefined, exec: () => undefined, isOpen: true };
    await assert.rejects(bootOn(old), { message: `sqliteStorage.database: given an object of Object; ${ALLOWED}` });
  });

  it('is not a handle that is closed', async () => {
    const closed = database.open();
    closed.close();
    await assert.rejects(bootOn(closed), { message: `sqliteStorage.database: given a closed database; ${ALLOWED}` });
  });

  it('is not a handle that only reads', async () => {
    const options = DRIVER === 'better-sqlite3' ? { readonly: true } : { readOnly: true };
    await assert.rejects(bootOn(database.open(options)), /given a read-only database; allowed is a writable database/);
  });

  it('is not a database in another journal mode', async () => {
    const other = makeDatabase();
    other.first.exec('PRAGMA journal_mode = DELETE');
    await assert.rejects(bootOn(other.first), {
      code: 'invalid_configuration',
      message:
        'sqliteStorage.database: given a database in journal mode delete; ' +
        "allowed is one in WAL mode ('PRAGMA journal_mode = WAL')",
    });
    other.close();
  });

  it('is not a database without the tables, or with those of an earlier version: the boot names the file', async () => {
    const empty = makeDatabase({ tables: false });
    await assert.rejects(bootOn(empty.first), /no such table.*nestjs-session-auth\/sqlite\/schema\.sql has been run/);
    empty.close();
    database.first.exec('UPDATE session_auth_version SET version = 0');
    await assert.rejects(bootOn(database.first), /they are of version 0/);
    database.first.exec('UPDATE session_auth_version SET version = 2');
    await (await bootOn(database.first)).close();
    database.first.exec('ALTER TABLE session_auth_session DROP COLUMN device');
    await assert.rejects(bootOn(database.first), /no such column: device/);
  });

  it('has no link, and the boot says so', () => {
    assert.throws(() => sqliteStorage({ database: database.first, link: true }), {
      code: 'invalid_configuration',
      message: 'sqliteStorage.link: given true; allowed is no value: SQLite cannot send messages to other processes',
    });
  });

  for (const [audit, option] of [
    [{ retention: 'soon' }, 'sqliteStorage.audit.retention'],
    [{ buffer: 0 }, 'sqliteStorage.audit.buffer'],
  ]) {
    it(`has an audit log without ${JSON.stringify(audit)}`, async () => {
      await assert.rejects(boot(sqliteStorage({ database: database.first, audit }), undefined, false), {
        message: new RegExp(option),
      });
    });
  }

  it('has a schema that may be run again, and leaves what is there', async () => {
    await new SqliteSessionStore(database.first).create(newRecord('alice'), NO_LIMIT, NOW);
    database.first.exec(SCHEMA);
    assert.equal(database.run('SELECT * FROM session_auth_session').length, 1);
    assert.deepEqual(
      database.run('SELECT version FROM session_auth_version').map(({ version }) => version),
      [2],
    );
  });

  it('may be in memory, of which the log warns in production', async () => {
    const handle = openHandle(':memory:');
    handle.exec(SCHEMA);
    const warned = [];
    const logger = { log() {}, error() {}, warn: (line) => warned.push(line) };
    process.env['NODE_ENV'] = 'production';
    try {
      for (const given of [handle, database.first]) {
        await (await boot(sqliteStorage({ database: given }), undefined, logger)).close();
      }
    } finally {
      delete process.env['NODE_ENV'];
    }
    assert.deepEqual(
      warned.filter((line) => line.startsWith('sqliteStorage')),
      [
        "sqliteStorage.database is in memory: what is kept in it ends with this process; open a file instead of ':memory:'",
      ],
    );
  });

  it(
    'may have its integers as BigInt by default',
    { skip: DRIVER !== 'better-sqlite3' && 'it has no default' },
    async () => {
      const store = new SqliteSessionStore(database.open().defaultSafeIntegers(true));
      const record = newRecord('alice');
      await store.create(record, NO_LIMIT, NOW);
      assert.equal((await store.find(record.digest, UNTOUCHED)).record.createdAt, NOW);
    },
  );
});

describe(`${DRIVER}: a session that cannot be read`, () => {
  for (const [what, change] of [
    ['no JSON', "data = '{'"],
    ['JSON of another kind', "roles = '{}'"],
    ['a time that there is not', 'created_at = 8640000000000001'],
    ['a number that is too large', 'last_activity_at = 9223372036854775807'],
  ]) {
    it(`with ${what} is told apart, hides no other one, and can be ended`, async () => {
      const database = makeDatabase();
      const store = new SqliteSessionStore(database.first);
      const [broken, sound] = [newRecord('alice'), newRecord('alice')];
      for (const record of [broken, sound]) await store.create(record, NO_LIMIT, NOW);
      database.first.exec(`UPDATE session_auth_session SET ${change} WHERE handle = '${broken.id}'`);
      await assert.rejects(store.find(broken.digest, UNTOUCHED), { code: 'corrupt_session_record' });
      await assert.rejects(store.update(broken.digest, {}, NOW, 1000), { code: 'corrupt_session_record' });
      const { records, unreadable } = await store.list('alice', { limit: 10 }, NOW);
      assert.deepEqual([records.map(({ id }) => id), unreadable], [[sound.id], 1]);
      assert.equal(await store.updateByUser('alice', { roles: ['author'] }, NOW), 2);
      assert.deepEqual(await store.delete(broken.digest, NOW), { id: broken.id, userId: 'alice' });
      database.close();
    });
  }
});
