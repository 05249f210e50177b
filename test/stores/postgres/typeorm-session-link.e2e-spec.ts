import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { sessionLinkContract } from 'nestjs-session-auth/testing';
import { TypeOrmSessionStore } from 'nestjs-session-auth/typeorm';
import type { DataSource } from 'typeorm';
import { startPgBouncer, type PgBouncer } from '../../support/pgbouncer.js';
import { createDatabaseWithTables, type TestDatabase } from '../../support/postgres-database.js';
import { describeOnPostgres } from '../../support/postgres-variants.js';
import { newRecord, NO_LIMIT, NOW } from '../../support/session-records.js';

describeOnPostgres('TypeOrmSessionStore', (name, { options, dataSource }) => {
  sessionLinkContract(name, () =>
    Promise.resolve({
      store: new TypeOrmSessionStore(dataSource(0), { ...options, link: true }),
      another: () => Promise.resolve(new TypeOrmSessionStore(dataSource(1), { ...options, link: true })),
      close: () => Promise.resolve(),
    }),
  );
});

describe('the listening connection of a node', () => {
  let database: TestDatabase;
  let dataSource: DataSource;

  beforeAll(async () => {
    database = await createDatabaseWithTables();
    dataSource = await database.open();
  });

  afterAll(() => database.close());

  const listening = async (): Promise<number> => {
    const rows = await dataSource.query<{ count: string }[]>(
      `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query ~ '^(LISTEN|NOTIFY)'`,
    );
    return Number(rows[0]!.count);
  };

  it('is one for all realms, from the first listener until the last link is closed', async () => {
    const stores = [1, 2].map(() => new TypeOrmSessionStore(dataSource, { link: true }));
    const links = [stores[0]!.link()!, stores[1]!.ofRealm('staff').link()!];
    expect(await listening()).toBe(0);
    for (const link of links) {
      link.watch(() => undefined);
      await link.open();
    }
    expect(await listening()).toBe(1);
    await links[0]!.close();
    expect([links[0]!.isHealthy, links[1]!.isHealthy, await listening()]).toEqual([false, true, 1]);
    await links[1]!.close();
    while ((await listening()) > 0);
  });

  it('does not exist without the option, and nobody is notified', async () => {
    const store = new TypeOrmSessionStore(dataSource);
    expect(store.link()).toBeUndefined();
    const linked = new TypeOrmSessionStore(dataSource, { link: true });
    const link = linked.link()!;
    await link.open();
    const told: unknown[] = [];
    const [silent, loud] = [newRecord('alice'), newRecord('alice')];
    link.watch(({ id }) => told.push(id), { heartbeat: false });
    for (const record of [silent, loud]) await store.create(record, NO_LIMIT, NOW);
    await store.delete(silent.digest, NOW);
    await linked.delete(loud.digest, NOW);
    while (told.length === 0) await dataSource.query('SELECT 1');
    expect(told).toEqual([loud.id]);
    await link.close();
  });

  it('costs the stores no statement', async () => {
    const counts: number[] = [];
    for (const link of [true, false]) {
      const store = new TypeOrmSessionStore(dataSource, { link });
      await store.list('carol', { limit: 1 }, NOW);
      const sent = jest.spyOn(dataSource.logger, 'logQuery');
      const records = Array.from({ length: 4 }, (_, i) => newRecord('carol', { createdAt: NOW - 9 + i }));
      for (const record of records) await store.create(record, { max: 3, onLimit: 'evict-oldest' }, NOW);
      await store.rotate(records[1]!.digest, { revision: 0, now: NOW, changes: { roles: ['admin'] } });
      await store.updateByUser('carol', { roles: [] }, NOW);
      await store.delete(records[1]!.digest, NOW, 'logout');
      await store.deleteByHandle('carol', records[2]!.id, NOW, 'logout');
      await store.deleteByUser('carol', { limit: 10 }, NOW);
      counts.push(sent.mock.calls.length);
      sent.mockRestore();
    }
    expect(counts[0]).toBeGreaterThan(0);
    expect(counts[0]).toBe(counts[1]);
  });

  it('tells nothing of a step that is rolled back', async () => {
    const store = new TypeOrmSessionStore(dataSource, { link: true });
    const link = store.link()!;
    await link.open();
    const [undone, marker] = [newRecord('bob'), newRecord('bob')];
    const told: unknown[] = [];
    link.watch(({ id }) => told.push(id), { heartbeat: false });
    for (const record of [undone, marker]) await store.create(record, NO_LIMIT, NOW);
    await dataSource.query(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'refused by the test'; END $$;
      CREATE CONSTRAINT TRIGGER refuse AFTER DELETE ON session_auth_session DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (OLD.handle = '${undone.id}') EXECUTE FUNCTION refuse()`);
    await expect(store.delete(undone.digest, NOW)).rejects.toThrow('refused by the test');
    await store.delete(marker.digest, NOW);
    while (told.length === 0) await dataSource.query('SELECT 1');
    expect(told).toEqual([marker.id]);
    await link.close();
  });

  describe('behind a pooler in transaction mode', () => {
    let pooler: PgBouncer;
    let pooled: DataSource;

    beforeAll(async () => {
      pooler = await startPgBouncer(process.env['TEST_DATABASE_URL']!);
      pooled = await database.open({ url: pooler.through(database.url) });
    });

    afterAll(async () => {
      await pooled.destroy();
      await pooler.stop();
    });

    it('is refused, with the option to set', async () => {
      const link = new TypeOrmSessionStore(pooled, { link: true }).link()!;
      await expect(link.open()).rejects.toMatchObject({
        code: 'invalid_configuration',
        message: expect.stringContaining('typeOrmStorage.link.url'),
      });
      expect(link.isHealthy).toBe(false);
      await link.close();
    });

    sessionLinkContract('TypeOrmSessionStore with an address of its own', () => {
      const link = { url: database.url };
      return Promise.resolve({
        store: new TypeOrmSessionStore(pooled, { link }),
        another: () => Promise.resolve(new TypeOrmSessionStore(dataSource, { link: true })),
        close: () => Promise.resolve(),
      });
    });
  });
});
