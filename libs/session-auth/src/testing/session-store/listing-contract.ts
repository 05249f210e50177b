import assert from 'node:assert/strict';
import type { SessionRecord } from '../../session/session-record.js';
import type { SessionStore } from '../../session/session-store.js';
import type { ContractTests } from './contract-tests.js';
import { MINUTE } from '../../time/units.js';
import { newRecord, newUser, NO_LIMIT, NOW } from './sample-records.js';
import { listAll, listedIds } from './store-queries.js';

const SESSIONS = 250;

/** `list`: order, pages and cursors. */
export function listingContract({ it }: ContractTests): void {
  it('returns an empty last page for a user without sessions', async ({ store }) => {
    const { records, next } = await store.list(newUser(), { limit: 10 }, NOW);
    assert.deepEqual(records, []);
    assert.equal(next, undefined);
  });

  it('lists the newest first, in any order of creation', async ({ store }) => {
    const userId = newUser();
    const records = [3, 1, 4, 2].map((age) => newRecord(userId, { createdAt: NOW - age }));
    for (const record of records) await store.create(record, NO_LIMIT, NOW);
    assert.deepEqual(await listedIds(store, userId), ordered(records));
  });

  it('lists those of one time by descending handle, compared by code', async ({ store }) => {
    const userId = newUser();
    const ids = ['a', 'B', '_', '-', '0', 'Z', 'z', 'ab', 'aB'].map((start) => start.padEnd(20, 'm'));
    for (const id of ids) await store.create(newRecord(userId, { id }), NO_LIMIT, NOW);
    assert.deepEqual(await listedIds(store, userId), ids.sort().reverse());
  });

  for (const limit of [7, 100, 125, 249, 250, 1000]) {
    it(`returns ${SESSIONS} sessions in pages of ${limit}`, async ({ store }) => {
      const { userId, records } = await createMany(store);
      const pages: string[][] = [];
      let cursor: string | undefined;
      do {
        const page = await store.list(userId, { limit, cursor }, NOW);
        pages.push(page.records.map((record) => record.id));
        cursor = page.next;
      } while (cursor !== undefined && pages.length <= SESSIONS);
      assert.deepEqual(pages.flat(), ordered(records));
      assert.deepEqual(
        pages.map((page) => page.length),
        Array.from({ length: Math.ceil(SESSIONS / limit) }, (_, i) => Math.min(limit, SESSIONS - i * limit)),
      );
    });
  }

  it('returns a few sessions in pages of one', async ({ store }) => {
    const userId = newUser();
    const records = [2, 1, 2, 3, 2].map((age) => newRecord(userId, { createdAt: NOW - age }));
    for (const record of records) await store.create(record, NO_LIMIT, NOW);
    const listed = await listAll(store, userId, { limit: 1 });
    assert.deepEqual(
      listed.map((record) => record.id),
      ordered(records),
    );
  });

  it('neither repeats nor omits a remaining session while sessions end between the pages', async ({ store }) => {
    const { userId, records } = await createMany(store);
    const digests = new Map(records.map((record) => [record.id, record.digest]));
    const seen: string[] = [];
    const ended = new Set<string>();
    let cursor: string | undefined;
    do {
      const page = await store.list(userId, { limit: 40, cursor }, NOW);
      const ids = page.records.map((record) => record.id);
      seen.push(...ids);
      cursor = page.next;
      // The session that the cursor names, some before it and some after it.
      const order = ordered(records);
      const at = order.indexOf(ids.at(-1)!);
      for (const id of [order[at], order[at - 3], order[at - 20], order[at + 1], order[at + 5], order[at + 39]]) {
        if (id === undefined) continue;
        await store.delete(digests.get(id)!, NOW);
        ended.add(id);
      }
    } while (cursor !== undefined);
    assert.equal(new Set(seen).size, seen.length, 'a session was listed twice');
    const order = ordered(records);
    assert.deepEqual(
      seen,
      order.filter((id) => seen.includes(id)),
    );
    const missed = order.filter((id) => !seen.includes(id) && !ended.has(id));
    assert.deepEqual(missed, []);
  });

  it('continues after a cursor whose session and all others have ended', async ({ store }) => {
    const { userId } = await createMany(store);
    const { next } = await store.list(userId, { limit: 100 }, NOW);
    await store.deleteByUser(userId, { limit: 1000 }, NOW);
    const page = await store.list(userId, { limit: 100, cursor: next }, NOW);
    assert.deepEqual([page.records.length, page.next], [0, undefined]);
  });

  it('leaves out expired sessions between live ones, and fills the page with others', async ({ store }) => {
    const userId = newUser();
    const records = Array.from({ length: 30 }, (_, i) =>
      newRecord(userId, { createdAt: NOW - i, expiresAt: NOW + (i % 3 === 0 ? 2 : 1) * MINUTE }),
    );
    for (const record of records) await store.create(record, NO_LIMIT, NOW);
    const live = records.filter((record) => record.expiresAt === NOW + 2 * MINUTE);
    const first = await store.list(userId, { limit: 4 }, NOW + MINUTE);
    const second = await store.list(userId, { limit: 6, cursor: first.next }, NOW + MINUTE);
    assert.deepEqual(
      [first, second].map((page) => page.records.map((record) => record.id)),
      [ordered(live).slice(0, 4), ordered(live).slice(4)],
    );
    assert.equal(second.next, undefined);
  });

  it('leaves out no live session among hundreds of expired ones', async ({ store }) => {
    const userId = newUser();
    const records = Array.from({ length: 900 }, (_, i) =>
      newRecord(userId, { createdAt: NOW - i, expiresAt: NOW + (i % 3 === 0 ? 2 : 1) * MINUTE }),
    );
    await Promise.all(records.map((record) => store.create(record, NO_LIMIT, NOW)));
    const live = records.filter((record) => record.expiresAt === NOW + 2 * MINUTE);
    assert.deepEqual(await listedIds(store, userId, NOW + MINUTE), ordered(live));
  });

  it('refuses a cursor that is not from a page', async ({ store }) => {
    const userId = newUser();
    await store.create(newRecord(userId), NO_LIMIT, NOW);
    const cursors = [
      '',
      'x',
      '1',
      '1.',
      '.',
      '-1.a',
      '0',
      'NaN.a',
      "1' or '1'='1",
      '1\n2',
      '{}',
      '\u0000',
      '9'.repeat(400),
    ];
    for (const cursor of cursors) {
      await assert.rejects(
        store.list(userId, { limit: 10, cursor }, NOW),
        (error: { code?: unknown; name?: unknown }) =>
          error.name === 'SessionAuthError' && error.code === 'invalid_request',
        `the cursor ${JSON.stringify(cursor)}`,
      );
    }
  });
}

/** Sessions of one user, five for each time. */
async function createMany(
  store: SessionStore,
): Promise<{ readonly userId: string; readonly records: readonly SessionRecord[] }> {
  const userId = newUser();
  const records = Array.from({ length: SESSIONS }, (_, i) => newRecord(userId, { createdAt: NOW - (i % 50) }));
  await Promise.all(records.map((record) => store.create(record, NO_LIMIT, NOW)));
  return { userId, records };
}

function ordered(records: readonly SessionRecord[]): string[] {
  return [...records].sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1)).map((record) => record.id);
}
