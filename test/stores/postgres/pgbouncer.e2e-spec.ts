import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sessionStoreContract } from 'nestjs-session-auth/testing';
import { TypeOrmSessionStore, typeOrmStorage } from 'nestjs-session-auth/typeorm';
import type { DataSource } from 'typeorm';
import { ADAPTERS, startBank, type Bank } from '../../support/bank.js';
import { EVERYDAY_STATUSES, everydayVisit } from '../../support/everyday-visit.js';
import { startPgBouncer, type PgBouncer } from '../../support/pgbouncer.js';
import { createDatabaseWithTables, type TestDatabase } from '../../support/postgres-database.js';

describe('a PgBouncer in transaction mode without prepared statements', () => {
  let pooler: PgBouncer;
  let database: TestDatabase;
  const opened: DataSource[] = [];

  beforeAll(async () => {
    database = await createDatabaseWithTables();
    pooler = await startPgBouncer(process.env['TEST_DATABASE_URL']!);
  });

  afterAll(async () => {
    for (const dataSource of opened) if (dataSource.isInitialized) await dataSource.destroy();
    await pooler.stop();
    await database.close();
  });

  const open = async (): Promise<DataSource> => {
    const dataSource = await database.open({ url: pooler.through(database.url) });
    opened.push(dataSource);
    return dataSource;
  };

  it.each(ADAPTERS)('serves two nodes on %s from the first request on, and warns each once', async (adapter) => {
    const banks: Bank[] = [];
    try {
      for (let node = 0; node < 2; node += 1) {
        const storage = typeOrmStorage({ dataSource: await open() });
        const backend = { storage, redis: undefined, namespace: '', close: () => Promise.resolve() };
        banks.push(await startBank({ adapter, backend, options: { concurrency: 100 } }));
      }
      const [here, there] = banks as [Bank, Bank];
      // more at once than the pooler has connections
      const clients = Array.from({ length: 12 }, (_, index) => banks[index % 2]!.client());
      await Promise.all(clients.map((client) => client.login('bob')));
      for (let round = 0; round < 4; round += 1) {
        const signedIn = await Promise.all(clients.map((client) => client.isSignedIn()));
        expect(signedIn).toEqual(clients.map(() => true));
        expect(await everydayVisit(banks[round % 2]!)).toEqual(EVERYDAY_STATUSES);
      }
      const alice = here.client();
      await alice.login('alice');
      alice.port = there.port;
      expect((await alice.post('/auth/logout')).status).toBe(204);
      alice.port = here.port;
      expect(await alice.isSignedIn()).toBe(false);
      // Nest has one logger a process
      const log = banks.flatMap((bank) => bank.log);
      expect(log.filter((line) => line.includes('no longer prepared'))).toHaveLength(2);
      expect(log.filter((line) => /unavailable|cannot be written/.test(line))).toEqual([]);
    } finally {
      for (const bank of banks) await bank.close();
    }
  });

  describe('for a store', () => {
    let dataSources: DataSource[];

    beforeAll(async () => {
      dataSources = [await open(), await open()];
    });

    sessionStoreContract('TypeOrmSessionStore', () =>
      Promise.resolve({
        store: new TypeOrmSessionStore(dataSources[0]!),
        another: () => Promise.resolve(new TypeOrmSessionStore(dataSources[1]!)),
        close: () => Promise.resolve(),
      }),
    );
  });
});
