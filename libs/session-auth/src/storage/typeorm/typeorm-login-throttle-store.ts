import type { DataSource } from 'typeorm';
import type { ExpiringRows } from '../../session/expiring-rows.js';
import { LoginThrottleStore, type FailureCount, type FailureCounter } from '../../throttle/login-throttle-store.js';
import { PostgresDatabase } from '../postgres/postgres-database.js';
import { statement, type PostgresStatement, type Row } from '../postgres/postgres-statement.js';
import { throttleTable } from '../postgres/throttle-tables.js';
import { storeParts } from './postgres-data-source.js';
import type { TypeOrmSessionStoreOptions } from './typeorm-session-store.options.js';

/**
 * Counts failed logins in PostgreSQL, for all nodes together. Each operation is one statement; reads at the same time
 * share one.
 *
 * Not by `RateLimiterPostgres` of rate-limiter-flexible: it makes its table itself, reads times through whatever parsers
 * the application has given the driver, and cannot be kept from naming prepared statements behind a pooler.
 */
export class TypeOrmLoginThrottleStore extends LoginThrottleStore implements ExpiringRows {
  readonly #connections: PostgresDatabase;
  readonly #sql: ThrottleStatements;
  #reads: ThrottleReads | undefined;

  constructor(dataSource: DataSource, options: TypeOrmSessionStoreOptions = {}) {
    super();
    const [executor, settings] = storeParts(dataSource, options);
    this.#connections = new PostgresDatabase(executor, settings);
    this.#sql = throttleStatements(throttleTable(settings.schema));
  }

  /** Whether the table is there. @throws SessionAuthError `invalid_configuration` */
  async checkTables(): Promise<void> {
    await this.#connections.checkTables(this.#sql.get, [[], 0]);
  }

  override counter(name: string, seconds: number): FailureCounter {
    const connections = this.#connections;
    const sql = this.#sql;
    const keyOf = (key: string): string => `${name}:${key}`;
    return {
      get: (key) => this.#read(keyOf(key)),
      penalty: async (key) => {
        const now = Date.now();
        const [row] = await connections.run(sql.penalty, [keyOf(key), now, now + seconds * 1000]);
        return toCount(row!, now);
      },
      set: (key, points, length) => connections.run(sql.set, [keyOf(key), points, Date.now() + length * 1000]),
      delete: (key) => connections.run(sql.delete, [keyOf(key)]),
    };
  }

  /** What is asked in one turn is one statement on one connection: a login asks for several counts at once. */
  async #read(key: string): Promise<FailureCount | null> {
    this.#reads ??= this.#readSoon([]);
    const { keys, counts } = this.#reads;
    keys.push(key);
    return (await counts).get(key) ?? null;
  }

  #readSoon(keys: string[]): ThrottleReads {
    const read = async (): Promise<Map<string, FailureCount>> => {
      await Promise.resolve();
      this.#reads = undefined;
      const now = Date.now();
      const rows = await this.#connections.run(this.#sql.get, [keys, now]);
      return new Map(rows.map(([key, ...count]) => [key!, toCount(count, now)]));
    };
    return { keys, counts: read() };
  }

  async deleteExpired(_now: number, limit: number): Promise<number> {
    const [row] = await this.#connections.sweep(this.#sql.deleteExpired, [Date.now(), limit]);
    return Number(row![0]);
  }
}

function toCount([points, expiresAt]: Row, now: number): FailureCount {
  return { consumedPoints: Number(points), msBeforeNext: Number(expiresAt) - now };
}

interface ThrottleReads {
  readonly keys: string[];
  readonly counts: Promise<Map<string, FailureCount>>;
}

interface ThrottleStatements {
  readonly get: PostgresStatement;
  readonly penalty: PostgresStatement;
  readonly set: PostgresStatement;
  readonly delete: PostgresStatement;
  readonly deleteExpired: PostgresStatement;
}

function throttleStatements(table: string): ThrottleStatements {
  return {
    // $1 keys, $2 now
    get: statement(`
SELECT key, points, expires_at FROM ${table} WHERE key = ANY ($1::text[]) AND expires_at > $2::bigint`),

    // $1 key, $2 now, $3 end of a first count
    penalty: statement(`
INSERT INTO ${table} AS t (key, points, expires_at) VALUES ($1, 1, $3::bigint)
ON CONFLICT (key) DO UPDATE SET
  points = CASE WHEN t.expires_at <= $2::bigint THEN 1 ELSE t.points + 1 END,
  expires_at = CASE WHEN t.expires_at <= $2::bigint THEN excluded.expires_at ELSE t.expires_at END
RETURNING points, expires_at`),

    // $1 key, $2 points, $3 end
    set: statement(`
INSERT INTO ${table} (key, points, expires_at) VALUES ($1, $2::integer, $3::bigint)
ON CONFLICT (key) DO UPDATE SET points = excluded.points, expires_at = excluded.expires_at`),

    // $1 key
    delete: statement(`DELETE FROM ${table} WHERE key = $1`),

    // $1 now, $2 limit
    deleteExpired: statement(`
WITH due AS MATERIALIZED (
    SELECT key FROM ${table} WHERE expires_at <= $1::bigint ORDER BY expires_at LIMIT $2::bigint FOR UPDATE SKIP LOCKED
  ),
  removed AS (DELETE FROM ${table} t USING due WHERE t.key = due.key)
SELECT count(*) FROM due`),
  };
}
