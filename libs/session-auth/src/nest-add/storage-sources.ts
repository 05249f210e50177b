import type { Variable } from './env-files.js';
import type { Project } from './project.js';

/** The files, packages and variables that a storage adds to the project. */
export interface StorageParts {
  /** The file that creates the storage; undefined for memory. */
  source?(project: Project, environment: string): string;
  readonly variables: readonly Variable[];
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  /** The remaining steps. */
  readonly next: readonly string[];
}

const IN_TESTS = '/** Tests keep sessions in memory, and need no server. */';
const IS_TEST = `process.env['NODE_ENV'] === 'test'`;
const EXPORT = "export const sessionStorage: StorageOptions | 'memory' =";
const TYPES = `import type { StorageOptions } from 'nestjs-session-auth';`;

const databaseUrl: Variable = {
  name: 'DATABASE_URL',
  value: 'postgres://postgres:postgres@localhost:5432/postgres',
  example: 'postgres://user:password@localhost:5432/database',
  comment: 'PostgreSQL',
};

const tables = (client: string, engine: string): string =>
  `create the tables: ${client} node_modules/nestjs-session-auth/${engine}/schema.sql`;

/** The storages, by the values of the option. */
export const STORAGES: Readonly<Record<string, StorageParts>> = {
  memory: { variables: [], dependencies: {}, devDependencies: {}, next: [] },
  redis: {
    source: (_project, environment) => `import { Redis } from 'ioredis';
${TYPES}
import { redisStorage } from 'nestjs-session-auth/redis';
import { environment } from '${environment}';

${IN_TESTS}
${EXPORT}
  ${IS_TEST} ? 'memory' : redisStorage({ client: new Redis(environment('REDIS_URL')) });
`,
    variables: [
      {
        name: 'REDIS_URL',
        value: 'redis://localhost:6379',
        example: 'redis://localhost:6379',
        comment: 'Redis or Valkey',
      },
    ],
    dependencies: { ioredis: '^5.11.0' },
    devDependencies: {},
    next: [],
  },
  postgres: {
    source: (_project, environment) => `${TYPES}
import { postgresStorage } from 'nestjs-session-auth/postgres';
import { Pool } from 'pg';
import { environment } from '${environment}';

${IN_TESTS}
${EXPORT}
  ${IS_TEST}
    ? 'memory'
    : postgresStorage({
        // as long as the option storeTimeout
        pool: new Pool({ connectionString: environment('DATABASE_URL'), connectionTimeoutMillis: 2000 }),
      });
`,
    variables: [databaseUrl],
    dependencies: { pg: '^8.21.0' },
    devDependencies: { '@types/pg': '^8.15.0' },
    next: [tables('psql "$DATABASE_URL" -f', 'postgres')],
  },
  typeorm: {
    source: (_project, environment) => `import type { DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
${TYPES}
import { CreateSessionAuthTables, typeOrmStorage } from 'nestjs-session-auth/typeorm';
import { environment } from '${environment}';

const isTest = ${IS_TEST};

${IN_TESTS}
${EXPORT} isTest ? 'memory' : typeOrmStorage();

/** The database that sessions are in, and your entities may be: add theirs by TypeOrmModule.forFeature. */
export const sessionDatabase: DynamicModule[] = isTest
  ? []
  : [
      TypeOrmModule.forRootAsync({
        useFactory: () => ({
          type: 'postgres' as const,
          url: environment('DATABASE_URL'),
          autoLoadEntities: true,
          migrations: [CreateSessionAuthTables],
          migrationsRun: true, // or \`typeorm migration:run\` when you deploy
        }),
      }),
    ];
`,
    variables: [databaseUrl],
    dependencies: { '@nestjs/typeorm': '', pg: '^8.21.0', typeorm: '^1.1.0' },
    devDependencies: {},
    next: [],
  },
  mysql: {
    source: (_project, environment) => `import { createPool } from 'mysql2/promise';
${TYPES}
import { mysqlStorage } from 'nestjs-session-auth/mysql';
import { environment } from '${environment}';

${IN_TESTS}
${EXPORT}
  ${IS_TEST} ? 'memory' : mysqlStorage({ pool: createPool(environment('MYSQL_URL')) });
`,
    variables: [
      {
        name: 'MYSQL_URL',
        value: 'mysql://root@localhost:3306/sessions',
        example: 'mysql://user:password@localhost:3306/database',
        comment: 'MariaDB or MySQL',
      },
    ],
    dependencies: { mysql2: '^3.0.0' },
    devDependencies: {},
    next: [tables('mysql sessions <', 'mysql')],
  },
  sqlite: {
    source: ({ isEsm }, environment) => {
      const imports = isEsm ? `import { fileURLToPath } from 'node:url';\n` : '';
      const schema = `'nestjs-session-auth/sqlite/schema.sql'`;
      const path = isEsm ? `fileURLToPath(import.meta.resolve(${schema}))` : `require.resolve(${schema})`;
      return `import { readFileSync } from 'node:fs';
${imports}import Database from 'better-sqlite3';
${TYPES}
import { sqliteStorage } from 'nestjs-session-auth/sqlite';
import { environment } from '${environment}';

function openDatabase(): Database.Database {
  const database = new Database(environment('SQLITE_FILE'));
  database.pragma('journal_mode = WAL');
  database.exec(readFileSync(${path}, 'utf8'));
  return database;
}

/** Tests keep sessions in memory and write no file. */
${EXPORT}
  ${IS_TEST} ? 'memory' : sqliteStorage({ database: openDatabase() });
`;
    },
    variables: [
      { name: 'SQLITE_FILE', value: 'sessions.db', example: 'sessions.db', comment: 'The file of the SQLite database' },
    ],
    dependencies: { 'better-sqlite3': '^12.0.0' },
    devDependencies: { '@types/better-sqlite3': '^7.6.0' },
    next: ['keep sessions.db out of the repository: add it to .gitignore'],
  },
};
