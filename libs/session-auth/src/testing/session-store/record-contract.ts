import assert from 'node:assert/strict';
import type { SessionData, SessionRecord } from '../../session/session-record.js';
import type { ContractTests } from './contract-tests.js';
import { fullRecord, newDigest, newRecord, newUser, NO_LIMIT, NO_MAXIMUM, NOW, untouched } from './sample-records.js';
import { assertSame, liveRecord } from './store-queries.js';

/** Session data that comes back as it went in, by what it shows. */
export const SAMPLE_DATA: Readonly<Record<string, SessionData>> = {
  'nothing at all': {},
  'keys that look like syntax': {
    'a":b': 1,
    'back\\slash"': 2,
    'ends in \\': 3,
    '.dot': 4,
    'a,\n"b":': 5,
    '{}': 6,
    "'; --": 7,
    $1: 8,
    'a.b[0]': 9,
    '%s': 10,
  },
  'keys that differ by little': {
    a: 1,
    A: 2,
    '.a': 3,
    '"a"': 4,
    'a ': 5,
    ' a': 6,
    'a\n': 7,
    '': 8,
    á: 9,
    'a\u0301': 10,
  },
  'keys that objects have anyway': { constructor: 1, toString: 'text', hasOwnProperty: null, length: 3, then: false },
  'keys that look like numbers': { 10: 'ten', 9: 'nine', '01': 'not one', '-1': 'minus', '1.5': 'one and a half' },
  'text that is easily mangled': {
    text: 'quote " apostrophe \' backslash \\ newline \n return \r tab \t separators \u2028\u2029 snowman ☃ emoji 👩‍💻 \u{10FFFF}',
    'schlüssel ☃ \u2028 👩‍💻': 'under a key of its kind',
    lines: ',\n,\n"r":[]',
  },
  'text that databases like to refuse': { 'nul \u0000': 'nul \u0000', 'half \ud83d': 'half \udc69 pairs \ud83d' },
  'values of every kind': { no: null, yes: true, not: false, zero: 0, text: '', list: [], object: {} },
  numbers: { values: [1e308, -1e308, 5e-324, 0.1, 2 ** 53 - 1, -(2 ** 53 - 1), 1e21, 1234567890123] },
  'nested lists and objects': {
    list: [[], [[]], [{}], [null, [1, ['two', { three: [3] }]]]],
    object: { a: { b: {} } },
  },
  'depth and size': { deep: nested(200), long: 'ä'.repeat(20_000), many: Array.from({ length: 2000 }, (_, i) => i) },
  'a key within a value that merging could take for a prototype': {
    inner: JSON.parse('{"__proto__":{"admin":true},"constructor":{"prototype":1}}') as unknown,
  },
};

