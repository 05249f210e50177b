import type { MigrationInterface, QueryRunner } from 'typeorm';
import { statementsOf, UPGRADE_TABLES } from '../mysql/schema-sql.js';
import { upgradeAuditTable } from '../postgres/audit-tables.js';
import { upgradeGenerations } from '../postgres/generation-tables.js';
import { upgradeRememberMeTable } from '../postgres/remember-me-tables.js';
import { findUpgradedSessionTable, renewSessionTable, upgradeSessionTable } from '../postgres/session-tables.js';
import { quoteIdentifier } from '../postgres/sql-identifier.js';
import { upgradeVersionTable } from '../postgres/version-table.js';
import { isMysql } from './mysql-data-source.js';
import { configuredSchema, dataSourceOf } from './postgres-data-source.js';
import { runAll, type SessionAuthMigrationOptions } from './session-auth-migration.js';

/**
 * The migration that brings the tables of earlier versions to those that `CreateSessionAuthTables` creates today. If an
 * earlier version has run that migration, put this one beside it among the `migrations` of the DataSource. It changes
 * nothing if the tables are of this version.
 *
 * For tables of version 0.1 it ends all sessions, because tokens of that version no longer identify a session.
 * Remembered devices stay remembered. For later tables it keeps everything, and older nodes continue to work.
 *
 * `down` changes nothing. There is no way back to the sessions of version 0.1, and `CreateSessionAuthTables` drops the
 * tables in any state.
 */
export class UpgradeSessionAuthTables implements MigrationInterface {
  /**
   * The name that TypeORM records; the digits order it among other migrations. They change when the migration adds
   * something, so that it runs again where an earlier version of it is recorded.
   */
  readonly name = 'UpgradeSessionAuthTables1800000000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    if (isMysql(dataSourceOf(queryRunner))) return runAll(queryRunner, statementsOf(UPGRADE_TABLES));
    const schema = this.schemaOf(queryRunner);
    await runAll(queryRunner, [...upgradeRememberMeTable(schema), ...upgradeAuditTable(schema)]);
    const { text, values } = findUpgradedSessionTable(schema);
    const found = (await queryRunner.query(text, values)) as unknown[];
    if (found.length === 0) await runAll(queryRunner, renewSessionTable(schema));
    // the version comes last, because it says that everything is done
    await runAll(queryRunner, [
      ...upgradeSessionTable(schema),
      ...upgradeGenerations(schema),
      ...upgradeVersionTable(schema),
    ]);
  }

  async down(): Promise<void> {
    // see above
  }

  protected schemaOf(queryRunner: QueryRunner): string | undefined {
    return configuredSchema(dataSourceOf(queryRunner));
  }
}

/** {@link UpgradeSessionAuthTables} for tables in another schema: that of `createSessionAuthMigration`. */
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
