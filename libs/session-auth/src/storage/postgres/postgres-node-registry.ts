import { SessionAuthError } from '../../errors/session-auth.error.js';
import {
  LEASE_KEPT,
  messageOf,
  partsOfMessage,
  type NodeLease,
  type NodeMessage,
  type NodeRegistry,
  type RegistryReading,
} from '../../link/node-registry.js';
import { partsOf } from '../../link/link-message.js';
import { DAY } from '../../time/units.js';
import { isRealmName } from '../../realms/realm-name.js';
import { advisoryLock, lockNamespace } from './advisory-lock.js';
import { PostgresDatabase, type PostgresStoreSettings } from './postgres-database.js';
import type { PostgresAccess } from './postgres-access.js';
import { statement, type PostgresStatement, type Row } from './postgres-statement.js';
import { isNotMigrated, sqlStateOf } from './sql-state.js';
import { StoredKeys } from './stored-keys.js';
import { THROTTLE_TABLE } from './throttle-tables.js';

/*
 * The leases are rows in the table of counts, so that no upgrade of the tables is needed: a key, a number (the bound),
 * and a time, both in milliseconds. The time is that of the database when the row was written, plus so much that no
 * sweep of the counts, which goes by the clock of a node, removes it.
 *
 * One more row has the time at which the first lease was entered. A crash empties the table, and a replica has none of
 * its rows: so if this row is there, no lease was lost since.
 */
const BEYOND_SWEEPS = 3650 * DAY;

const MISSING_RIGHT = '42501';

interface RegistryStatements {
  readonly enter: PostgresStatement;
  readonly ask: PostgresStatement;
  readonly tell: PostgresStatement;
  readonly remove: PostgresStatement;
}

/** The text of a message in the channel of all realms: that of the link's messages, with the realm at its end. */
export function textOfNodes(message: NodeMessage, realm: string): string {
  const [type, first, second = null] = partsOfMessage(message);
  return JSON.stringify([type, first, second, realm]);
}

