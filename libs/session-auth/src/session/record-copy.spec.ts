import { describe, expect, it } from '@jest/globals';
import { copyRecord } from './record-copy.js';
import type { SessionRecord } from './session-record.js';

const RECORD: SessionRecord = {
  digest: 'AAhandle',
  id: 'handle',
  revision: 1,
  tokens: [{ hash: 'hash', kind: 'successor', at: 2 }],
  userId: 'alice',
  email: 'alice@example.com',
  roles: ['teller'],
  formerRoles: [['guest']],
  rolesSince: 1,
  createdAt: 1,
  authenticatedAt: 1,
  authentication: 'password',
  factors: { totp: 1 },
  upstream: 'upstream',
  device: 'device',
  rotatedAt: 1,
  lastActivityAt: 1,
  expiresAt: 2,
  absoluteExpiresAt: 3,
  ip: '192.0.2.1',
  userAgent: 'a browser',
  fingerprint: 'fingerprint',
  data: JSON.parse(
    '{"cart":[{"item":1,"tags":["a",null]}],"deep":{"__proto__":{"admin":true}}}',
  ) as SessionRecord['data'],
};

/** Every object and list in a value. */
function objectsIn(value: unknown): object[] {
  return typeof value !== 'object' || value === null ? [] : [value, ...Object.values(value).flatMap(objectsIn)];
}

describe('the copy of a record', () => {
  it('equals it in every field', () => {
    expect(JSON.stringify(copyRecord(RECORD))).toBe(JSON.stringify(RECORD));
  });

  it('shares no object with it', () => {
    const originals = new Set(objectsIn(RECORD));
    const copies = objectsIn(copyRecord(RECORD));
    expect(copies).toHaveLength(originals.size);
    expect(copies.filter((each) => originals.has(each))).toEqual([]);
  });

  it('has a key __proto__ in data as a key, and the prototype of every other object', () => {
    const { deep } = copyRecord(RECORD).data as { deep: object };
    expect([Object.keys(deep), Object.getPrototypeOf(deep)]).toEqual([['__proto__'], Object.prototype]);
    expect('admin' in deep).toBe(false);
  });
});
