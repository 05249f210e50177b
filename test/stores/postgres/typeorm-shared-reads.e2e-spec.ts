import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DataSource } from 'typeorm';
import type { FindOutcome, SessionRecord } from 'nestjs-session-auth';
import { CreateSessionAuthTables, TypeOrmSessionStore } from 'nestjs-session-auth/typeorm';
import { createTestDatabase, type TestDatabase } from '../../support/postgres-database.js';
import {
  HOUR,
  liveRecord,
  MINUTE,
  newDigest,
  newRecord,
  nextDigest,
  NO_LIMIT,
  NOW,
  touchAt,
} from '../../support/session-records.js';

describe('reads that share a statement of PostgreSQL', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let store: TypeOrmSessionStore;

  beforeEach(async () => {
    database = await createTestDatabase();
    dataSource = await database.open({ migrations: [CreateSessionAuthTables] });
    await dataSource.runMigrations();
    store = new TypeOrmSessionStore(dataSource);
  });

  afterEach(() => database.close());

  it('each return their own result', async () => {
    const now = NOW + MINUTE;
    const add = async (fields: Partial<SessionRecord>): Promise<SessionRecord> => {
      const record = newRecord('alice', fields);
      await store.create(record, NO_LIMIT, NOW);
      return record;
    };
    const current = await add({ lastActivityAt: now - 1 });
    const due = await add({});
    const expired = await add({ expiresAt: now });
    const rotated = await add({});
    const digest = nextDigest(rotated.digest);
    await store.rotate(rotated.digest, { revision: 0, now: NOW, changes: { digest } });

    const digests = [expired, due, current, rotated].map((record) => record.digest);
    expect(await findAll([newDigest(), ...digests], now)).toEqual([
      { status: 'absent' },
      { status: 'expired', ended: { id: expired.id, userId: 'alice' } },
      { status: 'live', record: { ...due, lastActivityAt: now, expiresAt: now + HOUR } },
      { status: 'live', record: current },
      { status: 'live', record: { ...rotated, digest, revision: 1 } },
    ]);
  });

  it('of one session do not share its data', async () => {
    const record = newRecord('alice', { data: { cart: ['book'] } });
    await store.create(record, NO_LIMIT, NOW);
    const [first, second] = await findAll([record.digest, record.digest], NOW);
    expect(second).toEqual(first);
    (liveRecord(first!).data['cart'] as string[]).push('bread');
    expect(liveRecord(second!).data).toEqual({ cart: ['book'] });
  });

  it('do not fail with one whose row the server cannot read', async () => {
    const [sound, broken] = [newRecord('alice'), newRecord('bob')];
    for (const record of [sound, broken]) await store.create(record, NO_LIMIT, NOW);
    await dataSource.query('ALTER TABLE session_auth_session RENAME TO damaged');
    const columns = await dataSource.query<{ name: string }[]>(
      `SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'damaged'`,
    );
    const list = columns.map(({ name }) =>
      name === 'ip' ? `CASE handle WHEN '${broken.id}' THEN (1 / length(ip))::text END AS ip` : name,
    );
    await dataSource.query(`UPDATE damaged SET ip = ''`);
    await dataSource.query(`CREATE VIEW session_auth_session AS SELECT ${list.join(', ')} FROM damaged`);

    const reads = [broken, sound, broken, sound].map(({ digest }) => store.find(digest, touchAt(NOW)));
    const outcomes = await Promise.allSettled(reads);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({ value: { status: 'live', record: { id: sound.id } } });
    expect(outcomes[0]).toMatchObject({ reason: { message: 'division by zero' } });
  });

  it('all fail when there is no connection, and none hangs', async () => {
    await dataSource.destroy();
    const reads = Array.from({ length: 20 }, () => store.find(newDigest(), touchAt(NOW)));
    const outcomes = await Promise.allSettled(reads);
    expect(outcomes.map(({ status }) => status)).toEqual(outcomes.map(() => 'rejected'));
  });

  describe('and whose sessions have expired', () => {
    const expired = async (count: number): Promise<SessionRecord[]> => {
      const records = Array.from({ length: count }, () => newRecord('alice', { expiresAt: NOW + MINUTE }));
      for (const record of records) await store.create(record, NO_LIMIT, NOW);
      return records;
    };

    it('remove them by few statements, and report each once', async () => {
      const records = await expired(40);
      const other = new TypeOrmSessionStore(await database.open({}));
      await other.checkTables();
      const sent = jest.spyOn(dataSource.logger, 'logQuery');
      const digests = records.map(({ digest }) => digest);
      const ask = (from: TypeOrmSessionStore): Promise<FindOutcome[]> =>
        Promise.all(digests.map((digest) => from.find(digest, touchAt(NOW + MINUTE))));
      const outcomes = await Promise.all([ask(store), ask(other), ask(store)]);
      const told = outcomes.flat().filter(({ status }) => status === 'expired');
      expect(told).toHaveLength(40);
      expect(outcomes.flat().filter(({ status }) => status === 'absent')).toHaveLength(80);
      expect(sent.mock.calls.length).toBeLessThan(40);
      sent.mockRestore();
    });

    it('wait for one that somebody else is about to change, and not with the others', async () => {
      const [held, free] = await expired(2);
      const holder = dataSource.createQueryRunner();
      await holder.startTransaction();
      await holder.query('SELECT FROM session_auth_session WHERE handle = $1 FOR UPDATE', [held!.id]);
      const [ofHeld, ofFree] = [held!, free!].map(({ digest }) => store.find(digest, touchAt(NOW + MINUTE)));
      expect(await ofFree).toMatchObject({ status: 'expired' });
      // it was used after all
      await holder.query('UPDATE session_auth_session SET expires_at = $2, revision = revision + 1 WHERE handle = $1', [
        held!.id,
        NOW + HOUR,
      ]);
      await holder.commitTransaction();
      await holder.release();
      expect(await ofHeld).toMatchObject({ status: 'live' });
    });
  });

  function findAll(digests: readonly string[], now: number): Promise<FindOutcome[]> {
    return Promise.all(digests.map((digest) => store.find(digest, touchAt(now))));
  }
});
