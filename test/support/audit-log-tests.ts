import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { AuditErasure, AuditLog, SessionEvent } from 'nestjs-session-auth';
import type { AuditEventRow, AuditQuery } from 'nestjs-session-auth/postgres';
import { until } from './patience.js';

const DAY = 24 * 60 * 60 * 1000;
const AUDIT_TABLE = 'session_auth_audit_event';

/** An audit log that a database keeps. */
export interface TestedAuditLog extends AuditLog {
  record(event: SessionEvent): void;
  checkTables(): Promise<void>;
  find(query?: AuditQuery): Promise<AuditEventRow[]>;
  exportUser(userId: string): Promise<AuditEventRow[]>;
  eraseUser(userId: string, how: AuditErasure): Promise<number>;
  deleteExpired(now: number, limit: number): Promise<number>;
  ofRealm(realm: string): TestedAuditLog;
  onModuleDestroy(): Promise<void>;
}

/** The table that it writes to. */
export interface TestedAuditTable {
  readonly run: (sql: string) => Promise<unknown>;
  /** Makes the log on the table. */
  readonly open: (settings: { readonly retention: number; readonly buffer: number }) => TestedAuditLog;
}

/**
 * Declares what holds of an audit log in any database.
 *
 * @param opened the table, once the tests run
 * @param numbers a relation of the database that has the numbers 1 to 24000 in its column `i`
 */
