import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { SessionRecord } from '../../session/session-record.js';
import type { Row } from './postgres-statement.js';
import {
  decodeData,
  decodeJsonRow,
  decodeRow,
  encodeData,
  encodePatch,
  encodeRow,
  parseJsonRow,
  stateOf,
} from './session-row.js';

const RECORD: SessionRecord = {
  digest: 'd'.repeat(45),
  id: 'h'.repeat(20),
  userId: 'älice\0\u001a',
  email: 'alice@example.com',
  roles: ['admin', '\0', '"'],
  createdAt: 1,
  authenticatedAt: 2,
  authentication: 'password',
  factors: { totp: 7 },
  upstream: 'u\0',
  rotatedAt: 3,
  lastActivityAt: 4,
  expiresAt: 5,
  absoluteExpiresAt: 6,
  ip: '::1',
  userAgent: 'Agent \ud800',
  fingerprint: 'f',
  data: { cart: { items: [1, 'two', null] }, '\0': '\0' },
};

const stored = (record: SessionRecord): Row =>
  encodeRow(record).map((value) => (value === null ? null : String(value)));

const JSON_COLUMNS = [4, 15, 16];

/** As the server sends it: JSON columns as they are, numbers as numbers. */
const asJson = (record: SessionRecord): string => {
  const row = encodeRow(record);
  const texts = row.map((value, index) => (JSON_COLUMNS.includes(index) ? String(value) : JSON.stringify(value)));
  return `[${texts.join(', ')}]`;
};

const decodeJson = (text: string): SessionRecord => decodeJsonRow(parseJsonRow(text));

describe('the row of a session', () => {
  it('becomes the record it was made of', () => {
    expect(decodeRow(stored(RECORD))).toEqual(RECORD);
    expect(decodeJson(asJson(RECORD))).toEqual(RECORD);
    const anonymous = { ...RECORD, data: {}, roles: [] } as {
      -readonly [key in keyof SessionRecord]: SessionRecord[key];
    };
    for (const key of [
      'userId',
      'email',
      'authenticatedAt',
      'authentication',
      'factors',
      'upstream',
      'ip',
      'userAgent',
      'fingerprint',
    ] as const)
      delete anonymous[key];
    expect(decodeRow(stored(anonymous))).toEqual(anonymous);
    expect(decodeJson(asJson(anonymous))).toEqual(anonymous);
  });

  it('is corrupt when data is no object, or roles are no list of texts', () => {
    const corrupt = expect.objectContaining({ code: 'corrupt_session_record' });
    for (const data of ['[]', '5', 'null', '"text"']) expect(() => decodeData(data)).toThrow(corrupt);
    for (const roles of ['{}', 'null', '[1]']) {
      const row = [...stored(RECORD)];
      row[4] = roles;
      expect(() => decodeRow(row)).toThrow(corrupt);
      expect(() => decodeJson(`[${'null, '.repeat(4)}${roles}${', null'.repeat(10)}, {}]`)).toThrow(corrupt);
    }
    for (const data of ['[]', '5', 'null', '"text"']) {
      expect(() => decodeJson(`[${'null, '.repeat(4)}[]${', null'.repeat(10)}, ${data}]`)).toThrow(corrupt);
    }
  });

  it('is corrupt when factors are no times by name', () => {
    const corrupt = expect.objectContaining({ code: 'corrupt_session_record' });
    for (const factors of ['[]', '5', '"text"', 'true', '{"totp":"1"}', '{"totp":null}']) {
      const row = [...stored(RECORD)];
      row[16] = factors;
      expect(() => decodeRow(row)).toThrow(corrupt);
      expect(() => decodeJson(`[${'null, '.repeat(4)}[]${', null'.repeat(10)}, {}, ${factors}]`)).toThrow(corrupt);
    }
  });

  it('is current until its activity is due to be written down, or it expires', () => {
    const row = parseJsonRow(asJson({ ...RECORD, lastActivityAt: 1000, expiresAt: 2000 }));
    expect(stateOf(row, { now: 1499, interval: 500 })).toBe('current');
    expect(stateOf(row, { now: 1500, interval: 500 })).toBe('due');
    expect(stateOf(row, { now: 1000, interval: 0 })).toBe('due');
    expect(stateOf(row, { now: 1999, interval: 5000 })).toBe('current');
    expect(stateOf(row, { now: 2000, interval: 5000 })).toBe('expired');
  });

  it('holds any data to the letter, a line a key', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true }), (data) => {
        const text = encodeData(data);
        expect(text).not.toContain('\0');
        expect(JSON.stringify(decodeData(text))).toBe(JSON.stringify(data));
        expect(text.split('\n')).toHaveLength(Object.keys(data).length === 0 ? 1 : Object.keys(data).length + 2);
      }),
    );
  });

  it('has lines that begin for one key only', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.jsonValue(), (key, other, value) => {
        const { starts } = encodePatch({ [key]: undefined });
        const { lines } = encodePatch(Object.fromEntries([[other, value]]));
        expect(lines[0]!.startsWith(starts[0]!)).toBe(key === other);
      }),
    );
  });
});
