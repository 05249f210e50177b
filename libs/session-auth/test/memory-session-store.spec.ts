import { describe, expect, it } from '@jest/globals';
import { sessionLinkContract } from '../src/testing/session-link-contract.js';
import { sessionStoreContract } from '../src/testing/session-store-contract.js';
import { MemorySessionStore } from '../src/storage/memory/memory-session-store.js';
import { IDLE, newDevice, newRecord, newUser, NO_LIMIT, NOW } from '../src/testing/session-store/sample-records.js';
import { moveOn } from '../src/testing/session-store/token-steps.js';
import { SECOND } from '../src/time/units.js';

sessionStoreContract('MemorySessionStore', async () => ({
  store: new MemorySessionStore(),
  close: async () => undefined,
}));

sessionLinkContract('MemorySessionStore', async () => ({
  store: new MemorySessionStore(),
  close: async () => undefined,
}));

describe('MemorySessionStore', () => {
  const full = { code: 'session_store_unavailable' };

  it('refuses a session when it is full, and ends nobody for it', async () => {
    const store = new MemorySessionStore({ maxSessions: 3 });
    const records = [newRecord(newUser()), newRecord(undefined), newRecord(newUser())];
    for (const record of records) await store.create(record, NO_LIMIT, NOW);
    for (const userId of [newUser(), undefined, records[0]!.userId]) {
      await expect(store.create(newRecord(userId), NO_LIMIT, NOW)).rejects.toMatchObject(full);
    }
    expect(store.size).toBe(3);
    await store.delete(records[1]!.digest, NOW);
    await expect(store.create(newRecord(newUser()), NO_LIMIT, NOW)).resolves.toMatchObject({ status: 'created' });
  });

  it('sweeps out expired sessions when it is full', async () => {
    const store = new MemorySessionStore({ maxSessions: 100 });
    for (let i = 0; i < 99; i++) await store.create(newRecord(newUser()), NO_LIMIT, NOW);
    const kept = newRecord(newUser(), { createdAt: NOW + SECOND });
    await store.create(kept, NO_LIMIT, NOW);
    await store.create(newRecord(newUser(), { createdAt: NOW + IDLE }), NO_LIMIT, NOW + IDLE);
    expect(store.size).toBe(2);
    expect(await store.list(kept.userId!, { limit: 1 }, NOW + IDLE)).toMatchObject({ records: [{ id: kept.id }] });
  });

  it('lets a user who is at the limit log in when it is full: one session goes and one comes', async () => {
    const store = new MemorySessionStore({ maxSessions: 2 });
    const userId = newUser();
    const oldest = newRecord(userId);
    await store.create(oldest, NO_LIMIT, NOW);
    await store.create(newRecord(newUser()), NO_LIMIT, NOW);
    const outcome = await store.create(newRecord(userId), { max: 1, onLimit: 'evict-oldest' }, NOW);
    expect(outcome).toEqual({ status: 'created', evicted: [{ id: oldest.id, userId }], replaced: [] });
    expect(await store.create(newRecord(userId), { max: 1, onLimit: 'reject' }, NOW)).toEqual({
      status: 'limit_reached',
    });
    expect(store.size).toBe(2);
  });

  it('lets a device have a new session in the place of its old one when it is full', async () => {
    const store = new MemorySessionStore({ maxSessions: 1 });
    const userId = newUser();
    const device = newDevice();
    const [first, second, third] = [newRecord(userId, { device }), newRecord(userId, { device }), newRecord(userId)];
    await store.create(first, NO_LIMIT, NOW);
    const outcome = { status: 'created', evicted: [] };
    const replaced = (id: string) => ({ ...outcome, replaced: [{ id, userId }] });
    expect(await store.create(second, NO_LIMIT, NOW)).toEqual(replaced(first.id));
    expect(await store.create(third, { ...NO_LIMIT, replaces: { id: second.id } }, NOW)).toEqual(replaced(second.id));
    expect(store.size).toBe(1);
  });

  it('holds one record of a session, however often it is rotated', async () => {
    const store = new MemorySessionStore();
    let record = newRecord(newUser());
    await store.create(record, NO_LIMIT, NOW);
    for (let i = 0; i < 50; i++) record = await moveOn(store, record, { now: NOW + i });
    expect(store.size).toBe(1);
  });

  it('ends nobody for a session that it refuses after all', async () => {
    const store = new MemorySessionStore({ maxSessions: 2 });
    const userId = newUser();
    for (let i = 0; i < 2; i++) await store.create(newRecord(userId), NO_LIMIT, NOW);
    await expect(store.create(newRecord(newUser()), { max: 1, onLimit: 'evict-oldest' }, NOW)).rejects.toMatchObject(
      full,
    );
    expect((await store.list(userId, { limit: 10 }, NOW)).records).toHaveLength(2);
  });

  it('holds nothing of what has expired after deleteExpired', async () => {
    const store = new MemorySessionStore();
    const userId = newUser();
    for (let round = 0; round < 20; round++) {
      const now = NOW + round * IDLE;
      for (let i = 0; i < 50; i++) {
        const record = newRecord(i % 2 === 0 ? userId : undefined, { createdAt: now });
        await store.create(record, NO_LIMIT, now);
      }
      expect(store.size).toBeLessThanOrEqual(100);
      while ((await store.deleteExpired(now + IDLE, 20)).length > 0);
      expect(store.size).toBe(0);
    }
  });
});