/** Returns the message of a node, and its realm; undefined for any other message. */
export function nodesMessageOf(payload: string): { readonly realm: string; readonly message: NodeMessage } | undefined {
  if (!/^\["(asked|confirmed|revoked|entered|emptied)",/.test(payload)) return undefined;
  const parts = partsOf(payload);
  const message = messageOf(parts);
  const realm = parts[3];
  return message === undefined || !isRealmName(realm) ? undefined : { realm, message };
}

/** The registry of the nodes of one realm, in the database of its sessions. */
export class PostgresNodeRegistry implements NodeRegistry {
  readonly #database: PostgresDatabase<RegistryStatements>;
  /** The beginning of the keys. */
  readonly #prefix: string;
  readonly #lock: bigint;

  /** @param channelOf returns the channel of the link */
  constructor(
    private readonly access: PostgresAccess,
    settings: PostgresStoreSettings,
    private readonly realm: string,
    private readonly channelOf: () => Promise<string>,
  ) {
    this.#prefix = `${new StoredKeys(realm).prefix}nodes:`;
    this.#lock = advisoryLock(lockNamespace(THROTTLE_TABLE, { ...settings, realm }), 'nodes');
    this.#database = new PostgresDatabase(access, settings, THROTTLE_TABLE, registryStatements);
  }

  async enter({ id, bound }: NodeLease, previous = ''): Promise<RegistryReading> {
    const emptied = textOfNodes({ type: 'emptied', lease: id }, this.realm);
    const entered = textOfNodes({ type: 'entered', lease: id, bound }, this.realm);
    const values = [this.#prefix, id, bound, previous, await this.channelOf(), emptied, entered];
    try {
      // of two nodes that start at the same time, only one finds it new
      const rows = await this.#database.runLocked(this.#lock, (sql) => sql.enter, values);
      return { age: Number(rows[0]?.[1]), leases: leasesOf(rows) };
    } catch (error) {
      if (!isNotMigrated(error) && sqlStateOf(error) !== MISSING_RIGHT) throw error;
      throw new SessionAuthError(
        'invalid_configuration',
        `${this.access.wording.storage}: given a role without the rights to read and write ${THROTTLE_TABLE}, which ` +
          `has the nodes of a near-cache; allowed is a role with the rights of docs/postgresql.md (${(error as Error).message})`,
        { cause: error },
      );
    }
  }

  async ask(question: string): Promise<readonly NodeLease[]> {
    const asked = textOfNodes({ type: 'asked', question }, this.realm);
    return leasesOf(await this.#database.run((sql) => sql.ask, [this.#prefix, await this.channelOf(), asked]));
  }

  confirm(question: string, node: string): Promise<unknown> {
    return this.#tell({ type: 'confirmed', question, node });
  }

  revoke(lease: string): Promise<unknown> {
    return this.#tell({ type: 'revoked', lease });
  }

  remove(lease: string): Promise<unknown> {
    return this.#database.run((sql) => sql.remove, [this.#prefix, lease]);
  }

  async #tell(message: NodeMessage): Promise<unknown> {
    const values = [await this.channelOf(), textOfNodes(message, this.realm)];
    return this.#database.run((sql) => sql.tell, values);
  }
}

function registryStatements(table: string): RegistryStatements {
  const time = `(extract(epoch FROM clock_timestamp()) * 1000)::bigint + ${BEYOND_SWEEPS}`;
  // a range of the index: keys compare by bytes, and ; comes after the : of the prefix
  const since = `$1::text || 'since'`;
  const own = `t.key >= $1::text AND t.key < left($1::text, -1) || ';' AND t.key <> ${since}`;
  const lease = `json_build_array(substr(key, length($1::text) + 1), points)`;
  const told = (channel: string, message: string): string =>
    `pg_catalog.pg_notify(${channel}::text, ${message}::text)::text`;
  return {
    // $1 prefix, $2 id, $3 bound, $4 id to remove, $5 channel, $6 message for a new registry, $7 message
    enter: statement(
      `
WITH made AS MATERIALIZED (SELECT t.expires_at FROM ${table} t WHERE t.key = ${since}),
  marked AS (
    INSERT INTO ${table} (key, points, expires_at) SELECT ${since}, 0, ${time} WHERE NOT EXISTS (SELECT FROM made)
    ON CONFLICT (key) DO NOTHING
  ),
  kept AS MATERIALIZED (
    SELECT t.key, t.points FROM ${table} t
    WHERE ${own} AND t.key NOT IN ($1::text || $2::text, $1::text || $4::text) AND t.expires_at > ${time} - ${LEASE_KEPT}
  ),
  removed AS (
    DELETE FROM ${table} t
    WHERE ${own} AND t.key <> $1::text || $2::text AND (t.key = $1::text || $4::text OR t.expires_at <= ${time} - ${LEASE_KEPT})
  ),
  entered AS (
    INSERT INTO ${table} AS t (key, points, expires_at) VALUES ($1::text || $2::text, $3::integer, ${time})
    ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at
    RETURNING t.key, t.points
  ),
  present AS (SELECT key, points FROM kept UNION ALL SELECT key, points FROM entered)
SELECT (SELECT json_agg(${lease}) FROM present)::text AS leases,
  coalesce((SELECT ${time} - expires_at FROM made), 0)::text AS age,
  CASE WHEN NOT EXISTS (SELECT FROM made) THEN ${told('$5', '$6')} END AS told,
  ${told('$5', '$7')} AS alsotold`,
      ['leases', 'age'],
    ),

    // $1 prefix, $2 channel, $3 message
    ask: statement(
      `
SELECT (SELECT json_agg(${lease}) FROM ${table} t WHERE ${own})::text AS leases, ${told('$2', '$3')} AS told`,
      ['leases'],
    ),

    // $1 channel, $2 message
    tell: statement(`SELECT ${told('$1', '$2')} AS told`),

    // $1 prefix, $2 id
    remove: statement(`DELETE FROM ${table} WHERE key = $1::text || $2::text`),
  };
}

function leasesOf([row]: readonly Row[]): NodeLease[] {
  const leases = JSON.parse(row?.[0] ?? 'null') as [string, number][] | null;
  return (leases ?? []).map(([id, bound]) => ({ id, bound }));
}
