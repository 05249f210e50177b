import { cp, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { Redis } from 'ioredis';
import type { StorageOptions } from 'nestjs-session-auth';
import { mysqlStorage } from 'nestjs-session-auth/mysql';
import { redisStorage } from 'nestjs-session-auth/redis';
import { CreateSessionAuthTables, typeOrmStorage, UpgradeSessionAuthTables } from 'nestjs-session-auth/typeorm';
import type { DataSource } from 'typeorm';
import { install, packLibrary, run } from '../package/package-project.js';
import { runApps, transpile, type PackagedApp } from '../package/packaged-apps.js';
import { createMysqlDatabase, runSchema } from '../support/mysql-database.js';
import { onceInRun } from '../support/once-in-run.js';
import { createTestDatabase } from '../support/postgres-database.js';

/** The stores that nodes of two versions can share; the last one is not in the first builds. */
export const SHARED_STORES = ['redis', 'postgres'] as const;
export const ALL_SHARED_STORES = [...SHARED_STORES, 'mysql'] as const;
export type SharedStore = (typeof ALL_SHARED_STORES)[number];

/** The packed builds of packages/README.md. */
export type EarlierBuild = 'before-versions' | 'before-realms' | 'before-successors';

const PEERS = ['common', 'core', 'platform-express'].map((name) => `@nestjs/${name}@12`);
const STORES = ['ioredis@5', 'typeorm@1', 'pg@8', 'mysql2@3', 'reflect-metadata@0.2', 'rxjs@7'];
/** What an earlier build depends on and this version does not. */
const FORMER = ['rate-limiter-flexible@11'];

/** Puts an earlier build into a project of its own, with the program that runs a node of it. */
export async function installEarlier(build: EarlierBuild): Promise<string> {
  return installPacked(build, resolve(`test/upgrade/packages/${build}.tgz`));
}

/**
 * What makes this version the next one: its records and tables have the next version, and a session in Redis has a line
 * that this version does not know.
 */
const NEXT: readonly (readonly [file: string, now: string, then: string])[] = [
  ['session/record-version.js', 'RECORD_VERSION = 2;', 'RECORD_VERSION = 3;'],
  ['storage/postgres/version-table.js', 'TABLES_VERSION = 3;', 'TABLES_VERSION = 4;'],
  ['storage/mysql/mysql-tables.js', 'TABLES_VERSION = 3;', 'TABLES_VERSION = 4;'],
  [
    'storage/redis/redis-session-codec.js',
    '...encodeData(record.data),',
    `['"Z":', '"of the next version"'], ...encodeData(record.data),`,
  ],
];

/** Puts a build of this version into a project of its own, which takes itself for the next one. */
export async function installNext(): Promise<string> {
  const project = await installPacked('next', await packLibrary());
  for (const [file, now, then] of NEXT) {
    const path = join(project, 'node_modules/nestjs-session-auth/dist', file);
    const text = await readFile(path, 'utf8');
    if (!text.includes(now)) throw new Error(`${file}: has no ${now}`);
    await writeFile(path, text.replace(now, then));
  }
  return project;
}

/** The packages of all nodes are installed once, in the folder that has the projects: Node finds them there. */
async function installPacked(name: string, tarball: string): Promise<string> {
  const folder = await onceInRun('upgrade', async (folder) => {
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'nodes', private: true }));
    await install(folder, await packLibrary(), ...PEERS, ...STORES, ...FORMER);
  });
  const project = await mkdtemp(join(folder, `${name}-`));
  await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'node', private: true, type: 'module' }));
  const library = join(project, 'node_modules/nestjs-session-auth');
  await mkdir(library, { recursive: true });
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', library]);
  await mkdir(join(project, 'src'));
  for (const file of ['node-app.ts', 'node-program.ts']) await cp(`test/upgrade/${file}`, join(project, 'src', file));
  await transpile(project, 'module');
  return project;
}

/** An empty Redis namespace or database, for nodes of different versions. */
export interface SharedBackend {
  /** Runs a node of a packed build; in a database the first one makes the tables, as its version does. */
  run(project: string): Promise<PackagedApp>;
  /** In a database, runs what makes or upgrades the tables of this version. */
  upgrade(): Promise<void>;
  /** Runs a statement in the database; undefined on Redis. */
  readonly sql: ((text: string) => Promise<Record<string, unknown>[]>) | undefined;
  /** What all keys begin with in Redis; undefined elsewhere. */
  readonly namespace?: string;
  /** For looking into PostgreSQL, once it is upgraded; undefined on Redis. */
  readonly dataSource: DataSource | undefined;
  /** What a node of this version is given, on connections of its own. */
  storage(): Promise<StorageOptions>;
  close(): Promise<void>;
}

export async function openShared(store: SharedStore): Promise<SharedBackend> {
  if (store === 'mysql') return openMysql();
  return store === 'redis' ? openRedis() : openPostgres();
}

function openRedis(): SharedBackend {
  const namespace = `t${randomBytes(6).toString('hex')}:`;
  const url = process.env['TEST_REDIS_URL']!;
  const clients: Redis[] = [];
  return {
    dataSource: undefined,
    sql: undefined,
    namespace,
    run: (project) => runNode(project, { REDIS_URL: url, NAMESPACE: namespace }),
    upgrade: async () => undefined,
    storage: async () => {
      const client = new Redis(url);
      clients.push(client);
      return redisStorage({ client, namespace });
    },
    close: async () => {
      const client = new Redis(url);
      const keys = await client.keys(`${namespace}*`);
      if (keys.length > 0) await client.del(...keys);
      for (const each of [client, ...clients]) each.disconnect();
    },
  };
}

async function openPostgres(): Promise<SharedBackend> {
  const database = await createTestDatabase();
  let dataSource: DataSource | undefined;
  return {
    get dataSource() {
      return dataSource;
    },
    sql: async (text) => (dataSource ??= await database.open()).query<Record<string, unknown>[]>(text),
    run: (project) => runNode(project, { DATABASE_URL: database.url }),
    upgrade: async () => {
      dataSource = await database.open({ migrations: [CreateSessionAuthTables, UpgradeSessionAuthTables] });
      await dataSource.runMigrations();
    },
    storage: async () => typeOrmStorage({ dataSource: await database.open() }),
    close: () => database.close(),
  };
}

async function openMysql(): Promise<SharedBackend> {
  const database = await createMysqlDatabase({ tables: false });
  const url = new URL(process.env['TEST_MYSQL_URL']!);
  url.pathname = database.name;
  return {
    dataSource: undefined,
    sql: (text) => database.run(text),
    run: (project) => runNode(project, { MYSQL_URL: url.href }),
    upgrade: async () => {
      const connection = await database.open().getConnection();
      for (const file of ['schema.sql', 'upgrade.sql'] as const) await runSchema(connection, file);
      connection.release();
    },
    storage: async () => mysqlStorage({ pool: database.open() }),
    close: () => database.close(),
  };
}

async function runNode(project: string, env: Record<string, string>): Promise<PackagedApp> {
  const [node] = await runApps(project, 'dist/node-program.js', env);
  return node!;
}