/** `create` and `find`: what goes in comes out, and nothing is shared. */
export function recordContract({ it }: ContractTests): void {
  it('finds a record as it was created, in every field', async ({ store }) => {
    const record = fullRecord(newUser());
    assert.deepEqual(await store.create(record, NO_LIMIT, NOW), { status: 'created', evicted: [] });
    assertSame(await liveRecord(store, record.digest), record);
  });

  it('finds a record with no optional field as it was created', async ({ store }) => {
    const record = newRecord(undefined);
    await store.create(record, NO_LIMIT, NOW);
    assertSame(await liveRecord(store, record.digest), record);
  });

  it('lists a record as it was created', async ({ store }) => {
    const record = fullRecord(newUser());
    await store.create(record, NO_LIMIT, NOW);
    const { records } = await store.list(record.userId!, { limit: 10 }, NOW);
    assert.equal(records.length, 1);
    assertSame(records[0]!, record);
  });

  for (const [title, data] of Object.entries(SAMPLE_DATA)) {
    it(`keeps session data: ${title}`, async ({ store }) => {
      const created = newRecord(newUser(), { data });
      await store.create(created, NO_LIMIT, NOW);
      assert.deepEqual((await liveRecord(store, created.digest)).data, data);

      const updated = newRecord(newUser());
      await store.create(updated, NO_LIMIT, NOW);
      const outcome = await store.update(updated.digest, data, NOW, NO_MAXIMUM);
      assert.deepEqual(outcome, { status: 'updated', data });
      assert.deepEqual((await liveRecord(store, updated.digest)).data, data);
    });
  }

  it('takes a key of new data that is undefined for a key left out', async ({ store }) => {
    const record = newRecord(newUser(), { data: { kept: 1, gone: undefined } });
    await store.create(record, NO_LIMIT, NOW);
    assert.deepEqual((await liveRecord(store, record.digest)).data, { kept: 1 });
  });

  it('finds nothing by a digest that nobody created', async ({ store }) => {
    const userId = newUser();
    const record = newRecord(userId);
    await store.create(record, NO_LIMIT, NOW);
    assert.deepEqual(await store.find(newDigest(userId), untouched(NOW)), { status: 'absent' });
    assert.deepEqual(await store.find(record.digest.toLowerCase(), untouched(NOW)), { status: 'absent' });
  });

  it('keeps nothing of the objects that go in', async ({ store }) => {
    const roles = ['reader'];
    const factors: Record<string, number> = { totp: NOW };
    const cart = { items: ['a'] };
    const record = newRecord(newUser(), { roles, factors, data: { cart } });
    await store.create(record, NO_LIMIT, NOW);
    const wishes = { items: ['b'] };
    await store.update(record.digest, { wishes }, NOW, NO_MAXIMUM);
    roles.push('admin');
    factors['passkey'] = NOW;
    cart.items.push('changed');
    record.data['added'] = true;
    wishes.items.push('changed');
    const found = await liveRecord(store, record.digest);
    assert.deepEqual(found.roles, ['reader']);
    assert.deepEqual(found.factors, { totp: NOW });
    assert.deepEqual(found.data, { cart: { items: ['a'] }, wishes: { items: ['b'] } });

    const newRoles = ['editor'];
    await store.updateByUser(record.userId!, { roles: newRoles }, NOW);
    newRoles.push('admin');
    assert.deepEqual((await liveRecord(store, record.digest)).roles, ['editor']);

    const rotatedRoles = ['author'];
    const rotatedFactors: Record<string, number> = { passkey: NOW };
    const changes = { roles: rotatedRoles, factors: rotatedFactors };
    const digest = newDigest(record.userId);
    await store.rotate(record.digest, { digest, now: NOW, grace: 0, changes });
    rotatedRoles.push('admin');
    rotatedFactors['totp'] = NOW;
    const rotated = await liveRecord(store, digest);
    assert.deepEqual([rotated.roles, rotated.factors], [['author'], { passkey: NOW }]);
  });

  it('keeps nothing of the objects that come out', async ({ store }) => {
    const given = { roles: ['reader'], factors: { totp: NOW }, data: { cart: { items: ['a'] } } };
    const record = newRecord(newUser(), given);
    await store.create(record, NO_LIMIT, NOW);
    const spoil = ({ roles, factors, data }: Partial<SessionRecord> & { data: SessionData }): void => {
      (roles as string[] | undefined)?.push('admin');
      if (factors !== undefined) (factors as Record<string, number>)['passkey'] = NOW;
      (data['cart'] as { items: string[] }).items.push('changed');
      data['added'] = true;
    };
    spoil(await liveRecord(store, record.digest));
    spoil((await store.list(record.userId!, { limit: 1 }, NOW)).records[0]!);
    const updated = await store.update(record.digest, {}, NOW, NO_MAXIMUM);
    assert.equal(updated.status, 'updated');
    spoil(updated);
    const digest = newDigest(record.userId);
    const rotated = await store.rotate(record.digest, { digest, now: NOW, grace: 0, changes: {} });
    assert.equal(rotated.status, 'rotated');
    spoil(rotated.record);
    assertSame(await liveRecord(store, digest), { ...record, digest });
  });
}

function nested(depth: number): unknown {
  let value: unknown = 'bottom';
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { in: value };
  return value;
}
