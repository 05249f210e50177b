import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { it } from 'node:test';
import mysql from 'mysql-of-before';
import { typeOrmStorage } from 'nestjs-session-auth/typeorm';
import { DataSource } from 'typeorm';
import { mysqlStoresHold } from './mysql-contracts.mjs';
import { makeMysqlDatabase, runOnMysql } from './mysql-database.mjs';
import { mysqlSourceOf } from './mysql-data-source.mjs';

/** Runs a command of TypeORM's own on the database of a URL. */
function tool(url, command) {
  const args = ['node_modules/typeorm/cli.js', command, '-d', 'mysql-data-source.mjs'];
  return execFileSync(process.execPath, args, { env: { ...process.env, STACK_DATABASE_URL: url }, encoding: 'utf8' });
}

mysqlStoresHold(
  'TypeORM 0.3 on MariaDB',
  (url) => tool(url, 'migration:run'),
  async (url) => {
    const dataSource = await mysqlSourceOf(url).initialize();
    return { storage: typeOrmStorage({ dataSource }), close: () => dataSource.destroy() };
  },
);

it('TypeORM 0.3 on MariaDB: its own tools run the migrations, and take them back', async () => {
  const url = await makeMysqlDatabase();
  assert.match(tool(url, 'migration:run'), /CreateSessionAuthTables\d+ has been executed successfully/);
  assert.match(tool(url, 'migration:run'), /No migrations are pending/);
  for (const times of [1, 2]) assert.match(tool(url, 'migration:revert'), /has been reverted successfully/, `${times}`);
  assert.deepEqual(await runOnMysql(url, `SHOW TABLES LIKE 'session%'`), []);
});

it('TypeORM 0.3 on the package mysql: refused at boot, and told what to set', async () => {
  const url = await makeMysqlDatabase();
  tool(url, 'migration:run');
  const dataSource = await new DataSource({ type: 'mysql', url, driver: mysql }).initialize();
  try {
    const { sessions } = typeOrmStorage({ dataSource });
    await assert.rejects(async () => sessions.useFactory(undefined), {
      code: 'invalid_configuration',
      message: /on the package mysql; allowed is a DataSource on mysql2, with connectorPackage: 'mysql2'/,
    });
  } finally {
    await dataSource.destroy();
  }
});
