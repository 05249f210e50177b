import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { it } from 'node:test';
import {
  TypeOrmLoginThrottleStore,
  TypeOrmRememberMeTokenStore,
  TypeOrmSessionStore,
  typeOrmStorage,
} from 'nestjs-session-auth/typeorm';
import { applicationHolds, storesHold } from './contracts.mjs';
import { sourceOf } from './data-source.mjs';
import { makeDatabase } from './postgres-database.mjs';

async function open(url) {
  const dataSource = await sourceOf(url).initialize();
  return { source: dataSource, close: () => dataSource.destroy() };
}

storesHold('TypeORM 0.3', open, {
  sessions: TypeOrmSessionStore,
  rememberMe: TypeOrmRememberMeTokenStore,
  throttle: TypeOrmLoginThrottleStore,
});
applicationHolds('TypeORM 0.3', open, ({ source }) => typeOrmStorage({ dataSource: source }));

it('TypeORM 0.3: its own tools run the migrations, and take them back', async () => {
  const url = await makeDatabase({ tables: false });
  const tool = (command) =>
    execFileSync(process.execPath, ['node_modules/typeorm/cli.js', command, '-d', 'data-source.mjs'], {
      env: { ...process.env, STACK_DATABASE_URL: url },
      encoding: 'utf8',
    });
  assert.match(tool('migration:run'), /CreateSessionAuthTables\d+ has been executed successfully/);
  assert.match(tool('migration:run'), /No migrations are pending/);
  const dataSource = await sourceOf(url).initialize();
  await new TypeOrmSessionStore(dataSource).checkTables();
  await dataSource.destroy();
  assert.match(tool('migration:revert'), /has been reverted successfully/);
});