export function auditLogHolds(opened: () => TestedAuditTable, numbers: string): void {
  let table: TestedAuditTable;
  let log: TestedAuditLog;

  beforeEach(async () => {
    table = opened();
    await table.run(`TRUNCATE TABLE ${AUDIT_TABLE}`);
    log = table.open({ retention: 90 * DAY, buffer: 5 });
    await log.checkTables();
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    await log.onModuleDestroy();
  });

  const event = (at: number, userId: string): SessionEvent => ({
    type: 'session.created',
    realm: 'default',
    at: new Date(at),
    userId,
    sessionId: 'a-handle',
    authentication: 'password',
    newDevice: true,
    client: { ip: '192.0.2.1', userAgent: 'evil\r\n{"forged":true}\u0000\ud800' },
  });

  const told = (userId: string | undefined, sessionId: string): SessionEvent => {
    const { newDevice: _, ...rest } = event(1000, userId!) as Extract<SessionEvent, { type: 'session.created' }>;
    return userId === undefined
      ? { type: 'session.used_after_end', realm: rest.realm, at: rest.at, sessionId, client: rest.client }
      : { ...rest, sessionId };
  };

  it('gives what it has of a user, also what only a session ties to them, and erases it while it keeps the rest', async () => {
    for (const [user, session] of [
      ['alice', 'of-alice'],
      ['bob', 'of-bob'],
      [undefined, 'of-alice'],
      [undefined, 'of-bob'],
    ] as const) {
      log.record(told(user, session));
    }
    const exported = await log.exportUser('alice');
    expect(exported.map(({ userId, sessionId, ip }) => [userId, sessionId, ip])).toEqual([
      ['alice', 'of-alice', '192.0.2.1'],
      [null, 'of-alice', '192.0.2.1'],
    ]);
    const ofBob = await log.exportUser('bob');
    expect(await log.eraseUser('alice', 'anonymise')).toBe(2);
    expect(await log.exportUser('alice')).toEqual([]);
    expect(await log.exportUser('bob')).toEqual(ofBob);
    const kept = (await log.find()).filter(({ sessionId }) => sessionId === 'of-alice');
    expect(kept.map(({ type, userId, ip, userAgent }) => [type, userId, ip, userAgent])).toEqual([
      ['session.used_after_end', null, null, null],
      ['session.created', null, null, null],
    ]);
    expect(await log.eraseUser('alice', 'anonymise')).toBe(0);
    expect(await log.eraseUser('bob', 'delete')).toBe(2);
    expect(await log.find()).toHaveLength(2);
  });

  it.each(['anonymise', 'delete'] as const)(
    'keeps users of one id in two realms separate, and old events too: %s',
    async (how) => {
      const logs = [log, log.ofRealm('staff')] as const;
      const [own, staffs] = logs.map((each, i) => ({ each, realm: ['default', 'staff'][i]! }));
      for (const { each, realm } of [own!, staffs!]) {
        each.record({ ...told('alice', 'one-handle'), realm });
        each.record({ ...told(undefined, 'one-handle'), realm });
      }
      for (const { each, realm } of [own!, staffs!]) {
        const exported = (await each.exportUser('alice')).map((row) => [row.realm, row.userId]);
        expect(exported).toEqual([
          [realm, 'alice'],
          [realm, null],
        ]);
        expect(await each.find({ userId: 'alice' })).toHaveLength(1);
      }
      const before = await logs[0].exportUser('alice');
      expect(await logs[1].eraseUser('alice', how)).toBe(2);
      expect(await logs[1].exportUser('alice')).toEqual([]);
      expect(await logs[0].exportUser('alice')).toEqual(before);
      logs[1].record({ ...told('alice', 'one-handle'), realm: 'staff' });
      expect(await logs[1].exportUser('alice')).toHaveLength(how === 'delete' ? 1 : 3);
      expect(await logs[0].deleteExpired(Date.now(), 100)).toBe(2);
      expect(await logs[1].find({ userId: 'alice' })).toHaveLength(1);
      await logs[1].onModuleDestroy();
    },
  );

  it('erases by steps, and gives all of more than a page', async () => {
    await table.run(
      `INSERT INTO ${AUDIT_TABLE} (at, event, level, type, realm, user_id, session_id, ip, details)
       SELECT i, 'e', 'info', 't', 'default', CASE WHEN i % 2 = 0 THEN 'alice' END, 's', '192.0.2.1', '{}'
       FROM ${numbers}`,
    );
    const exported = await log.exportUser('alice');
    expect(exported).toHaveLength(24_000);
    expect(await log.eraseUser('alice', 'anonymise')).toBe(24_000);
    expect(await table.run(`SELECT 1 FROM ${AUDIT_TABLE} WHERE user_id = 'alice' OR ip IS NOT NULL`)).toEqual([]);
  });

  it('erases what still waits to be written as well, and rejects while that cannot be, so that a later call does', async () => {
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    await table.run(`ALTER TABLE ${AUDIT_TABLE} RENAME TO elsewhere`);
    log.record(event(1000, 'alice'));
    await expect(log.eraseUser('alice', 'delete')).rejects.toThrow(/session_auth_audit_event/);
    await table.run(`ALTER TABLE elsewhere RENAME TO ${AUDIT_TABLE}`);
    log.record(event(2000, 'alice'));
    expect(await log.eraseUser('alice', 'delete')).toBe(2);
    expect(await log.find()).toEqual([]);
  });

  it('keeps events in the words of the vocabulary, and is read by user and time', async () => {
    for (const [at, user] of [
      [1000, 'alice'],
      [2000, 'bob'],
      [3000, 'alice'],
    ] as const) {
      log.record(event(at, user));
    }
    await log.onModuleDestroy();
    const all = await log.find();
    expect(all.map(({ at, userId }) => [at, userId])).toEqual([
      [3000, 'alice'],
      [2000, 'bob'],
      [1000, 'alice'],
    ]);
    expect(all[0]).toEqual({
      id: expect.stringMatching(/^\d+$/),
      at: 3000,
      event: 'session_created',
      level: 'info',
      type: 'session.created',
      realm: 'default',
      userId: 'alice',
      sessionId: 'a-handle',
      ip: '192.0.2.1',
      userAgent: 'evil\ufffd\ufffd{"forged":true}\ufffd\ufffd',
      details: { authentication: 'password', newDevice: true },
    });
    const times = async (query: Parameters<TestedAuditLog['find']>[0]): Promise<number[]> =>
      (await log.find(query)).map(({ at }) => at);
    expect(await times({ userId: 'alice' })).toEqual([3000, 1000]);
    expect(await times({ userId: 'Alice' })).toEqual([]);
    expect(await times({ from: new Date(2000) })).toEqual([3000, 2000]);
    expect(await times({ to: new Date(2000) })).toEqual([1000]);
    expect(await times({ userId: 'alice', limit: 1 })).toEqual([3000]);
  });

  it('finds the events of a user whose id is written down in other characters, or shortened', async () => {
    for (const userId of ['user\r\n', 'u'.repeat(1000)]) {
      log.record(event(1000, userId));
      await log.onModuleDestroy();
      expect(await log.find({ userId })).toHaveLength(1);
    }
  });

  it('loses nothing that fits while the database does not take it, drops what does not, and reports each once', async () => {
    const logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    await table.run(`ALTER TABLE ${AUDIT_TABLE} RENAME TO elsewhere`);
    for (let i = 0; i < 8; i += 1) log.record(event(i, 'alice'));
    await until(() => logged.mock.calls.length === 1);
    log.record(event(8, 'alice'));
    await table.run(`ALTER TABLE elsewhere RENAME TO ${AUDIT_TABLE}`);
    await until(() => logged.mock.calls.length === 2);
    expect(logged.mock.calls.map(([message]) => String(message))).toEqual([
      'audit events cannot be written; they wait in memory',
      '4 audit events were dropped while they could not be written',
    ]);
    expect((await log.find()).map(({ at }) => at)).toEqual([4, 3, 2, 1, 0]);
  });

  it('drops what anybody can cause in any number first, where there is no room for all', async () => {
    const logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    await table.run(`ALTER TABLE ${AUDIT_TABLE} RENAME TO elsewhere`);
    for (let i = 0; i < 20; i += 1)
      log.record({ type: 'csrf.rejected', realm: 'default', at: new Date(i), reason: 'no_token', method: 'POST' });
    await until(() => logged.mock.calls.length === 1);
    for (let i = 20; i < 24; i += 1) log.record(event(i, 'alice'));
    await table.run(`ALTER TABLE elsewhere RENAME TO ${AUDIT_TABLE}`);
    await until(() => logged.mock.calls.length === 2);
    expect((await log.find()).map(({ at }) => at)).toEqual([23, 22, 21, 20, 0]);
  });

  it('is swept by age', async () => {
    const [now, old] = [Date.now(), Date.now() - 91 * DAY];
    for (let i = 0; i < 3; i += 1) log.record(event(old + i, 'alice'));
    log.record(event(now, 'alice'));
    await log.onModuleDestroy();
    expect(await log.deleteExpired(now, 2)).toBe(2);
    expect(await log.deleteExpired(now, 2)).toBe(1);
    expect(await log.deleteExpired(now, 2)).toBe(0);
    expect((await log.find()).map(({ at }) => at)).toEqual([now]);
  });
}
