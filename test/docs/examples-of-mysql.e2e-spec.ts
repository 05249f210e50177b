import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Pool } from 'mysql2/promise';
import { logIn, startExample } from '../support/example-app.js';
import { createMysqlDatabase, type MysqlTestDatabase } from '../support/mysql-database.js';

describe('the examples of MariaDB and MySQL', () => {
  let database: MysqlTestDatabase;

  beforeAll(async () => {
    database = await createMysqlDatabase();
    process.env['MYSQL_URL'] = `${process.env['TEST_MYSQL_URL']!}/${database.name}`;
  });

  afterAll(() => database.close());

  it('keep the session of a login, by a pool that is given and by one that is a provider', async () => {
    const { AppModule, pool } = await import('../../examples/mysql/app.module.js');
    const { ProvidedPoolModule, POOL } = await import('../../examples/mysql/provided-pool.module.js');
    const pools = [pool];
    for (const module of [AppModule, ProvidedPoolModule]) {
      const example = await startExample(module);
      try {
        if (module === ProvidedPoolModule) pools.push(example.app.get<Pool>(POOL, { strict: false }));
        const ada = example.client();
        expect((await logIn(ada)).status).toBe(200);
        expect(await database.run('SELECT 1 FROM session_auth_session')).toHaveLength(1);
        await ada.post('/auth/logout');
        expect(await database.run('SELECT 1 FROM session_auth_session')).toEqual([]);
      } finally {
        await example.close();
      }
    }
    for (const each of pools) await each.end();
  });

  it('keep it by TypeORM, whose migration makes the tables', async () => {
    const empty = await createMysqlDatabase({ tables: false });
    process.env['MYSQL_URL'] = `${process.env['TEST_MYSQL_URL']!}/${empty.name}`;
    const { TypeOrmAppModule } = await import('../../examples/mysql/typeorm.module.js');
    const example = await startExample(TypeOrmAppModule);
    try {
      expect((await logIn(example.client())).status).toBe(200);
      expect(await empty.run('SELECT 1 FROM session_auth_session')).toHaveLength(1);
    } finally {
      await example.close();
      await empty.close();
    }
  });
});
