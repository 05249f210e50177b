import type { InjectionToken } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { SessionAuthError } from '../../errors/session-auth.error.js';
import type { SessionStore } from '../../session/session-store.js';
import { TypeOrmSessionStore, type TypeOrmSessionStoreOptions } from './typeorm-session-store.js';

/** What {@link typeOrmStorage} takes. */
export interface TypeOrmStorageOptions extends TypeOrmSessionStoreOptions {
  /**
   * The name of a DataSource of `@nestjs/typeorm`, or an initialised DataSource: the application opens it and closes
   * it. @default the application's default one
   */
  readonly dataSource?: string | DataSource;
}

/** The slot of one part kept in PostgreSQL. */
export interface TypeOrmStorage {
  readonly sessions: {
    readonly useFactory: (dataSource?: DataSource) => Promise<SessionStore>;
    readonly inject: InjectionToken[];
  };
}

/**
 * Keeps sessions in PostgreSQL: `storage: typeOrmStorage()` for the DataSource of `TypeOrmModule.forRoot`,
 * `typeOrmStorage({ dataSource: 'auth' })` for a named one, `typeOrmStorage({ dataSource })` for one of your own.
 *
 * Booting fails with `invalid_configuration` when it is not PostgreSQL's, not initialised, or lacks the tables of
 * {@link CreateSessionAuthTables}. Nothing is ever synchronized.
 */
export function typeOrmStorage(options: TypeOrmStorageOptions = {}): TypeOrmStorage {
  const { dataSource = 'default', ...settings } = options;
  return {
    sessions: {
      inject: typeof dataSource === 'string' ? [dataSourceToken(dataSource)] : [],
      useFactory: async (injected) => {
        const given = typeof dataSource === 'string' ? injected! : dataSource;
        const store = new TypeOrmSessionStore(given, settings);
        if (!given.isInitialized) {
          throw new SessionAuthError(
            'invalid_configuration',
            'typeOrmStorage.dataSource: given a DataSource that is not initialised; call initialize() first',
          );
        }
        await store.checkTables();
        return store;
      },
    },
  };
}

/** What `getDataSourceToken` of `@nestjs/typeorm` answers, without which the package would not be optional. */
function dataSourceToken(name: string): InjectionToken<DataSource> {
  return name === 'default' ? DataSource : `${name}DataSource`;
}
