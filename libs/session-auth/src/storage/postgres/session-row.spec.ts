import { describe, expect, it } from '@jest/globals';
import type { SessionRecord } from '../../session/session-record.js';
import {
  CHANGED_COLUMNS,
  decodeRow,
  encodeChanges,
  encodeRow,
  expiryOf,
  parameter,
  parseRow,
  placeOf,
  SESSION_COLUMNS,
  type SessionColumn,
  type StoredSession,
} from './session-row.js';

const RECORD: SessionRecord = {
  digest: 'd'.repeat(65),
  id: 'h'.repeat(20),
  userId: 'älice\0\u001a',
  email: 'alice@example.com',
  roles: ['admin', '\0', '"'],
  createdAt: 1,
  authenticatedAt: 2,
  authentication: 'password',
  rotatedAt: 3,
  lastActivityAt: 4,
  expiresAt: 5,
  absoluteExpiresAt: 6,
  ip: '::1',
  userAgent: 'Agent \ud800',
  fingerprint: 'f',
  data: { cart: { items: [1, 'two', null] }, '\0': '\0' },
  factors: { totp: 7 },
  upstream: 'u\0',
  tokens: [
    { hash: 'a', kind: 'successor', at: 8, rolesSince: 1, grace: 9 },
    { hash: 'b', kind: 'superseded', at: 10 },
  ],
  formerRoles: [[], ['user', '\0']],
  rolesSince: 1,
  revision: 11,
  device: 'phone',
};

const NEEDED = ['digest', 'id', 'roles', 'createdAt', 'rotatedAt', 'lastActivityAt', 'expiresAt', 'absoluteExpiresAt'];

/** The row as the server sends it: JSON columns unchanged, numbers as numbers. */
function asJson(record: SessionRecord): string {
  const texts = encodeRow(record).map((value, index) =>
    parameter(1, SESSION_COLUMNS[index]!).endsWith('json') ? String(value) : JSON.stringify(value),
  );
  return `[${texts.join(', ')}]`;
}

function withColumn(column: SessionColumn, json: string): StoredSession {
  const row: unknown[] = [...parseRow(asJson(RECORD))];
  row[SESSION_COLUMNS.indexOf(column)] = JSON.parse(json);
  return row as unknown as StoredSession;
}

describe('the row of a session', () => {
  it('becomes the record it was made of', () => {
    expect(decodeRow(parseRow(asJson(RECORD)))).toEqual(RECORD);
    const needed = Object.fromEntries(Object.entries(RECORD).filter(([key]) => NEEDED.includes(key)));
    const plain = { ...(needed as Omit<SessionRecord, 'data'>), data: {} };
    expect(decodeRow(parseRow(asJson(plain)))).toEqual(plain);
  });

  it('takes the changes of a rotation by the same columns', () => {
    const { id, userId, revision, data, ...changes } = RECORD;
    const row = encodeRow({ id, userId, revision, data, ...changes });
    const values = CHANGED_COLUMNS.map((column) => row[SESSION_COLUMNS.indexOf(column)]);
    expect(encodeChanges(changes)).toEqual(values);
    expect(encodeChanges({})).toEqual(values.map(() => null));
  });

  it.each<[SessionColumn, string[]]>([
    ['data', ['[]', '5', 'null', '"text"']],
    ['roles', ['{}', 'null', '[1]']],
    ['former_roles', ['{}', '["user"]', '[[1]]', '[null]']],
    ['factors', ['[]', '5', '"text"', 'true', '{"totp":"1"}', '{"totp":null}']],
    ['tokens', ['{}', '[null]', '[{}]', '[{"hash":1,"kind":"retired","at":1}]', '[{"hash":"a","kind":"no","at":1}]']],
    ['tokens', ['[{"hash":"a","kind":"retired"}]', '[{"hash":"a","kind":"retired","at":1,"grace":"1"}]']],
  ])('is corrupt with %s of the wrong form, and still has an expiry and a place', (column, values) => {
    const corrupt = expect.objectContaining({ code: 'corrupt_session_record' });
    for (const value of values) {
      const row = withColumn(column, value);
      expect(() => decodeRow(row)).toThrow(corrupt);
      expect(expiryOf(row)).toBe(RECORD.expiresAt);
      expect(placeOf(row)).toEqual({ createdAt: RECORD.createdAt, id: RECORD.id });
    }
  });
});
