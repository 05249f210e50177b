import { afterAll, beforeAll, describe } from '@jest/globals';
import { MysqlAuditLog } from 'nestjs-session-auth/mysql';
import { auditLogHolds } from '../../support/audit-log-tests.js';
import { createMysqlDatabase, type MysqlTestDatabase } from '../../support/mysql-database.js';

describe('the audit log in MariaDB', () => {
  let database: MysqlTestDatabase;

  beforeAll(async () => {
    database = await createMysqlDatabase();
  });

  afterAll(() => database.close());

  auditLogHolds(
    () => ({
      run: (sql) => database.run(sql),
      open: (settings) => new MysqlAuditLog(database.open(), settings),
    }),
    '(SELECT seq AS i FROM seq_1_to_24000) numbers',
  );
});
