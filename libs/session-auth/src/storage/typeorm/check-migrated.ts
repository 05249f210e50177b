import { SessionAuthError } from '../../errors/session-auth.error.js';
import { sqlStateOf } from './postgres-connections.js';

// undefined table, column, schema
const NOT_MIGRATED = ['42P01', '42703', '3F000'];

/**
 * Runs a statement that names what a store needs of the database.
 *
 * @throws SessionAuthError `invalid_configuration` when it is not there: the migration has not been run
 */
export async function checkMigrated(check: () => Promise<unknown>): Promise<void> {
  try {
    await check();
  } catch (cause) {
    if (!NOT_MIGRATED.includes(sqlStateOf(cause) ?? '')) throw cause;
    throw new SessionAuthError(
      'invalid_configuration',
      'typeOrmStorage: given a database without the tables of this version; allowed is one on which the migration ' +
        `CreateSessionAuthTables has been run (${(cause as Error).message})`,
      { cause },
    );
  }
}
