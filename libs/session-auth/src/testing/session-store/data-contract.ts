import assert from 'node:assert/strict';
import type { SessionData } from '../../session/session-record.js';
import type { SessionStore } from '../../session/session-store.js';
import type { ContractTests } from './contract-tests.js';
import { MINUTE } from '../../time/units.js';
import { fullRecord, newDigest, newRecord, newUser, NO_LIMIT, NO_MAXIMUM, NOW } from './sample-records.js';
import { SAMPLE_DATA } from './record-contract.js';
import { assertSame, isLive, liveRecord } from './store-queries.js';

/** `update`, one call at a time. */
export function dataContract({ it }: ContractTests): void {
  it('merges key by key and returns the whole', async ({ store }) => {
    const digest = await createWith(store, { a: 1, b: { c: 2, d: 3 }, e: [1, 2] });
    const merged = { a: 'new', b: { c: 4 }, e: [1, 2], f: null };
    const outcome = await store.update(digest, { a: 'new', b: { c: 4 }, f: null }, NOW, NO_MAXIMUM);
    assert.deepEqual(outcome, { status: 'updated', data: merged });
    assert.deepEqual((await liveRecord(store, digest)).data, merged);
  });

  it('removes a key for undefined, and ignores missing keys', async ({ store }) => {
    const digest = await createWith(store, { a: 1, b: 2, c: 3 });
    const patch = { a: undefined, c: undefined, d: undefined, e: 5 };
    const outcome = await store.update(digest, patch, NOW, NO_MAXIMUM);
    assert.deepEqual(outcome, { status: 'updated', data: { b: 2, e: 5 } });
    assert.deepEqual((await liveRecord(store, digest)).data, { b: 2, e: 5 });
    await store.update(digest, { b: undefined, e: undefined }, NOW, NO_MAXIMUM);
    assert.deepEqual((await liveRecord(store, digest)).data, {});
  });

  it('leaves everything else in the record unchanged', async ({ store }) => {
    const record = fullRecord(newUser());
    await store.create(record, NO_LIMIT, NOW);
    const patch = { roles: ['admin'], factors: { totp: NOW }, x: {}, id: 1, u: 2, '.u': 3, added: true };
    await store.update(record.digest, patch, NOW, NO_MAXIMUM);
    const data = { ...record.data, ...patch };
    assertSame(await liveRecord(store, record.digest), { ...record, data });
  });

  it('changes nothing for an empty patch', async ({ store }) => {
    const digest = await createWith(store, { a: 1 });
    assert.deepEqual(await store.update(digest, {}, NOW, NO_MAXIMUM), { status: 'updated', data: { a: 1 } });
  });

  it('distinguishes similar keys: each is changed and removed alone', async ({ store }) => {
    const data: SessionData = {
      ...SAMPLE_DATA['keys that look like syntax'],
      ...SAMPLE_DATA['similar keys'],
      ...SAMPLE_DATA['keys that every object inherits'],
      ...SAMPLE_DATA['keys that look like numbers'],
    };
    const digest = await createWith(store, data);
    for (const key of Object.keys(data)) {
      data[key] = `of ${key}`;
      const outcome = await store.update(digest, { [key]: data[key] }, NOW, NO_MAXIMUM);
      assert.deepEqual(outcome, { status: 'updated', data });
    }
    for (const key of Object.keys(data)) {
      delete data[key];
      const outcome = await store.update(digest, { [key]: undefined }, NOW, NO_MAXIMUM);
      assert.deepEqual(outcome, { status: 'updated', data });
    }
  });

  it('returns absent for a missing session, and does not create it', async ({ store }) => {
    const digest = newDigest(newUser());
    assert.deepEqual(await store.update(digest, { a: 1 }, NOW, NO_MAXIMUM), { status: 'absent' });
    assert.ok(!(await isLive(store, digest)));
  });

  it('refuses data that would be too large, and changes nothing', async ({ store }) => {
    const data = { a: 'x'.repeat(400), b: 1 };
    const digest = await createWith(store, data);
    const patch = { b: 2, c: 'x'.repeat(800), a: undefined, d: 'y'.repeat(400) };
    assert.deepEqual(await store.update(digest, patch, NOW, 1000), { status: 'too_large' });
    assert.deepEqual((await liveRecord(store, digest)).data, data);
    const outcome = await store.update(digest, { d: 'y'.repeat(400) }, NOW, 1000);
    assert.equal(outcome.status, 'updated');
  });

  it('counts bytes of JSON, not characters', async ({ store }) => {
    const digest = await createWith(store, {});
    for (const text of ['€'.repeat(400), '"'.repeat(600), '👩'.repeat(300)]) {
      assert.deepEqual(await store.update(digest, { text }, NOW, 1000), { status: 'too_large' });
      assert.deepEqual(await store.update(digest, { [text]: 1 }, NOW, 1000), { status: 'too_large' });
    }
    assert.equal((await store.update(digest, { text: 'e'.repeat(900) }, NOW, 1000)).status, 'updated');
  });

  it('accepts every merge that does not enlarge the data', async ({ store }) => {
    const digest = await createWith(store, { a: 'x'.repeat(2000), b: 'y'.repeat(2000) });
    const status = async (patch: SessionData): Promise<string> => (await store.update(digest, patch, NOW, 1000)).status;
    assert.equal(await status({ c: 1 }), 'too_large');
    assert.equal(await status({ a: 'z'.repeat(2000) }), 'updated');
    assert.equal(await status({ a: 'x'.repeat(1500) }), 'updated');
    assert.equal(await status({ a: 'x'.repeat(1501) }), 'too_large');
    assert.equal(await status({}), 'updated');
    assert.equal(await status({ a: undefined, c: 'z'.repeat(1000) }), 'updated');
    assert.equal(await status({ b: undefined }), 'updated');
    assert.deepEqual((await liveRecord(store, digest)).data, { c: 'z'.repeat(1000) });
  });

  it('accepts hundreds of keys at once', async ({ store }) => {
    const digest = await createWith(store, {});
    const entries = Array.from({ length: 500 }, (_, i) => [`key ${i}`, { value: i }] as const);
    await store.update(digest, Object.fromEntries(entries), NOW, NO_MAXIMUM);
    const patch = Object.fromEntries(entries.map(([key], i) => [key, i % 2 === 0 ? undefined : i]));
    await store.update(digest, patch, NOW + MINUTE, NO_MAXIMUM);
    const left = Object.fromEntries(entries.flatMap(([key], i) => (i % 2 === 0 ? [] : [[key, i]])));
    assert.deepEqual((await liveRecord(store, digest)).data, left);
  });
}

async function createWith(store: SessionStore, data: SessionData): Promise<string> {
  const record = newRecord(newUser(), { data: { ...data } });
  await store.create(record, NO_LIMIT, NOW);
  return record.digest;
}
