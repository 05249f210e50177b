import { SqlText } from './sql-text.js';

/**
 * The version of the tables that the stores work on, as `schema.sql` and `upgrade.sql` record it. Tables of the next
 * version work too: a version only adds things that nodes of the previous version can do without.
 */
export const TABLES_VERSION = 3;

/** The tables of this library, as statements name them. */
export interface MysqlTables {
  readonly session: SqlText;
  readonly rememberMe: SqlText;
  readonly throttle: SqlText;
  readonly audit: SqlText;
  readonly userLock: SqlText;
  readonly generation: SqlText;
  readonly version: SqlText;
}

/**
 * Returns the tables in a database. With the database's name, they are found even on a connection on which the
 * application has run `USE` for another one.
 *
 * @param database of the pool; undefined: the database of the connection
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
    generation: table('generation'),
    version: table('version'),
  };
}
