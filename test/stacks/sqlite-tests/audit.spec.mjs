import 'reflect-metadata';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { SqliteAuditLog } from 'nestjs-session-auth/sqlite';
import { DRIVER, makeDatabase } from './handles.mjs';

const DAY = 24 * 60 * 60 * 1000;

const created = (at, userId, sessionId = 'a-handle') => ({
  type: 'session.created',
  realm: 'default',
  at: new Date(at),
  userId,
  sessionId,
  authentication: 'password',
  client: { ip: '192.0.2.1', userAgent: 'evil\r\n{"forged":true}\u0000\ud800' },
});

const used = (sessionId) => ({
  type: 'session.used_after_end',
  realm: 'default',
  at: new Date(1000),
  sessionId,
  client: { ip: '192.0.2.1' },
});

describe(`${DRIVER}: the audit log`, () => {
  let database;
  let log;

  beforeEach(async () => {
    Logger.overrideLogger(false);
    database = makeDatabase();
    log = new SqliteAuditLog(database.first, { retention: 90 * DAY, buffer: 5 });
    await log.checkTables();
  });
  afterEach(() => database.close());

  it('keeps events in the words of the vocabulary, and is read by user and time', async () => {
    for (const [at, user] of [
      [1000, 'alice'],
      [2000, 'bob'],
      [3000, 'alice'],
    ])
      log.record(created(at, user));
    await log.onModuleDestroy();
    const times = async (query) => (await log.find(query)).map(({ at }) => at);
    const [{ id, ...newest }] = await log.find();
    assert.match(id, /^\d+$/);
    assert.deepEqual(newest, {
      at: 3000,
      event: 'session_created',
      level: 'info',
      type: 'session.created',
      realm: 'default',
      userId: 'alice',
      sessionId: 'a-handle',
      ip: '192.0.2.1',
      userAgent: 'evil\ufffd\ufffd{"forged":true}\ufffd\ufffd',
      details: { authentication: 'password' },
    });
    assert.deepEqual(await times({}), [3000, 2000, 1000]);
    assert.deepEqual(await times({ userId: 'alice' }), [3000, 1000]);
    assert.deepEqual(await times({ userId: 'Alice' }), []);
    assert.deepEqual(await times({ from: new Date(2000) }), [3000, 2000]);
    assert.deepEqual(await times({ to: new Date(2000) }), [1000]);
    assert.deepEqual(await times({ userId: 'alice', limit: 1 }), [3000]);
  });

  it('gives and erases what it has of a user, also what only a session ties to them', async () => {
    for (const event of [created(1000, 'alice', 'of-alice'), created(1000, 'bob', 'of-bob')]) log.record(event);
    for (const event of [used('of-alice'), used('of-bob')]) log.record(event);
    const ofAlice = (await log.exportUser('alice')).map(({ userId, sessionId }) => [userId, sessionId]);
    assert.deepEqual(ofAlice, [
      ['alice', 'of-alice'],
      [null, 'of-alice'],
    ]);
    const ofBob = await log.exportUser('bob');
    assert.equal(await log.eraseUser('alice', 'anonymise'), 2);
    assert.deepEqual(await log.exportUser('alice'), []);
    assert.deepEqual(await log.exportUser('bob'), ofBob);
    const kept = (await log.find()).filter(({ sessionId }) => sessionId === 'of-alice');
    assert.deepEqual(
      kept.map(({ userId, ip, userAgent }) => [userId, ip, userAgent]),
      [
        [null, null, null],
        [null, null, null],
      ],
    );
    assert.equal(await log.eraseUser('alice', 'anonymise'), 0);
    assert.equal(await log.eraseUser('bob', 'delete'), 2);
    assert.equal((await log.find()).length, 2);
  });

  it('keeps users of one id in two realms apart', async () => {
    const staff = log.ofRealm('staff');
    log.record(created(1000, 'alice'));
    staff.record({ ...created(1000, 'alice'), realm: 'staff' });
    assert.equal((await staff.exportUser('alice')).length, 1);
    assert.equal(await staff.eraseUser('alice', 'delete'), 1);
    assert.equal((await log.exportUser('alice')).length, 1);
  });

  it('erases by steps, and gives all of more than a page', async () => {
    database.first.exec(`WITH RECURSIVE seq(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM seq WHERE n < 2500)
      INSERT INTO session_auth_audit_event (at, event, level, type, realm, user_id, session_id, ip, details)
      SELECT n, 'e', 'info', 't', 'default', iif(n % 2 = 0, 'alice', NULL), 's', '192.0.2.1', '{}' FROM seq`);
    assert.equal((await log.exportUser('alice')).length, 2500);
    assert.equal(await log.eraseUser('alice', 'anonymise'), 2500);
    const left = database.run('SELECT 1 FROM session_auth_audit_event WHERE user_id IS NOT NULL OR ip IS NOT NULL');
    assert.deepEqual(left, []);
  });

  it('loses nothing that fits while another connection holds the lock, and drops what does not', async () => {
    const other = database.open();
    other.exec('BEGIN IMMEDIATE');
    for (let i = 0; i < 8; i += 1) log.record(created(i, 'alice'));
    other.exec('COMMIT');
    while ((await log.find()).length < 5) await pause(1);
    assert.deepEqual(
      (await log.find()).map(({ at }) => at),
      [4, 3, 2, 1, 0],
    );
  });

  it('is swept by age', async () => {
    const [now, old] = [Date.now(), Date.now() - 91 * DAY];
    for (let i = 0; i < 3; i += 1) log.record(created(old + i, 'alice'));
    log.record(created(now, 'alice'));
    await log.onModuleDestroy();
    assert.equal(await log.deleteExpired(now, 2), 2);
    assert.equal(await log.deleteExpired(now, 2), 1);
    assert.equal(await log.deleteExpired(now, 2), 0);
    assert.deepEqual(
      (await log.find()).map(({ at }) => at),
      [now],
    );
  });
});
