import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { AuditLog, SessionCleanupService, SessionLifecycleService } from 'nestjs-session-auth';
import {
  AuditEventEntity,
  CreateSessionAuthTables,
  TypeOrmAuditLog,
  typeOrmStorage,
} from 'nestjs-session-auth/typeorm';
import { auditLogHolds } from '../../support/audit-log-tests.js';
import { openBackend, startBank, type Bank } from '../../support/bank.js';
import { createTestDatabase, type TestDatabase } from '../../support/postgres-database.js';

const DAY = 24 * 60 * 60 * 1000;

describe('the audit log in PostgreSQL', () => {
  let database: TestDatabase;
  let dataSource: DataSource;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open({ migrations: [CreateSessionAuthTables], entities: [AuditEventEntity] });
    await dataSource.runMigrations();
  });

  afterAll(() => database.close());

  auditLogHolds(
    () => ({
      run: (sql) => dataSource.query(sql),
      open: (settings) => new TypeOrmAuditLog(dataSource, settings),
    }),
    'generate_series(1, 24000) i',
  );

  it('is read by its entity as well', async () => {
    const log = new TypeOrmAuditLog(dataSource);
    const client = { ip: '192.0.2.1', userAgent: 'an agent' };
    const event = { realm: 'default', at: new Date(1000), sessionId: 'a-handle', authentication: 'password' } as const;
    log.record({ type: 'session.created', ...event, userId: 'carol', client });
    await log.onModuleDestroy();
    const found = await log.find({ userId: 'carol' });
    expect(found).toHaveLength(1);
    expect(await dataSource.getRepository(AuditEventEntity).findBy({ userId: 'carol' })).toEqual(found);
  });
});

describe('an application that keeps its audit log in PostgreSQL', () => {
  it('finds there who did what, sweeps it, and one node at a time does', async () => {
    const backend = await openBackend('postgres');
    const storage = typeOrmStorage({ dataSource: backend.dataSource, audit: { retention: '1d' } });
    const nodes: Bank[] = [];
    try {
      for (let i = 0; i < 2; i += 1) {
        nodes.push(await startBank({ adapter: 'express', backend, options: { storage, concurrency: Infinity } }));
      }
      const [one, two] = nodes as [Bank, Bank];
      await one.client().login('alice');
      await one.client().post('/auth/login', { email: 'alice@example.com', password: 'wrong' });
      const audit = one.app.get<AuditLog, TypeOrmAuditLog>(AuditLog);
      await audit.onModuleDestroy();
      expect((await audit.find({ userId: 'alice' })).map((row) => row.event)).toEqual([
        'authn_login_fail',
        'session_created',
      ]);
      const sessions = one.app.get(SessionLifecycleService);
      for (let i = 0; i < 50; i += 1) await sessions.create({ user: { id: `user${i}` } });
      await audit.onModuleDestroy();
      for (const node of nodes) node.clock.advance(2 * DAY);
      const reports = await Promise.all(nodes.map((node) => node.app.get(SessionCleanupService).run()));
      expect(reports.map((report) => report.ran).filter(Boolean).length).toBeGreaterThanOrEqual(1);
      expect(reports.reduce((sum, report) => sum + report.sessions, 0)).toBe(51);
      expect(reports.reduce((sum, report) => sum + (report.others['auditEvents'] ?? 0), 0)).toBe(52);
      const again = await two.app.get(SessionCleanupService).run();
      expect(again).toMatchObject({ ran: true, sessions: 0, others: { auditEvents: 0 } });
    } finally {
      for (const node of nodes) await node.close();
      await backend.close();
    }
  });
});
