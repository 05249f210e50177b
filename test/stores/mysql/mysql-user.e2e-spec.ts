import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Pool } from 'mysql2/promise';
import { SessionCleanupService } from 'nestjs-session-auth';
import {
  MysqlLoginThrottleStore,
  MysqlRememberMeTokenStore,
  MysqlSessionStore,
  mysqlStorage,
} from 'nestjs-session-auth/mysql';
import {
  loginThrottleStoreContract,
  rememberMeTokenStoreContract,
  sessionStoreContract,
} from 'nestjs-session-auth/testing';
import { startLocalMariaDb, type LocalMariaDb } from '../../../src/local-services/local-mariadb.ts';
import { ADAPTERS, startBank } from '../../support/bank.js';
import { EVERYDAY_STATUSES, everydayVisit } from '../../support/everyday-visit.js';
import { createMysqlDatabase, type MysqlTestDatabase } from '../../support/mysql-database.js';

describe('a user of MariaDB with the rights of docs/mysql.md and no more', () => {
  const user = `bank_${randomBytes(6).toString('hex')}`;
  let server: LocalMariaDb;
  let database: MysqlTestDatabase;
  let restricted: Pool[];

  beforeAll(async () => {
    // the run's own has no accounts
    server = await startLocalMariaDb({ accounts: true });
    database = await createMysqlDatabase({ server: server.url });
    await database.run(`CREATE USER ${user} IDENTIFIED BY '${user}'`);
    const [, grants] = /^```sql\n(GRANT .*?)^```$/ms.exec(await readFile('docs/mysql.md', 'utf8'))!;
    for (const grant of grants!.replaceAll('TO bank', `TO ${user}`).trim().split('\n')) await database.run(grant);
    const url = new URL(server.url);
    url.username = url.password = user;
    restricted = [database.open({ uri: url.href }), database.open({ uri: url.href })];
  });

  afterAll(async () => {
    await database.close();
    await server.stop();
  });

  sessionStoreContract('MysqlSessionStore', async () => ({
    store: new MysqlSessionStore(restricted[0]!),
    another: async () => new MysqlSessionStore(restricted[1]!),
    close: async () => void (await database.run('TRUNCATE session_auth_session')),
  }));

  rememberMeTokenStoreContract('MysqlRememberMeTokenStore', async () => ({
    store: new MysqlRememberMeTokenStore(restricted[0]!),
    another: async () => new MysqlRememberMeTokenStore(restricted[1]!),
    close: async () => void (await database.run('TRUNCATE session_auth_remember_me')),
  }));

  loginThrottleStoreContract('MysqlLoginThrottleStore', async () => ({
    store: new MysqlLoginThrottleStore(restricted[0]!),
    another: async () => new MysqlLoginThrottleStore(restricted[1]!),
    close: async () => void (await database.run('TRUNCATE session_auth_throttle')),
  }));

  it.each(ADAPTERS)('serves a bank on %s: logins, failed ones, devices, cleanup and the audit log', async (adapter) => {
    const storage = mysqlStorage({ pool: restricted[0]! });
    const backend = { storage, redis: undefined, namespace: '', close: () => Promise.resolve() };
    const bank = await startBank({ adapter, backend });
    try {
      expect(await everydayVisit(bank)).toEqual(EVERYDAY_STATUSES);
      await bank.app.get(SessionCleanupService).run();
      expect(bank.log.filter((line) => /denied|cleanup/i.test(line))).toEqual([]);
    } finally {
      // which writes what the audit log has not written yet
      await bank.close();
    }
    const events = await database.run('SELECT type FROM session_auth_audit_event');
    expect(events.map((event) => String(event['type']))).toEqual(
      expect.arrayContaining(['login.failed', 'session.created', 'remember_me.issued', 'session.destroyed']),
    );
    await database.run('TRUNCATE session_auth_audit_event');
  });

  it.each([
    ['DELETE FROM session_auth_audit_event'],
    [`UPDATE session_auth_audit_event SET type = 'nothing'`],
    ['INSERT INTO session_auth_version (version) VALUES (9)'],
    ['TRUNCATE session_auth_session'],
    ['DROP TABLE session_auth_session'],
    ['ALTER TABLE session_auth_session DROP COLUMN device'],
  ])('may not %s', async (statement) => {
    await expect(restricted[0]!.query(statement)).rejects.toThrow(/denied/);
  });
});
