import { sessionStoreContract } from 'nestjs-session-auth/testing';
import { TypeOrmSessionStore } from 'nestjs-session-auth/typeorm';
import { describeOnPostgres } from '../../support/postgres-variants.js';

describeOnPostgres('TypeOrmSessionStore', (name, { options, dataSource }) => {
  sessionStoreContract(name, async () => ({
    store: new TypeOrmSessionStore(dataSource(0), options),
    another: async () => new TypeOrmSessionStore(dataSource(1), options),
    close: () => Promise.resolve(),
  }));
});
