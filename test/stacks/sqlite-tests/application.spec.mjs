import 'reflect-metadata';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { NestFactory } from '@nestjs/core';
import { Browser } from './browser.mjs';
import { DRIVER, openHandle, run } from './handles.mjs';

const EXAMPLES = { 'better-sqlite3': 'sqlite', 'node:sqlite': 'sqlite-node' };

describe(`${DRIVER}: the application of the guide`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sqlite-app-'));
  let starts = 0;
  let looking;

  before(() => {
    process.env['SQLITE_FILE'] = join(folder, 'bank.db');
    process.env['SESSION_SECRET'] = 'a secret of a stack that is longer than thirty-two bytes';
    looking = openHandle(process.env['SQLITE_FILE']);
  });
  after(() => {
    looking.close();
    rmSync(folder, { recursive: true });
  });

  /** Starts it as a process that was just started does: nothing is left of a start before. */
  const start = async () => {
    const module = `../examples/${EXAMPLES[DRIVER]}/app.module.js?start=${(starts += 1)}`;
    const { AppModule, database } = await import(module);
    const app = await NestFactory.create(AppModule, { logger: ['error'] });
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address();
    return {
      port,
      stop: async () => {
        await app.close();
        database.close();
      },
    };
  };
  const count = (table) => run(looking, `SELECT count(*) AS count FROM ${table}`)[0].count;

  it('keeps a session, a remembered device, failures and events over a restart', async () => {
    const first = await start();
    const ada = new Browser(first.port);
    assert.equal(await ada.logIn('wrong'), 401);
    assert.equal(await ada.logIn(), 200);
    assert.equal(await ada.session(), 200);
    const failures = count('session_auth_throttle');
    assert.ok(failures > 0);
    await first.stop();
    assert.deepEqual([count('session_auth_session'), count('session_auth_remember_me')], [1, 1]);
    assert.ok(count('session_auth_audit_event') > 0);

    const second = await start();
    ada.port = second.port;
    assert.equal(await ada.session(), 200);
    // a browser that was closed has the device's cookie alone
    ada.forget((name) => !name.includes('remember'));
    assert.equal(await ada.session(), 200);
    assert.equal(await ada.logOut(), 204);
    assert.equal(await ada.session(), 401);
    assert.equal(count('session_auth_remember_me'), 0);
    await second.stop();
  });

  it('holds the limit of sessions under parallel logins by two applications, and ends them for good', async () => {
    looking.exec('DELETE FROM session_auth_session');
    const nodes = [await start(), await start()];
    const browsers = Array.from({ length: 8 }, (_, i) => new Browser(nodes[i % 2].port));
    await Promise.all(browsers.map((browser) => browser.logIn()));
    assert.equal(count('session_auth_session'), 2);
    const statuses = await Promise.all(browsers.map((browser) => browser.session({ remembered: false })));
    assert.deepEqual(statuses.sort(), [200, 200, ...Array.from({ length: 6 }, () => 401)]);
    for (const { stop } of nodes) await stop();
  });
});
