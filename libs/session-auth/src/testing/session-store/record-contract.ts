import assert from 'node:assert/strict';
import type { SessionData, SessionRecord } from '../../session/session-record.js';
import type { ContractTests } from './contract-tests.js';
import {
  fullRecord,
  newDigest,
  newRecord,
  newToken,
  newUser,
  NO_LIMIT,
  NO_MAXIMUM,
  NOW,
  untouched,
} from './sample-records.js';
import { assertSame, CREATED, liveRecord } from './store-queries.js';
import { rotate } from './token-steps.js';

/** Session data that must come back unchanged, by what it shows. */
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
  'similar keys': {
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
  'keys that every object inherits': { constructor: 1, toString: 'text', hasOwnProperty: null, length: 3, then: false },
  'keys that look like numbers': { 10: 'ten', 9: 'nine', '01': 'not one', '-1': 'minus', '1.5': 'one and a half' },
  'text that is easily mangled': {
    text: 'quote " apostrophe \' backslash \\ newline \n return \r tab \t separators \u2028\u2029 snowman ☃ emoji 👩‍💻 \u{10FFFF}',
    'schlüssel ☃ \u2028 👩‍💻': 'under a matching key',
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
  'an inner key that merging could mistake for a prototype': {
    inner: JSON.parse('{"__proto__":{"admin":true},"constructor":{"prototype":1}}') as unknown,
  },
};

/** `create` and `find`: records come back unchanged, and no object is shared. */
export function recordContract({ it }: ContractTests): void {
  it('finds a record unchanged, in every field', async ({ store }) => {
    const record = fullRecord(newUser());
    assert.deepEqual(await store.create(record, NO_LIMIT, NOW), CREATED);
    assertSame(await liveRecord(store, record.digest), record);
  });

  it('keeps the maximum of other tokens in a record', async ({ store }) => {
    const kinds = ['successor', 'superseded', 'retired', 'renewable'] as const;
    const tokens = Array.from({ length: 12 }, (_, i) => newToken(kinds[i % 4]!, NOW + i));
    const record = newRecord(newUser(), { tokens });
    await store.create(record, NO_LIMIT, NOW);
    assertSame(await liveRecord(store, record.digest), record);
  });

  it('finds a record without optional fields unchanged', async ({ store }) => {
    const record = newRecord(undefined);
    await store.create(record, NO_LIMIT, NOW);
    assertSame(await liveRecord(store, record.digest), record);
  });

  it('lists a record unchanged', async ({ store }) => {
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

  it('treats an undefined key of new data like a missing one', async ({ store }) => {
    const record = newRecord(newUser(), { data: { kept: 1, gone: undefined } });
    await store.create(record, NO_LIMIT, NOW);
    assert.deepEqual((await liveRecord(store, record.digest)).data, { kept: 1 });
  });

  it('finds nothing with an unknown digest', async ({ store }) => {
    const userId = newUser();
    const record = newRecord(userId);
    await store.create(record, NO_LIMIT, NOW);
    assert.deepEqual(await store.find(newDigest(userId), untouched(NOW)), { status: 'absent' });
    assert.deepEqual(await store.find(record.digest.toLowerCase(), untouched(NOW)), { status: 'absent' });
  });

  it('shares no object with its arguments', async ({ store }) => {
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

    const expected = { roles: ['author'], factors: { passkey: NOW }, formerRoles: [['reader']] };
    const tokens = [newToken('successor', NOW)];
    const passkey: Record<string, number> = { passkey: NOW };
    const changes = { roles: ['author'], factors: passkey, formerRoles: [['reader']], tokens: [...tokens] };
    await rotate(store, await liveRecord(store, record.digest), changes);
    changes.roles.push('admin');
    passkey['totp'] = NOW;
    changes.tokens[0] = newToken('retired', NOW);
    changes.formerRoles[0]!.push('admin');
    assertSame(await liveRecord(store, record.digest), { ...found, ...expected, tokens, rotatedAt: 0, revision: 2 });
  });

  it('shares no object with its results', async ({ store }) => {
    const tokens = [newToken('successor', NOW)];
    const given = () => ({
      roles: ['reader'],
      factors: { totp: NOW },
      tokens,
      formerRoles: [['author']],
      data: { cart: { items: ['a'] } },
    });
    const record = newRecord(newUser(), given());
    await store.create(record, NO_LIMIT, NOW);
    const spoil = ({ roles, factors, tokens, formerRoles, data }: Partial<SessionRecord>): void => {
      (roles as string[] | undefined)?.push('admin');
      if (factors !== undefined) (factors as Record<string, number>)['passkey'] = NOW;
      if (tokens !== undefined) Object.assign(tokens[0]!, { kind: 'superseded', at: Infinity });
      (formerRoles?.[0] as string[] | undefined)?.push('admin');
      (data!['cart'] as { items: string[] }).items.push('changed');
      data!['added'] = true;
    };
    spoil(await liveRecord(store, record.digest));
    spoil((await store.list(record.userId!, { limit: 1 }, NOW)).records[0]!);
    const updated = await store.update(record.digest, {}, NOW, NO_MAXIMUM);
    assert.equal(updated.status, 'updated');
    spoil(updated);
    const late = await store.rotate(record.digest, { revision: 7, now: NOW, changes: {} });
    assert.equal(late.status, 'changed');
    spoil(late.record);
    spoil(await rotate(store, record, {}));
    assertSame(await liveRecord(store, record.digest), { ...record, ...given(), revision: 1 });
  });
}

function nested(depth: number): unknown {
  let value: unknown = 'bottom';
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { in: value };
  return value;
}
