import { inspect } from 'node:util';
import type { Pool } from 'mysql2';
import type { Pool as PromisePool } from 'mysql2/promise';
import { SessionAuthError } from '../../errors/session-auth.error.js';

/** A pool of `mysql2` or of `mysql2/promise`: the application opens it and closes it. */
export type MysqlPool = Pool | PromisePool;

/** The part of the driver's pool that is used here. */
export interface CorePool {
  getConnection(callback: (error: Error | null | undefined, connection: PoolConnection) => void): void;
  readonly config: { readonly connectionConfig: { readonly database?: string } };
}

/** The part of a connection that is used here. */
export interface PoolConnection {
  readonly config: { readonly typeCast?: unknown };
  query(
    query: {
      readonly sql: string;
      readonly timeout?: number;
      readonly rowsAsArray: true;
      readonly typeCast: false | ((field: { buffer(): Buffer | null }) => Buffer | null);
      readonly nestTables: false;
    },
    callback: (error: Error | null | undefined, result: unknown) => void,
  ): Command;
  release(): void;
  destroy(): void;
}

/** A running query. The driver passes every packet of the server's response to it. */
export interface Command {
  execute(packet: Packet | undefined, connection: unknown): boolean;
}

export interface Packet {
  isEOF(): boolean;
  eofStatusFlags(): number | null;
}

/**
 * Returns the driver's own pool of the value that the application gives as a pool.
 *
 * @throws SessionAuthError `invalid_configuration` for any other value
 */
export function corePoolOf(given: unknown): CorePool {
  const core = isObject(given) && isObject(given['pool']) ? given['pool'] : given;
  if (isCorePool(core)) return core;
  throw new SessionAuthError(
    'invalid_configuration',
    `mysqlStorage.pool: given ${nameOf(given)}; allowed is the result of createPool of mysql2 or mysql2/promise`,
  );
}

function isCorePool(value: unknown): value is CorePool {
  if (!isObject(value) || typeof value['getConnection'] !== 'function') return false;
  // a single connection, a cluster of pools and the pools of other drivers have no such configuration
  return isObject(value['config']) && isObject(value['config']['connectionConfig']) && isMysql2(value);
}

/** The package `mysql` has the same form, but another protocol of its commands. */
function isMysql2(pool: Readonly<Record<string, unknown>>): boolean {
  return typeof pool['execute'] === 'function';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** The name without the content, because a pool's configuration contains a password. */
function nameOf(given: unknown): string {
  if (!isObject(given)) return inspect(given);
  return `an object of ${(given.constructor as { readonly name?: string } | undefined)?.name ?? 'no class'}`;
}
