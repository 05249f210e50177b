import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MemorySessionStore, SessionLifecycleService, type SessionList, type SessionRecord } from 'nestjs-session-auth';
import type { BankClient } from '../support/bank-client.js';
import { EVERYWHERE, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';

/**
 * The fields of a record by where each store keeps them; undefined: Redis keeps 13 digits of it, which any Date holds.
 */
const TIMES = [
  { field: 'createdAt', column: 'created_at', member: 'c' },
  { field: 'rotatedAt', column: 'rotated_at', member: 't' },
  { field: 'authenticatedAt', column: 'authenticated_at', member: 'a' },
  { field: 'lastActivityAt', column: 'last_activity_at', member: undefined },
  { field: 'expiresAt', column: 'expires_at', member: undefined },
  { field: 'absoluteExpiresAt', column: 'absolute_expires_at', member: undefined },
] as const;

type Time = (typeof TIMES)[number];

const LATE = '9223372036854775807';
const EARLY = '-9223372036854775808';

/** A store whose records are what somebody has made of them. */
class EditedStore extends MemorySessionStore {
  readonly edits = new Map<string, Partial<SessionRecord>>();

  override async find(...args: Parameters<MemorySessionStore['find']>): ReturnType<MemorySessionStore['find']> {
    const outcome = await super.find(...args);
    return outcome.status === 'live' ? { ...outcome, record: this.#edited(outcome.record) } : outcome;
  }

  override async list(...args: Parameters<MemorySessionStore['list']>): Promise<SessionList> {
    const list = await super.list(...args);
    return { ...list, records: list.records.map((record) => this.#edited(record)) };
  }

  #edited(record: SessionRecord): SessionRecord {
    return { ...record, ...this.edits.get(record.id) };
  }
}

describe.each(EVERYWHERE)('a stored time that no Date can hold, on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let bank: Bank;
  let edited: EditedStore;

  beforeEach(async () => {
    backend = await openBackend(store);
    edited = new EditedStore();
    const storage = store === 'memory' ? { sessions: { useValue: edited } } : backend.storage;
    bank = await startBank({ adapter, backend: { ...backend, storage } });
  });

  afterEach(async () => {
    await bank.close();
    await backend.close();
  });

  const write = async (id: string, { field, column, member }: Time, time: string): Promise<void> => {
    const { redis, dataSource, namespace } = backend;
    if (dataSource) {
      await dataSource.query(`UPDATE session_auth_session SET ${column} = $1 WHERE handle = $2`, [time, id]);
    } else if (redis) {
      const [key] = await redis.keys(`${namespace}*:s:${id}`);
      const lines = (await redis.get(key!))!.split(',\n').filter((line) => !line.startsWith(`"${member}":`));
      await redis.set(key!, [...lines, `"${member}":${time}`].join(',\n'), 'KEEPTTL');
    } else edited.edits.set(id, { [field]: Number(time) });
  };

  const corrupt = (): number => bank.events.filter(({ type }) => type === 'session.corrupt_record').length;
  const idsOf = async (client: BankClient): Promise<string[]> => {
    const { status, json } = await client.get('/auth/sessions');
    expect(status).toBe(200);
    return (json as { id: string }[]).map(({ id }) => id);
  };

  const times = TIMES.filter(({ member }) => store !== 'redis' || member !== undefined);
  // what has expired long ago is no record any more
  const cases = times.flatMap((time) => [
    { ...time, value: LATE },
    ...(time.field === 'expiresAt' || time.field === 'absoluteExpiresAt' ? [] : [{ ...time, value: EARLY }]),
  ]);

  it.each(cases)('is a corrupt record: $field $value', async ({ value, ...time }) => {
    const [broken, sound] = [bank.client(), bank.client()];
    const { id } = await broken.login('alice');
    const own = await sound.login('alice');
    await write(id, time, value);
    bank.clock.advance(2 * 60_000);

    expect((await broken.get('/api/me')).status).toBe(401);
    expect(corrupt()).toBe(1);
    // and it stands in nobody's way
    expect(await idsOf(sound)).toEqual([own.id]);
    expect(corrupt()).toBe(2);
    const third = await bank.client().login('alice');
    expect((await idsOf(sound)).sort()).toEqual([own.id, third.id].sort());
    expect((await sound.ask('DELETE', '/auth/sessions')).status).toBe(200);
    expect(await idsOf(sound)).toEqual([own.id]);
    expect(bank.log.filter((line) => line.includes('RangeError') || line.includes('out of range'))).toEqual([]);
  });

  it('hides no other session from a list by pages', async () => {
    const clients = [bank.client(), bank.client(), bank.client()];
    const ids: string[] = [];
    for (const client of clients) {
      ids.push((await client.login('alice')).id);
      bank.clock.advance(1000);
    }
    await write(ids[1]!, TIMES[0], LATE);
    const lifecycle = bank.app.get(SessionLifecycleService);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await lifecycle.list('alice', { limit: 1, cursor });
      seen.push(...page.sessions.map(({ id }) => id));
      cursor = page.next;
    } while (cursor !== undefined);
    expect(seen).toEqual([ids[2], ids[0]]);
  });
});

describe.each(['redis', 'postgres'] as const)('a remembered device with such a time, with %s', (store) => {
  it('signs nobody in, is reported, and is not listed', async () => {
    const backend = await openBackend(store);
    const bank = await startBank({ adapter: 'express', backend });
    try {
      const alice = bank.client();
      await alice.login('alice', { rememberMe: true });
      const { redis, dataSource, namespace } = backend;
      if (redis) {
        for (const key of await redis.keys(`${namespace}*:r:*`)) await redis.hset(key, 'l', LATE);
      } else await dataSource!.query('UPDATE session_auth_remember_me SET last_used_at = $1', [LATE]);
      const { json } = await alice.get('/auth/session');
      expect(json).toMatchObject({ userId: 'alice' });
      alice.restart();
      expect((await alice.get('/api/me')).status).toBe(401);
      expect(bank.events.filter(({ type }) => type === 'session.corrupt_record')).toHaveLength(1);
    } finally {
      await bank.close();
      await backend.close();
    }
  });
});
