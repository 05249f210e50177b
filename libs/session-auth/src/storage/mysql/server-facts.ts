import type { CorePool } from './mysql-pool.js';
import type { StatementRunner } from './pooled-connection.js';
import { sql } from './sql-text.js';

/** The facts about the server of a pool. */
export interface ServerFacts {
  /** Whether a statement on a connection of the pool sees uncommitted data of others. */
  readonly readsUncommitted: boolean;
  /** Why the server cannot be used: its value and the allowed values; undefined: it can. */
  readonly problem: string | undefined;
}

const known = new WeakMap<CorePool, Promise<ServerFacts>>();

/** Returns the facts about a pool's server. The first call queries them. */
export function serverFacts(pool: CorePool, connection: StatementRunner): Promise<ServerFacts> {
  const asked = known.get(pool);
  if (asked !== undefined) return asked;
  const facts = ask(connection);
  known.set(pool, facts);
  // the next call queries again
  facts.catch(() => known.delete(pool));
  return facts;
}

async function ask(connection: StatementRunner): Promise<ServerFacts> {
  // variables that only the other server has are simply missing
  const { rows } = await connection.query(sql`SHOW SESSION VARIABLES WHERE Variable_name IN
    ('version', 'tx_isolation', 'transaction_isolation', 'log_bin', 'binlog_format')`);
  const values = new Map(rows.map(([name, value]) => [String(name).toLowerCase(), String(value)]));
  const isolation = values.get('transaction_isolation') ?? values.get('tx_isolation');
  return { readsUncommitted: isolation === 'READ-UNCOMMITTED', problem: problemOf(values) };
}

/** Returns why a server with these variables cannot be used: its value and the allowed values; undefined: it can. */
export function problemOf(values: ReadonlyMap<string, string>): string | undefined {
  const version = values.get('version') ?? '';
  if (!isRecent(version)) return `given a server of version ${version}; allowed is MariaDB 10.6, MySQL 8.0.1 or later`;
  if (values.get('log_bin') === 'ON' && values.get('binlog_format') === 'STATEMENT') {
    return 'given a server with binlog_format STATEMENT; allowed is MIXED or ROW, which READ COMMITTED requires';
  }
  return undefined;
}

/** Whether a server has SKIP LOCKED. */
function isRecent(version: string): boolean {
  // MariaDB may say 5.5.5- before its version, for the sake of old replicas
  const [, major = 0, minor = 0, patch = 0] = (/^(?:5\.5\.5-)?(\d+)\.(\d+)\.(\d+)/.exec(version) ?? []).map(Number);
  const least = version.includes('MariaDB') ? [10, 6, 0] : [8, 0, 1];
  const given = [major, minor, patch];
  const differing = given.findIndex((number, index) => number !== least[index]);
  return differing < 0 || given[differing]! > least[differing]!;
}
