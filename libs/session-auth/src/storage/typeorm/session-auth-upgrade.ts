import type { MigrationInterface, QueryRunner } from 'typeorm';
import { statementsOf, UPGRADE_TABLES } from '../mysql/schema-sql.js';
import { upgradeAuditTable } from '../postgres/audit-tables.js';
import { upgradeRememberMeTable } from '../postgres/remember-me-tables.js';
import { findUpgradedSessionTable, renewSessionTable, upgradeSessionTable } from '../postgres/session-tables.js';
import { quoteIdentifier } from '../postgres/sql-identifier.js';
import { upgradeVersionTable } from '../postgres/version-table.js';
import { isMysql } from './mysql-data-source.js';
import { configuredSchema, dataSourceOf } from './postgres-data-source.js';
import { runAll, type SessionAuthMigrationOptions } from './session-auth-migration.js';

/**
 * The migration that brings the tables of earlier versions to those that `CreateSessionAuthTables` creates today. Put
 * it among the `migrations` of the DataSource, beside `CreateSessionAuthTables`, if that has been run by an earlier
 * version. It changes nothing where the tables are of this version.
 *
 * Of tables of version 0.1 it ends all sessions: their tokens have the form of that version, which names no session any
 * more. Remembered devices stay remembered. Of later tables it keeps everything, and nodes of before go on working.
 *
 * `down` changes nothing. There is no way back to the sessions of version 0.1, and `CreateSessionAuthTables` drops the
 * tables as they are.
 */
export class UpgradeSessionAuthTables implements MigrationInterface {
  /**
   * The name that TypeORM records; the digits are its place among other migrations. They change with what it adds, so
   * that it runs again where an earlier version of it has been recorded.
   */
  readonly name = 'UpgradeSessionAuthTables1790000000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    if (isMysql(dataSourceOf(queryRunner))) return runAll(queryRunner, statementsOf(UPGRADE_TABLES));
    const schema = this.schemaOf(queryRunner);
    await runAll(queryRunner, [...upgradeRememberMeTable(schema), ...upgradeAuditTable(schema)]);
    const { text, values } = findUpgradedSessionTable(schema);
    const found = (await queryRunner.query(text, values)) as unknown[];
    if (found.length === 0) await runAll(queryRunner, renewSessionTable(schema));
    // the version comes last: it tells that all is done
    await runAll(queryRunner, [...upgradeSessionTable(schema), ...upgradeVersionTable(schema)]);
  }

  async down(): Promise<void> {
    // see above
  }

  protected schemaOf(queryRunner: QueryRunner): string | undefined {
    return configuredSchema(dataSourceOf(queryRunner));
  }
}

/** {@link UpgradeSessionAuthTables} for tables in a schema of their own: the one of `createSessionAuthMigration`. */
export function createSessionAuthUpgrade({
  schema,
}: SessionAuthMigrationOptions = {}): new () => UpgradeSessionAuthTables {
  if (schema === undefined) return UpgradeSessionAuthTables;
  quoteIdentifier(schema, 'createSessionAuthUpgrade.schema');
  return class extends UpgradeSessionAuthTables {
    protected override schemaOf(): string {
      return schema;
    }
  };
}
