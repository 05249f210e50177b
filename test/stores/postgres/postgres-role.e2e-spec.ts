import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SessionCleanupService } from 'nestjs-session-auth';
import {
  loginThrottleStoreContract,
  rememberMeTokenStoreContract,
  sessionLinkContract,
  sessionStoreContract,
} from 'nestjs-session-auth/testing';
import {
  CreateSessionAuthTables,
  REMEMBER_ME_TABLE,
  THROTTLE_TABLE,
  TypeOrmLoginThrottleStore,
  TypeOrmRememberMeTokenStore,
  TypeOrmSessionStore,
  typeOrmStorage,
} from 'nestjs-session-auth/typeorm';
import type { DataSource } from 'typeorm';
import { ADAPTERS, startBank } from '../../support/bank.js';
import { EVERYDAY_STATUSES, everydayVisit } from '../../support/everyday-visit.js';
import { createTestDatabase, type TestDatabase } from '../../support/postgres-database.js';

describe('a PostgreSQL role with the rights of docs/postgresql.md and no more', () => {
  const role = `bank_${randomBytes(6).toString('hex')}`;
  let database: TestDatabase;
  let owner: DataSource;
  let restricted: DataSource[];

  beforeAll(async () => {
    database = await createTestDatabase();
    owner = await database.open({ migrations: [CreateSessionAuthTables] });
    await owner.runMigrations();
    await owner.query(`CREATE ROLE ${role} LOGIN PASSWORD '${role}'`);
    const [, grants] = /^```sql\n(GRANT .*?)^```$/ms.exec(await readFile('docs/postgresql.md', 'utf8'))!;
    await owner.query(grants!.replaceAll('TO bank', `TO ${role}`));
    const url = new URL(database.url);
    url.username = url.password = role;
    restricted = [await database.open({ url: url.href }), await database.open({ url: url.href })];
  });

  afterAll(async () => {
    await Promise.all(restricted.map((each) => each.destroy()));
    await owner.query(`DROP OWNED BY ${role}`);
    await owner.query(`DROP ROLE ${role}`);
    await database.close();
  });

  sessionStoreContract('TypeOrmSessionStore', () =>
    Promise.resolve({
      store: new TypeOrmSessionStore(restricted[0]!),
      another: () => Promise.resolve(new TypeOrmSessionStore(restricted[1]!)),
      close: () => Promise.resolve(),
    }),
  );

  sessionLinkContract('TypeOrmSessionStore', () =>
    Promise.resolve({
      store: new TypeOrmSessionStore(restricted[0]!, { link: true }),
      another: () => Promise.resolve(new TypeOrmSessionStore(restricted[1]!, { link: true })),
      close: () => Promise.resolve(),
    }),
  );

  rememberMeTokenStoreContract('TypeOrmRememberMeTokenStore', () =>
    Promise.resolve({
      store: new TypeOrmRememberMeTokenStore(restricted[0]!),
      another: () => Promise.resolve(new TypeOrmRememberMeTokenStore(restricted[1]!)),
      close: async () => {
        await restricted[0]!.query(`DELETE FROM ${REMEMBER_ME_TABLE}`);
      },
    }),
  );

  loginThrottleStoreContract('TypeOrmLoginThrottleStore', () =>
    Promise.resolve({
      store: new TypeOrmLoginThrottleStore(restricted[0]!),
      another: () => Promise.resolve(new TypeOrmLoginThrottleStore(restricted[1]!)),
      close: async () => {
        await restricted[0]!.query(`DELETE FROM ${THROTTLE_TABLE}`);
      },
    }),
  );

  it.each(ADAPTERS)('serves a bank on %s: logins, failed ones, devices, cleanup and the audit log', async (adapter) => {
    const storage = typeOrmStorage({ dataSource: restricted[0]! });
    const backend = { storage, redis: undefined, namespace: '', close: () => Promise.resolve() };
    const bank = await startBank({ adapter, backend });
    try {
      expect(await everydayVisit(bank)).toEqual(EVERYDAY_STATUSES);
      await bank.app.get(SessionCleanupService).run();
      expect(bank.log.filter((line) => /permission denied|cleanup/i.test(line))).toEqual([]);
    } finally {
      // which writes what the audit log has not written yet
      await bank.close();
    }
    const events = await owner.query<{ type: string }[]>('SELECT type FROM session_auth_audit_event');
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['login.failed', 'session.created', 'remember_me.issued', 'session.destroyed']),
    );
    await owner.query('DELETE FROM session_auth_audit_event');
  });

  it.each([
    ['DELETE FROM session_auth_audit_event'],
    [`UPDATE session_auth_audit_event SET type = 'nothing'`],
    ['TRUNCATE session_auth_session'],
    ['DROP TABLE session_auth_session'],
    ['ALTER TABLE session_auth_session DISABLE ROW LEVEL SECURITY'],
    [`SELECT setval('session_auth_audit_event_id_seq', 1)`],
  ])('may not %s', async (statement) => {
    await expect(restricted[0]!.query(statement)).rejects.toThrow(/permission denied|must be owner/);
  });
});
