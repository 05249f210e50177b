import 'reflect-metadata';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import { SessionLifecycleService } from 'nestjs-session-auth';
import { SqliteSessionStore } from 'nestjs-session-auth/sqlite';
import { DataSource } from 'typeorm';
import { DataSource as DataSource03 } from 'typeorm-0.3';
import { Browser } from './sqlite-tests/browser.mjs';
import { SCHEMA } from './sqlite-tests/handles.mjs';
import { newRecord, NO_LIMIT, UNTOUCHED } from './sqlite-tests/records.mjs';

describe('better-sqlite3 through TypeORM', () => {
  let folder;
  let app;
  let dataSource;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sqlite-typeorm-'));
    process.env['SQLITE_FILE'] = join(folder, 'bank.db');
    process.env['SESSION_SECRET'] = 'a secret of a stack that is longer than thirty-two bytes';
    const { TypeOrmAppModule } = await import('./examples/sqlite/typeorm.module.js');
    app = await NestFactory.create(TypeOrmAppModule, { logger: ['error'] });
    await app.listen(0, '127.0.0.1');
    dataSource = app.get(DataSource, { strict: false });
  });
  afterEach(async () => {
    await app.close();
    rmSync(folder, { recursive: true });
  });

  it('keeps the sessions of the application of the guide by its handle', async () => {
    const ada = new Browser(app.getHttpServer().address().port);
    assert.equal(await ada.logIn(), 200);
    assert.equal(await ada.session(), 200);
    assert.equal((await dataSource.query('SELECT * FROM session_auth_session')).length, 1);
    assert.equal(await ada.logOut(), 204);
    assert.equal(await ada.session(), 401);
  });

  it('keeps sessions apart from a transaction of TypeORM, which is rolled back', async () => {
    const sessions = app.get(SessionLifecycleService, { strict: false });
    await dataSource.query('CREATE TABLE note (text TEXT)');
    let created;
    const transaction = dataSource.transaction(async (manager) => {
      await manager.query("INSERT INTO note VALUES ('of a transaction')");
      created = sessions.create({ user: { id: 'alice' } });
      await turn();
      assert.equal((await manager.query('SELECT * FROM session_auth_session')).length, 0);
      throw new Error('rolled back');
    });
    await assert.rejects(transaction, /rolled back/);
    await created;
    assert.equal((await sessions.list('alice')).sessions.length, 1);
    assert.deepEqual(await dataSource.query('SELECT * FROM note'), []);
  });
});

for (const [version, Source] of [
  ['0.3', DataSource03],
  ['1', DataSource],
]) {
  it(`keeps sessions by the handle of TypeORM ${version}, apart from its transactions`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sqlite-typeorm-'));
    const dataSource = new Source({
      type: 'better-sqlite3',
      database: join(folder, 'bank.db'),
      enableWAL: true,
      prepareDatabase: (database) => database.exec(SCHEMA),
    });
    await dataSource.initialize();
    const store = new SqliteSessionStore(dataSource.driver.databaseConnection);
    const record = newRecord('alice');
    let created;
    const transaction = dataSource.transaction(async (manager) => {
      await manager.query('CREATE TABLE note (text TEXT)');
      created = store.create(record, NO_LIMIT, record.createdAt);
      await turn();
      throw new Error('rolled back');
    });
    await assert.rejects(transaction, /rolled back/);
    await created;
    assert.equal((await store.find(record.digest, UNTOUCHED)).status, 'live');
    assert.equal((await dataSource.query("SELECT * FROM sqlite_master WHERE name = 'note'")).length, 0);
    await dataSource.destroy();
    rmSync(folder, { recursive: true });
  });
}
