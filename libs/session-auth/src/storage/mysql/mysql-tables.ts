import { SqlText } from './sql-text.js';

/**
 * The version of the tables that the stores work on, as `schema.sql` and `upgrade.sql` note it. Tables of the next one
 * are fit as well: a version only adds what nodes of the one before it can do without.
 */
export const TABLES_VERSION = 2;

/** The tables of this library, as statements name them. */
export interface MysqlTables {
  readonly session: SqlText;
  readonly rememberMe: SqlText;
  readonly throttle: SqlText;
  readonly audit: SqlText;
  readonly userLock: SqlText;
  readonly version: SqlText;
}

/**
 * Returns the tables in a database. Named with it, they are found on a connection on which the application has run `USE`
 * for another one.
 *
 * @param database of the pool; undefined: what a connection uses
 */
export function tablesOf(database: string | undefined): MysqlTables {
  const qualifier = database === undefined ? '' : `\`${database.replaceAll('`', '``')}\`.`;
  const table = (name: string): SqlText => new SqlText(`${qualifier}session_auth_${name}`);
  return {
    session: table('session'),
    rememberMe: table('remember_me'),
    throttle: table('throttle'),
    audit: table('audit_event'),
    userLock: table('user_lock'),
    version: table('version'),
  };
}
