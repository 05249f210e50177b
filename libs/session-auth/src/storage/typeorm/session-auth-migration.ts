import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createAllTables, dropAllTables } from '../postgres/session-auth-tables.js';
import { quoteIdentifier } from '../postgres/sql-identifier.js';
import { configuredSchema } from './postgres-data-source.js';

/** Settings of {@link createSessionAuthMigration} and {@link createSessionAuthUpgrade}. */
export interface SessionAuthMigrationOptions {
  /**
   * The schema of all tables; `createSessionAuthMigration` creates it when it is missing. @default the DataSource's
   * `schema`, else the connection's
   */
  readonly schema?: string;
}

/**
 * The migration that creates all tables of this package in PostgreSQL, and drops them again. Put it among the
 * `migrations` of the DataSource, and run it as you run your own.
 *
 * `down` leaves the schema itself, which may hold other things by then.
 */
export class CreateSessionAuthTables implements MigrationInterface {
  /** The name that TypeORM records; the digits are its place among other migrations. */
  readonly name = 'CreateSessionAuthTables1760000000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const schema = this.schemaOf(queryRunner);
    if (schema !== undefined) await createSchemaIfMissing(queryRunner, schema);
    for (const statement of createAllTables(schema)) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const statement of dropAllTables(this.schemaOf(queryRunner))) await queryRunner.query(statement);
  }

  protected schemaOf(queryRunner: QueryRunner): string | undefined {
    return configuredSchema(queryRunner.dataSource);
  }
}

/** {@link CreateSessionAuthTables} for tables in a schema of their own: give `typeOrmStorage` the same one. */
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

// `CREATE SCHEMA IF NOT EXISTS` needs the right to create schemas even when the schema exists
async function createSchemaIfMissing(queryRunner: QueryRunner, schema: string): Promise<void> {
  const found = (await queryRunner.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema])) as unknown[];
  if (found.length === 0) await queryRunner.query(`CREATE SCHEMA ${quoteIdentifier(schema, 'schema')}`);
}
