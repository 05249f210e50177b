import assert from 'node:assert/strict';
import { EntitySchema, MikroORM } from '@mikro-orm/postgresql';
import { Migration, Migrator } from '@mikro-orm/migrations';
import { createTablesSql } from 'nestjs-session-auth/postgres';
import { applicationHolds, migrationHolds, storesHold } from './contracts.mjs';
import { mikroOrmExecutor } from './executor.js';

const note = new EntitySchema({ name: 'Note', properties: { id: { type: 'number', primary: true } } });

async function open(clientUrl) {
  const orm = await MikroORM.init({ clientUrl, entities: [note] });
  return { source: mikroOrmExecutor(orm.em.getConnection()), close: () => orm.close() };
}

storesHold('MikroORM', open);
applicationHolds('MikroORM', open);

class SessionAuth extends Migration {
  up() {
    this.addSql(createTablesSql());
  }
}

migrationHolds('MikroORM', async (clientUrl) => {
  const migrations = { migrationsList: [{ name: 'SessionAuth', class: SessionAuth }], snapshot: false };
  const orm = await MikroORM.init({
    clientUrl,
    entities: [note],
    extensions: [Migrator],
    migrations,
    schemaGenerator: { skipTables: [/^session_auth_/] },
  });
  await orm.getMigrator().up();
  // the schema generator leaves them alone
  assert.doesNotMatch(await orm.schema.getUpdateSchemaSQL(), /session_auth_/);
  await orm.close();
});
