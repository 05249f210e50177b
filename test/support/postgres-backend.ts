import { setTimeout as pause } from 'node:timers/promises';
import { postgresStorage } from 'nestjs-session-auth/postgres';
import type { StorageOptions } from 'nestjs-session-auth';
import { typeOrmStorage } from 'nestjs-session-auth/typeorm';
import type { DataSource } from 'typeorm';
import type { Backend } from './bank.js';
import { executorOn, HABITS } from './sql-executors.js';
import { createDatabaseWithTables, poolOf, type TestDatabase } from './postgres-database.js';
import { steadyLink } from './steady-link.js';

type PoolOptions = NonNullable<Parameters<TestDatabase['open']>[0]>;

/** A database with the library's tables, and the connections of two nodes to it. */
interface OpenedDatabase {
  readonly database: TestDatabase;
  readonly dataSources: readonly DataSource[];
}

/** The databases of this test file, and those of them that no test uses at the moment. */
const made = new Set<OpenedDatabase>();
const free: OpenedDatabase[] = [];

// How long a closed node may take, in milliseconds, to give its last connection back.
const PATIENCE = 2000;

const EMPTY = `
DO $$
DECLARE name text;
BEGIN
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('migrations', 'session_auth_version') LOOP
    EXECUTE format('DELETE FROM %I', name);
  END LOOP;
END $$`;

/**
 * A backend on an empty database that no other test uses meanwhile. The tests of a file use the same databases and
 * connections, one test after another, because making them takes longer than most tests. A test may write rows; one
 * that changes a table or a connection makes its own database.
 *
 * @param url another server than the run's PostgreSQL; the database is then made for this backend alone
 * @param pool options of the DataSources; with any, the database is made for this backend alone
 * @param way by TypeORM, or by the pool of `pg` below it, or by an executor on that pool
 */
export async function openPostgresBackend(
  namespace: string,
  url: string | undefined,
  pool: PoolOptions,
  way: 'postgres' | 'pg' | 'executor',
): Promise<Backend> {
  const isShared = url === undefined && Object.keys(pool).length === 0;
  const opened = isShared ? (free.pop() ?? (await makeShared())) : await make(url, pool);
  const { database, dataSources } = opened;
  let asked = 0;
  const next = (): DataSource => dataSources[asked++ % dataSources.length]!;
  return {
    get storage() {
      return storageOn(next(), way, false, database.url);
    },
    get linkedStorage() {
      const linked = storageOn(next(), way, true, database.url);
      return url === undefined ? steadyLink(linked) : linked;
    },
    redis: undefined,
    dataSource: dataSources[0],
    namespace,
    close: () => (isShared ? giveBack(opened) : database.close()),
  };
}

function storageOn(
  dataSource: DataSource,
  way: 'postgres' | 'pg' | 'executor',
  link: boolean,
  url: string,
): StorageOptions {
  if (way === 'postgres') return typeOrmStorage({ dataSource, link });
  const pool = poolOf(dataSource);
  if (way === 'pg') return postgresStorage({ pool, link });
  const habits = HABITS['that makes BigInt, Date and objects of what it gets, and wraps errors in meta'];
  return postgresStorage({ executor: executorOn(pool, habits), link: link && { url } });
}

/** Drops the databases that the tests of this file have shared; for the end of the file. */
export async function dropSharedDatabases(): Promise<void> {
  free.length = 0;
  for (const shared of made) await drop(shared);
}

async function make(url?: string, pool?: PoolOptions): Promise<OpenedDatabase> {
  const database = await createDatabaseWithTables(url);
  return { database, dataSources: [await database.open(pool), await database.open(pool)] };
}

async function makeShared(): Promise<OpenedDatabase> {
  const shared = await make();
  made.add(shared);
  return shared;
}

async function giveBack(shared: OpenedDatabase): Promise<void> {
  // a hook of the file may close the backend after the databases were dropped
  if (!made.has(shared)) return;
  // what a test has left running could write into the tables of the next test
  if (!(await isAtRest(shared))) return drop(shared);
  await shared.dataSources[0]!.query(EMPTY);
  free.push(shared);
}

async function drop(shared: OpenedDatabase): Promise<void> {
  made.delete(shared);
  await shared.database.close();
}

/** Whether every connection is back in its pool, or comes back in time. */
async function isAtRest({ dataSources }: OpenedDatabase): Promise<boolean> {
  for (const end = Date.now() + PATIENCE; Date.now() < end; await pause(5)) {
    if (dataSources.every((dataSource) => dataSource.isInitialized && isIdle(dataSource))) return true;
  }
  return false;
}

function isIdle(dataSource: DataSource): boolean {
  const { totalCount, idleCount, waitingCount } = poolOf(dataSource);
  return totalCount === idleCount && waitingCount === 0;
}
