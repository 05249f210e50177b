import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CREATE_TABLES, DROP_TABLES, statementsOf } from '../mysql/schema-sql.js';
import { createAllTables, dropAllTables } from '../postgres/session-auth-tables.js';
import { quoteIdentifier } from '../postgres/sql-identifier.js';
import { isMysql } from './mysql-data-source.js';
import { configuredSchema, dataSourceOf } from './postgres-data-source.js';

/** Settings of {@link createSessionAuthMigration} and {@link createSessionAuthUpgrade}. */
export interface SessionAuthMigrationOptions {
  /**
   * The schema of all tables; `createSessionAuthMigration` creates it when it is missing. @default the DataSource's
   * `schema`, else the connection's
   */
  readonly schema?: string;
}

/**
 * The migration that creates all tables of this package in PostgreSQL, MariaDB or MySQL, and drops them again. Put it
 * among the `migrations` of the DataSource, and run it like your own.
 *
 * `down` leaves the schema itself, which may hold other things by then.
 */
export class CreateSessionAuthTables implements MigrationInterface {
  /** The name that TypeORM records; the digits order it among other migrations. */
  readonly name = 'CreateSessionAuthTables1760000000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    if (isMysql(dataSourceOf(queryRunner))) return runAll(queryRunner, statementsOf(CREATE_TABLES));
    const schema = this.schemaOf(queryRunner);
    if (schema !== undefined) await createSchemaIfMissing(queryRunner, schema);
    await runAll(queryRunner, createAllTables(schema));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    const isOfMysql = isMysql(dataSourceOf(queryRunner));
    await runAll(queryRunner, isOfMysql ? statementsOf(DROP_TABLES) : dropAllTables(this.schemaOf(queryRunner)));
  }

  protected schemaOf(queryRunner: QueryRunner): string | undefined {
    return configuredSchema(dataSourceOf(queryRunner));
  }
}

/** {@link CreateSessionAuthTables} for PostgreSQL tables in another schema: give `typeOrmStorage` the same one. */
export function createSessionAuthMigration({
  schema,
}: SessionAuthMigrationOptions = {}): new () => CreateSessionAuthTables {
  if (schema === undefined) return CreateSessionAuthTables;
  quoteIdentifier(schema, 'createSessionAuthMigration.schema');
  return class extends CreateSessionAuthTables {
    protected override schemaOf(): string {
      return schema;
    }
  };
}

/** Runs statements one after the other. */
export async function runAll(queryRunner: QueryRunner, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await queryRunner.query(statement);
}

// `CREATE SCHEMA IF NOT EXISTS` needs the right to create schemas even when the schema exists
async function createSchemaIfMissing(queryRunner: QueryRunner, schema: string): Promise<void> {
  const found = (await queryRunner.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema])) as unknown[];
  if (found.length === 0) await queryRunner.query(`CREATE SCHEMA ${quoteIdentifier(schema, 'schema')}`);
}
