import { cp, mkdir } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { Redis } from 'ioredis';
import type { StorageOptions } from 'nestjs-session-auth';
import { redisStorage } from 'nestjs-session-auth/redis';
import { CreateSessionAuthTables, typeOrmStorage, UpgradeSessionAuthTables } from 'nestjs-session-auth/typeorm';
import type { DataSource } from 'typeorm';
import { emptyProject, install } from '../package/package-project.js';
import { runApps, transpile, type PackagedApp } from '../package/packaged-apps.js';
import { createTestDatabase } from '../support/postgres-database.js';

/** The stores that nodes of two versions can share. */
export const SHARED_STORES = ['redis', 'postgres'] as const;
export type SharedStore = (typeof SHARED_STORES)[number];

/** The packed builds of packages/README.md. */
export type EarlierBuild = 'before-realms' | 'before-successors';

const PEERS = ['common', 'core', 'platform-express'].map((name) => `@nestjs/${name}@12`);
const STORES = ['ioredis@5', 'typeorm@1', 'pg@8', 'reflect-metadata@0.2', 'rxjs@7'];

/** Installs an earlier build in a project of its own, with the program that runs a node of it. */
export async function installEarlier(build: EarlierBuild): Promise<string> {
  const project = await emptyProject(build);
  await install(project, resolve(`test/upgrade/packages/${build}.tgz`), ...PEERS, ...STORES);
  await mkdir(join(project, 'src'));
  for (const file of ['node-app.ts', 'node-program.ts']) await cp(`test/upgrade/${file}`, join(project, 'src', file));
  await transpile(project, 'module');
  return project;
}

/** An empty Redis namespace or database, for nodes of different versions. */
export interface SharedBackend {
  /** Runs a node of an earlier build; on PostgreSQL the first one makes the tables, as its version does. */
  runEarlier(project: string): Promise<PackagedApp>;
  /** On PostgreSQL, runs the migrations of this version. */
  upgrade(): Promise<void>;
  /** For looking into PostgreSQL, once it is upgraded; undefined on Redis. */
  readonly dataSource: DataSource | undefined;
  /** What a node of this version is given, on connections of its own. */
  storage(): Promise<StorageOptions>;
  close(): Promise<void>;
}

export async function openShared(store: SharedStore): Promise<SharedBackend> {
  return store === 'redis' ? openRedis() : openPostgres();
}

function openRedis(): SharedBackend {
  const namespace = `t${randomBytes(6).toString('hex')}:`;
  const url = process.env['TEST_REDIS_URL']!;
  const clients: Redis[] = [];
  return {
    dataSource: undefined,
    runEarlier: (project) => runNode(project, { REDIS_URL: url, NAMESPACE: namespace }),
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
    runEarlier: (project) => runNode(project, { DATABASE_URL: database.url }),
    upgrade: async () => {
      dataSource = await database.open({ migrations: [CreateSessionAuthTables, UpgradeSessionAuthTables] });
      await dataSource.runMigrations();
    },
    storage: async () => typeOrmStorage({ dataSource: await database.open() }),
    close: () => database.close(),
  };
}

async function runNode(project: string, env: Record<string, string>): Promise<PackagedApp> {
  const [node] = await runApps(project, 'dist/node-program.js', env);
  return node!;
}
