import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { createConnection } from 'mysql2/promise';
import type { Pool } from 'mysql2/promise';
import { SessionAuthModule, SessionLifecycleService, type SessionUserProvider } from 'nestjs-session-auth';
import { mysqlStorage, type MysqlPool, type MysqlStorageOptions } from 'nestjs-session-auth/mysql';
import { createMysqlDatabase, runSchema, type MysqlTestDatabase } from '../../support/mysql-database.js';

const users = { findById: async (id: string) => ({ id }) } as unknown as SessionUserProvider;

describe('mysqlStorage', () => {
  let database: MysqlTestDatabase;
  let pool: Pool;

  beforeAll(async () => {
    database = await createMysqlDatabase();
    pool = database.open();
  });

  afterAll(() => database.close());

  const boot = async (options: MysqlStorageOptions, providers: { provide: symbol; useValue: unknown }[] = []) => {
    @Module({ providers, exports: providers.map(({ provide }) => provide) })
    class DatabaseModule {}
    const sessions = SessionAuthModule.forRoot({
      secrets: ['a test secret that everybody may know, 1'],
      users: { useValue: users },
      imports: [DatabaseModule],
      storage: mysqlStorage(options),
    });
    const app = await Test.createTestingModule({ imports: [sessions] }).compile();
    return app.init();
  };

  it('keeps sessions by a pool that is given, and by one that is a provider', async () => {
    const POOL = Symbol('pool');
    for (const app of [await boot({ pool }), await boot({ inject: POOL }, [{ provide: POOL, useValue: pool }])]) {
      const { session } = await app.get(SessionLifecycleService).create({ user: { id: 'alice' } });
      const [row] = await database.run('SELECT user_id FROM session_auth_session WHERE handle = ?', [
        Buffer.from(session.id),
      ]);
      expect(String(row!['user_id'])).toBe('alice');
      await app.close();
    }
  });

  it('leaves the audit log where it is, if told so', () => {
    expect(Object.keys(mysqlStorage({ pool }))).toEqual(['sessions', 'rememberMe', 'throttle', 'audit']);
    expect(Object.keys(mysqlStorage({ pool, audit: false }))).toEqual(['sessions', 'rememberMe', 'throttle']);
  });

  it.each<[string, () => unknown, string]>([
    ['nothing', () => undefined, 'given undefined'],
    ['a text', () => 'mysql://localhost', "given 'mysql://localhost'"],
    ['an object of another kind', () => ({ query: () => undefined }), 'given an object of Object'],
  ])('refuses %s for a pool, and says what it takes', async (_, given, said) => {
    const message = `mysqlStorage.pool: ${said}; allowed is the result of createPool of mysql2 or mysql2/promise`;
    await expect(boot({ pool: given() as MysqlPool })).rejects.toMatchObject({
      code: 'invalid_configuration',
      message,
    });
  });

  it('refuses a single connection for a pool', async () => {
    const connection = await createConnection(process.env['TEST_MYSQL_URL']!);
    try {
      await expect(boot({ pool: connection as unknown as MysqlPool })).rejects.toThrow('given an object of');
    } finally {
      await connection.end();
    }
  });

  it('refuses a link, because it has none', () => {
    expect(() => mysqlStorage({ pool, link: true } as MysqlStorageOptions)).toThrow(
      'mysqlStorage.link: given true; allowed is no value',
    );
  });

  it.each([
    [{ retention: 'soon' as never }, 'mysqlStorage.audit.retention'],
    [{ buffer: 0 }, 'mysqlStorage.audit.buffer'],
  ])('refuses %j for the audit log', async (audit, option) => {
    await expect(boot({ pool, audit })).rejects.toThrow(option);
  });

  it('refuses a database without the tables, and names the file that makes them', async () => {
    const empty = await createMysqlDatabase({ tables: false });
    try {
      await expect(boot({ pool: empty.open() })).rejects.toMatchObject({
        code: 'invalid_configuration',
        message: expect.stringContaining('nestjs-session-auth/mysql/schema.sql'),
      });
    } finally {
      await empty.close();
    }
  });

  it('refuses tables of an earlier version, of a later one than the next, or with a column missing', async () => {
    const old = await createMysqlDatabase();
    try {
      await old.run('UPDATE session_auth_version SET version = 0');
      await expect(boot({ pool: old.open() })).rejects.toThrow('they are of version 0');
      await old.run('UPDATE session_auth_version SET version = 5');
      await expect(boot({ pool: old.open() })).rejects.toMatchObject({
        code: 'invalid_configuration',
        message: expect.stringMatching(
          /given tables of version 5, which this node is too old for; .* 3 or 4$/,
        ) as unknown,
      });
      await old.run('UPDATE session_auth_version SET version = 4');
      await (await boot({ pool: old.open() })).close();
      await old.run('ALTER TABLE session_auth_session DROP COLUMN device');
      await expect(boot({ pool: old.open() })).rejects.toThrow(
        /schema\.sql has been run, and upgrade\.sql .* \(Unknown column/,
      );
    } finally {
      await old.close();
    }
  });

  it('has a schema that may be run again, and leaves what is there', async () => {
    const app = await boot({ pool });
    await app.get(SessionLifecycleService).create({ user: { id: 'carol' } });
    await app.close();
    const before = await database.run('SELECT handle FROM session_auth_session');
    await runSchema(pool);
    expect(await database.run('SELECT handle FROM session_auth_session')).toEqual(before);
    expect(await database.run('SELECT version FROM session_auth_version')).toEqual([{ version: 3 }]);
  });

  it.each([
    [1, ['record_version', 'generation']],
    [2, ['generation']],
  ])(
    'has an upgrade that makes tables of version %i those of a new database, with their rows',
    async (version, columns) => {
      const old = await createMysqlDatabase();
      try {
        const shape = await shapeOf(old);
        for (const table of ['session_auth_session', 'session_auth_remember_me']) {
          for (const column of columns) await old.run(`ALTER TABLE ${table} DROP COLUMN ${column}`);
        }
        await old.run('DROP TABLE session_auth_generation');
        await old.run(`UPDATE session_auth_version SET version = ${version}`);
        await old.run("INSERT INTO session_auth_throttle VALUES ('name', 1, 2)");
        const oldPool = old.open();
        // which leaves tables of before as they are
        await runSchema(oldPool);
        await expect(boot({ pool: old.open() })).rejects.toThrow(`they are of version ${version}`);
        for (const times of [1, 2]) {
          const connection = await oldPool.getConnection();
          await runSchema(connection, 'upgrade.sql');
          connection.release();
          expect([times, await shapeOf(old)]).toEqual([times, shape]);
        }
        await (await boot({ pool: old.open() })).close();
        expect(await old.run('SELECT points FROM session_auth_throttle')).toEqual([{ points: 1 }]);
      } finally {
        await old.close();
      }
    },
  );
});

async function shapeOf(database: MysqlTestDatabase): Promise<unknown[]> {
  return database.run(`SELECT table_name, ordinal_position, column_name, column_type, is_nullable, column_default
    FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position`);
}
