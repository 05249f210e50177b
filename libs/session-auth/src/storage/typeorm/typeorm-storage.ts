import type { InjectionToken } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { SessionAuthError } from '../../errors/session-auth.error.js';
import type { RememberMeTokenStore } from '../../remember-me/remember-me-token-store.js';
import type { SessionStore } from '../../session/session-store.js';
import { TypeOrmRememberMeTokenStore } from './typeorm-remember-me-token-store.js';
import { TypeOrmSessionStore, type TypeOrmSessionStoreOptions } from './typeorm-session-store.js';

/** What {@link typeOrmStorage} takes. */
export interface TypeOrmStorageOptions extends TypeOrmSessionStoreOptions {
  /**
   * The name of a DataSource of `@nestjs/typeorm`, or an initialised DataSource: the application opens it and closes
   * it. @default the application's default one
   */
  readonly dataSource?: string | DataSource;
}

interface TypeOrmSlot<T> {
  readonly useFactory: (dataSource?: DataSource) => Promise<T>;
  readonly inject: InjectionToken[];
}

/** The slots of the parts kept in PostgreSQL. */
export interface TypeOrmStorage {
  readonly sessions: TypeOrmSlot<SessionStore>;
  readonly rememberMe: TypeOrmSlot<RememberMeTokenStore>;
}

/**
 * Keeps sessions and remember-me tokens in PostgreSQL: `storage: typeOrmStorage()` for the DataSource of `TypeOrmModule.forRoot`,
 * `typeOrmStorage({ dataSource: 'auth' })` for a named one, `typeOrmStorage({ dataSource })` for one of your own.
 *
 * Booting fails with `invalid_configuration` when it is not PostgreSQL's, not initialised, or lacks the tables of
 * {@link CreateSessionAuthTables}. Nothing is ever synchronized.
 */
export function typeOrmStorage(options: TypeOrmStorageOptions = {}): TypeOrmStorage {
  const { dataSource = 'default', ...settings } = options;
  const inject = typeof dataSource === 'string' ? [dataSourceToken(dataSource)] : [];
  const slot = <T extends { checkTables(): Promise<void> }>(make: (given: DataSource) => T): TypeOrmSlot<T> => ({
    inject,
    useFactory: async (injected) => {
      const given = typeof dataSource === 'string' ? injected! : dataSource;
      const store = make(given);
      if (!given.isInitialized) {
        throw new SessionAuthError(
          'invalid_configuration',
          'typeOrmStorage.dataSource: given a DataSource that is not initialised; call initialize() first',
        );
      }
      await store.checkTables();
      return store;
    },
  });
  return {
    sessions: slot((given) => new TypeOrmSessionStore(given, settings)),
    rememberMe: slot((given) => new TypeOrmRememberMeTokenStore(given, settings)),
  };
}

/** What `getDataSourceToken` of `@nestjs/typeorm` answers, without which the package would not be optional. */
function dataSourceToken(name: string): InjectionToken<DataSource> {
  return name === 'default' ? DataSource : `${name}DataSource`;
}
