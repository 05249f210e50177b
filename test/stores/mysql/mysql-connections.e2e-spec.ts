import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createPool as createCallbackPool } from 'mysql2';
import type { Pool, PoolConnection } from 'mysql2/promise';
import { MysqlSessionStore } from 'nestjs-session-auth/mysql';
import { createMysqlDatabase, type MysqlTestDatabase } from '../../support/mysql-database.js';
import { setUp } from '../../support/mysql-variants.js';
import { until } from '../../support/patience.js';
import { HOUR, MINUTE, newRecord, NO_LIMIT, NOW, touchAt } from '../../support/session-records.js';
import { watchPool } from '../../support/watched-pool.js';

const LIMIT = { max: 3, onLimit: 'evict-oldest' } as const;

describe('connections that the application uses as well', () => {
  let database: MysqlTestDatabase;

  beforeAll(async () => {
    database = await createMysqlDatabase();
  });

  beforeEach(() => database.run('DELETE FROM session_auth_session'));

  afterAll(() => database.close());

  /** What is committed. */
  const stored = async (): Promise<number> => (await database.run('SELECT 1 FROM session_auth_session')).length;

  /** A pool with one connection, as somebody has left it. */
  async function leftWith(...statements: string[]): Promise<Pool> {
    const pool = database.open({ connectionLimit: 1 });
    const connection = await pool.getConnection();
    for (const statement of statements) await connection.query(statement);
    connection.release();
    return pool;
  }

  it('sends one statement for a read, two for a touch, six for a login under a limit', async () => {
    const pool = database.open({ connectionLimit: 1 });
    const { sent } = watchPool(pool);
    const store = new MysqlSessionStore(pool);
    const record = newRecord('alice');
    await store.list('alice', { limit: 1 }, NOW);
    const count = async (operation: () => Promise<unknown>): Promise<string[]> => {
      sent.length = 0;
      await operation();
      return sent.map((text) => text.split(/\s/, 1)[0]!);
    };
    const login = ['SET', 'START', 'INSERT', 'SELECT', 'INSERT', 'COMMIT'];
    expect(await count(() => store.create(record, LIMIT, NOW))).toEqual(login);
    expect(await count(() => store.create(newRecord('bob'), NO_LIMIT, NOW))).toEqual(['INSERT']);
    expect(await count(() => store.find(record.digest, touchAt(NOW)))).toEqual(['SELECT']);
    expect(await count(() => store.list('alice', { limit: 1 }, NOW))).toEqual(['SELECT']);
    expect(await count(() => store.find(record.digest, touchAt(NOW + MINUTE)))).toEqual(['SELECT', 'UPDATE']);
    expect(await count(() => store.update(record.digest, { a: 1 }, NOW, 100))).toEqual(['SELECT', 'UPDATE']);
    expect(await count(() => store.delete(record.digest, NOW))).toEqual(['SELECT', 'DELETE']);
  });

  it('sends one statement for sixteen reads of one moment, and each returns its own session', async () => {
    const pool = database.open();
    const { sent } = watchPool(pool);
    const store = new MysqlSessionStore(pool);
    const records = Array.from({ length: 16 }, (_, index) => newRecord(`user ${index}`));
    for (const record of records) await store.create(record, NO_LIMIT, NOW);
    // a connection's first read asks for the server's settings
    await store.find(records[0]!.digest, touchAt(NOW));
    const [missing, twice] = [newRecord('nobody'), records[3]!];
    sent.length = 0;
    const asked = [...records.slice(0, 14), missing, twice];
    const found = await Promise.all(asked.map(({ digest }) => store.find(digest, touchAt(NOW))));
    expect(sent).toHaveLength(1);
    expect(found).toEqual(
      asked.map((record) => (record === missing ? { status: 'absent' } : { status: 'live', record })),
    );
    expect(found[3]).not.toBe(found[15]);
  });

  it.each<[string, (store: MysqlSessionStore) => Promise<unknown>]>([
    ['a write', (store) => store.create(newRecord('alice'), NO_LIMIT, NOW)],
    ['a transaction', (store) => store.create(newRecord('alice'), LIMIT, NOW)],
  ])(
    '%s on a connection that was left in a transaction is committed all the same, and what was open is not',
    async (_, write) => {
      await database.run('CREATE TABLE IF NOT EXISTS left_open (a INT)');
      const pool = await leftWith('START TRANSACTION', 'INSERT INTO left_open VALUES (1)');
      await write(new MysqlSessionStore(pool));
      expect(await stored()).toBe(1);
      expect(await database.run('SELECT * FROM left_open')).toEqual([]);
    },
  );

  it('a read on a connection that was left in a transaction sees what has ended since that began', async () => {
    const record = newRecord('alice');
    const other = new MysqlSessionStore(database.open());
    await other.create(record, NO_LIMIT, NOW);
    const pool = await leftWith('START TRANSACTION', 'SELECT * FROM session_auth_session');
    await other.delete(record.digest, NOW);
    expect(await new MysqlSessionStore(pool).find(record.digest, touchAt(NOW))).toEqual({ status: 'absent' });
  });

  it('finds its tables on a connection that was left in another database', async () => {
    const elsewhere = await createMysqlDatabase({ tables: false });
    try {
      const store = new MysqlSessionStore(await leftWith(`USE ${elsewhere.name}`));
      await store.create(newRecord('alice'), LIMIT, NOW);
      expect(await stored()).toBe(1);
    } finally {
      await elsewhere.close();
    }
  });

  it('gives up where every connection is without autocommit, and has written nothing', async () => {
    const pool = database.open();
    setUp(pool, ['SET autocommit = 0']);
    const store = new MysqlSessionStore(pool);
    await expect(store.create(newRecord('alice'), NO_LIMIT, NOW)).rejects.toThrow('without autocommit');
    await expect(store.checkTables()).rejects.toThrow('without autocommit');
    expect(await stored()).toBe(0);
  });

  describe('while somebody holds what it needs', () => {
    let holder: PoolConnection;

    beforeEach(async () => {
      holder = await database.open().getConnection();
      await holder.query('START TRANSACTION');
    });

    // what a failed test holds must not fail the others
    afterEach(() => holder.destroy());

    const untilSomebodyWaits = (): Promise<void> =>
      until(async () => {
        // the server keeps what this table shows until nobody has read it for 100 ms
        await pause(150);
        const waiting = await database.run("SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'");
        return waiting.length > 0;
      });

    it('a login waits for another one of its user, and counts what that has added', async () => {
      const store = new MysqlSessionStore(database.open());
      const [first, second] = [newRecord('alice'), newRecord('alice', { createdAt: NOW + 1 })];
      await store.create(first, LIMIT, NOW);
      await holder.query('UPDATE session_auth_user_lock SET used_at = used_at + 1');
      const login = store.create(second, { max: 1, onLimit: 'evict-oldest' }, NOW + 1);
      await untilSomebodyWaits();
      await holder.query('UPDATE session_auth_session SET last_activity_at = ?, version = version + 1', [NOW + 1]);
      await holder.query('COMMIT');
      expect(await login).toEqual({ status: 'created', evicted: [{ id: first.id, userId: 'alice' }], replaced: [] });
    });

    it('a change waits for another one, and is worked out anew on what that has left', async () => {
      const store = new MysqlSessionStore(database.open());
      const record = newRecord('alice', { data: { a: 1 } });
      await store.create(record, NO_LIMIT, NOW);
      await holder.query(`UPDATE session_auth_session SET data = '{"b":2}', version = version + 1`);
      const update = store.update(record.digest, { c: 3 }, NOW, 100);
      await untilSomebodyWaits();
      await holder.query('COMMIT');
      expect(await update).toEqual({ status: 'updated', data: { b: 2, c: 3 } });
    });

    it('a wait that the server ends is begun again', async () => {
      const pool = database.open();
      setUp(pool, ['SET innodb_lock_wait_timeout = 1']);
      const { refused } = watchPool(pool);
      const store = new MysqlSessionStore(pool);
      const record = newRecord('alice');
      await store.create(record, LIMIT, NOW);
      await holder.query('SELECT * FROM session_auth_session FOR UPDATE');
      const deletion = store.delete(record.digest, NOW);
      await until(() => refused.some(({ errno }) => errno === 1205));
      await holder.query('COMMIT');
      expect(await deletion).toEqual({ id: record.id, userId: 'alice' });
    });

    it('a sweep passes by what is held, and waits for nothing', async () => {
      const store = new MysqlSessionStore(database.open());
      const [held, free] = [newRecord('alice'), newRecord('alice')];
      for (const record of [held, free]) await store.create(record, NO_LIMIT, NOW);
      await holder.query('SELECT * FROM session_auth_session WHERE handle = ? FOR UPDATE', [Buffer.from(held.id)]);
      expect(await store.deleteExpired(NOW + HOUR, 10)).toEqual([{ id: free.id, userId: 'alice' }]);
      await holder.query('COMMIT');
      expect(await store.deleteExpired(NOW + HOUR, 10)).toEqual([{ id: held.id, userId: 'alice' }]);
    });

    it('an operation that gets no answer in time rejects, and its connection is not used again', async () => {
      const pool = database.open({ connectionLimit: 1 });
      const store = new MysqlSessionStore(pool, { queryTimeout: 200 });
      const record = newRecord('alice');
      await store.create(record, LIMIT, NOW);
      await holder.query('SELECT * FROM session_auth_session FOR UPDATE');
      const id = async (): Promise<unknown> => (await pool.query('SELECT CONNECTION_ID() AS id'))[0];
      const before = await id();
      await expect(store.updateByUser('alice', { roles: ['a'] }, NOW)).rejects.toThrow('timeout');
      expect(await id()).not.toEqual(before);
      await holder.query('COMMIT');
      await until(async () => (await store.list('alice', { limit: 1 }, NOW)).records[0]?.roles.length === 0);
    });

    it('an operation that gets no connection in time rejects, and takes no place in the pool after that', async () => {
      const pool = database.open({ connectionLimit: 1 });
      const taken = await pool.getConnection();
      const store = new MysqlSessionStore(pool, { queryTimeout: 50 });
      await expect(store.list('alice', { limit: 1 }, NOW)).rejects.toThrow(
        'no connection of the pool was free in time',
      );
      taken.release();
      await until(() =>
        store.list('alice', { limit: 1 }, NOW).then(
          () => true,
          () => false,
        ),
      );
    });
  });

  it('removes locks of users that nobody has taken for a day, with the sweep', async () => {
    const store = new MysqlSessionStore(database.open());
    await database.run('DELETE FROM session_auth_user_lock');
    await store.create(newRecord('alice'), LIMIT, NOW);
    await store.create(newRecord('bob'), LIMIT, NOW + 24 * HOUR);
    await store.withCleanupLock(() => store.deleteExpired(NOW + 24 * HOUR + MINUTE, 10));
    const left = await database.run('SELECT used_at FROM session_auth_user_lock ORDER BY used_at');
    expect(left.map((row) => Number(row['used_at']))).toEqual([NOW + 24 * HOUR, 9e15]);
  });

  it('lets one sweep run at a time', async () => {
    const stores = [new MysqlSessionStore(database.open()), new MysqlSessionStore(database.open())];
    let other: unknown = 'not asked';
    const ran = await stores[0]!.withCleanupLock(async () => {
      other = await stores[1]!.withCleanupLock(() => Promise.resolve('both'));
      return 'one';
    });
    expect([ran, other]).toEqual(['one', undefined]);
    expect(await stores[1]!.withCleanupLock(() => Promise.resolve('after'))).toBe('after');
  });

  it('takes a pool of callbacks as well', async () => {
    const pool = createCallbackPool({ uri: process.env['TEST_MYSQL_URL']!, database: database.name });
    const record = newRecord('alice');
    const store = new MysqlSessionStore(pool);
    await store.create(record, LIMIT, NOW);
    expect((await store.find(record.digest, touchAt(NOW))).status).toBe('live');
    await new Promise<void>((resolve) => pool.end(() => resolve()));
  });
});
