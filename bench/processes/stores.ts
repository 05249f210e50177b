import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { Redis } from 'ioredis';
import { startLocalMariaDb, type LocalMariaDb } from '../../src/local-services/local-mariadb.ts';
import { startLocalPostgres, type LocalPostgres } from '../../src/local-services/local-postgres.ts';
import { startLocalRedis, type LocalRedis } from '../../src/local-services/local-redis.ts';
import { moveToOtherCores } from './cores.ts';

/** What PostgreSQL counted for one database. */
export interface DatabaseCount {
  readonly transactions: number;
  readonly rowsWritten: number;
}

/** A Redis, a PostgreSQL and a MariaDB for one run, off the servers' core. */
export class Stores {
  #databases = 0;

  private constructor(
    private readonly redisServer: LocalRedis,
    private readonly postgresServer: LocalPostgres,
    private readonly mariaDbServer: LocalMariaDb,
    /** A connection of the benchmark's own. */
    readonly redis: Redis,
    readonly postgres: pg.Client,
  ) {}

  static async start(log: (line: string) => void): Promise<Stores> {
    const redisServer = await startLocalRedis({ log });
    const postgresServer = await startLocalPostgres({ log });
    const mariaDbServer = await startLocalMariaDb({ log });
    for (const { pid } of [redisServer, postgresServer, mariaDbServer]) if (pid !== undefined) moveToOtherCores(pid);
    const postgres = new pg.Client({ connectionString: postgresServer.url });
    await postgres.connect();
    // its transactions would be counted with a contender's
    await postgres.query('ALTER SYSTEM SET autovacuum = off');
    await postgres.query('SELECT pg_reload_conf()');
    return new Stores(redisServer, postgresServer, mariaDbServer, new Redis(redisServer.url), postgres);
  }

  get redisUrl(): string {
    return this.redisServer.url;
  }

  get mariaDbUrl(): string {
    return this.mariaDbServer.url;
  }

  /** The address of a new, empty database. */
  async newDatabase(): Promise<string> {
    const name = `bench_${this.#databases++}`;
    await this.postgres.query(`CREATE DATABASE ${name}`);
    const url = new URL(this.postgresServer.url);
    url.pathname = `/${name}`;
    return url.href;
  }

  /** What PostgreSQL has counted for a database: complete once all connections to it are closed. */
  async countOf(databaseUrl: string): Promise<DatabaseCount> {
    const { rows } = await this.postgres.query<{ transactions: string; rows: string }>(
      `SELECT xact_commit + xact_rollback AS transactions, tup_inserted + tup_updated + tup_deleted AS rows
       FROM pg_stat_database WHERE datname = $1`,
      [new URL(databaseUrl).pathname.slice(1)],
    );
    return { transactions: Number(rows[0]!.transactions), rowsWritten: Number(rows[0]!.rows) };
  }

  /** Waits until nobody is connected to a database: its connections have handed in their counts then. */
  async untilLeft(databaseUrl: string): Promise<void> {
    const name = new URL(databaseUrl).pathname.slice(1);
    for (;;) {
      const { rowCount } = await this.postgres.query('SELECT FROM pg_stat_activity WHERE datname = $1', [name]);
      if (rowCount === 0) return;
      await delay(20);
    }
  }

  async versions(): Promise<Record<string, string>> {
    const redis = /redis_version:(\S+)/.exec(await this.redis.info('server'))?.[1];
    const { rows } = await this.postgres.query<{ server_version: string }>('SHOW server_version');
    return { Redis: redis ?? '?', PostgreSQL: rows[0]!.server_version.split(' ')[0]! };
  }

  async stop(): Promise<void> {
    this.redis.disconnect();
    await this.postgres.end();
    await this.redisServer.stop();
    await this.postgresServer.stop();
    await this.mariaDbServer.stop();
  }
}
