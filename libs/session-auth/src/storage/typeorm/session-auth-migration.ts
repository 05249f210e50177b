import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createAuditTable, dropAuditTable } from './audit-tables.js';
import { configuredSchema } from './configured-schema.js';
import { createRememberMeTable, dropRememberMeTable } from './remember-me-tables.js';
import { createSessionTables, dropSessionTables } from './session-tables.js';
import { quoteIdentifier } from './sql-identifier.js';
import { createThrottleTable, dropThrottleTable } from './throttle-tables.js';

/** Settings of {@link createSessionAuthMigration}. */
export interface SessionAuthMigrationOptions {
  /** The schema of all tables; made when it is missing. @default the DataSource's `schema`, else the connection's own */
  readonly schema?: string;
}

interface Step {
  readonly create: (schema: string | undefined) => readonly string[];
  readonly drop: (schema: string | undefined) => readonly string[];
}

/** The tables of one part each: made in this order, dropped in the reverse. */
const STEPS: readonly Step[] = [
  { create: createSessionTables, drop: dropSessionTables },
  { create: createRememberMeTable, drop: dropRememberMeTable },
  { create: createThrottleTable, drop: dropThrottleTable },
  { create: createAuditTable, drop: dropAuditTable },
];

/**
 * The migration that makes everything this package keeps in PostgreSQL, and drops it again. Put it among the
 * `migrations` of the DataSource, and run it as you run your own.
 *
 * `down` leaves the schema itself, which may hold other things by then.
 */
export class CreateSessionAuthTables implements MigrationInterface {
  /** What TypeORM knows it by; the digits are its place among other migrations. */
  readonly name = 'CreateSessionAuthTables1760000000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const schema = this.schemaOf(queryRunner);
    if (schema !== undefined) await createSchemaIfMissing(queryRunner, schema);
    for (const step of STEPS) {
      for (const statement of step.create(schema)) await queryRunner.query(statement);
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    const schema = this.schemaOf(queryRunner);
    for (const step of [...STEPS].reverse()) {
      for (const statement of step.drop(schema)) await queryRunner.query(statement);
    }
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

// `CREATE SCHEMA IF NOT EXISTS` asks for the right to make schemas also where there is nothing to make
async function createSchemaIfMissing(queryRunner: QueryRunner, schema: string): Promise<void> {
  const found = (await queryRunner.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema])) as unknown[];
  if (found.length === 0) await queryRunner.query(`CREATE SCHEMA ${quoteIdentifier(schema, 'schema')}`);
}
