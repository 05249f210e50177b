import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { anyCharacter } from '../../../test/any-character.js';
import { addressOf, handleOf, hashOf } from '../../crypto/session-token.js';
import { SessionAuthError } from '../../errors/session-auth.error.js';
import { LATEST_RECORD_VERSION, RECORD_VERSION } from '../../session/record-version.js';
import type { SessionData, SessionRecord } from '../../session/session-record.js';
import { withReplaced, withRoles, withSuccessor, type OtherToken } from '../../session/session-tokens.js';
import { decodeRecord, encodeData, encodeRecord, HEADER_LENGTH, LINE_END } from './redis-session-codec.js';

/** Any UTF-16 text, including lone surrogates. */
const text = fc.oneof(
  fc.string({ unit: anyCharacter }),
  fc.string({ unit: fc.nat(0xffff).map((c) => String.fromCharCode(c)) }),
);
const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const data: fc.Arbitrary<SessionData> = fc.dictionary(text, json, { noNullPrototype: true });
const time = fc.nat(8_640_000_000_000_000).map((value) => value % 10_000_000_000_000);
const base64url = (length: number): fc.Arbitrary<string> =>
  fc.string({
    unit: fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'),
    minLength: length,
    maxLength: length,
  });

const token: fc.Arbitrary<OtherToken> = fc.record(
  {
    hash: base64url(43),
    kind: fc.constantFrom('successor', 'superseded', 'retired', 'renewable'),
    at: time,
    rolesSince: fc.nat(9),
    grace: fc.nat(100_000),
  },
  { requiredKeys: ['hash', 'kind', 'at'] },
);

const anyRecord: fc.Arbitrary<SessionRecord> = fc
  .record(
    {
      digest: base64url(65),
      revision: fc.integer({ min: 1, max: 1000 }),
      tokens: fc.array(token, { minLength: 1 }),
      userId: text,
      email: text,
      roles: fc.array(text),
      formerRoles: fc.array(fc.array(text), { minLength: 1 }),
      rolesSince: fc.integer({ min: 1, max: 9 }),
      createdAt: time,
      authenticatedAt: time,
      authentication: fc.constantFrom('password' as const, 'remember-me' as const, 'custom' as const),
      factors: fc.dictionary(text, time, { noNullPrototype: true }),
      upstream: text,
      device: base64url(11),
      rotatedAt: time,
      lastActivityAt: time,
      expiresAt: time,
      absoluteExpiresAt: time,
      ip: text,
      userAgent: text,
      fingerprint: text,
      data,
    },
    {
      requiredKeys: [
        'digest',
        'roles',
        'createdAt',
        'rotatedAt',
        'lastActivityAt',
        'expiresAt',
        'absoluteExpiresAt',
        'data',
      ],
    },
  )
  .map((each) => ({ ...each, id: handleOf(each.digest) }));

/** Any number, and many as after a login: all with one time. */
const record = fc.tuple(anyRecord, fc.boolean(), fc.boolean()).map(([each, isOfLogin, isFirstToken]): SessionRecord => {
  const { createdAt } = each;
  return { ...each, ...(isOfLogin && { authenticatedAt: createdAt }), ...(isFirstToken && { rotatedAt: createdAt }) };
});

describe('the stored value of a session', () => {
  it('is decoded to the record that it was encoded from', () => {
    fc.assert(
      fc.property(record, (given) => {
        expect(decodeRecord(given.digest, encodeRecord(given))).toEqual(given);
      }),
      { numRuns: 500 },
    );
  });

  it('survives the way to Redis and back, which is UTF-8', () => {
    fc.assert(
      fc.property(record, (given) => {
        const value = Buffer.from(encodeRecord(given), 'utf8').toString('utf8');
        expect(decodeRecord(given.digest, value)).toEqual(given);
      }),
      { numRuns: 500 },
    );
  });

  it('has no line for what a login by password leaves the same, and tells it from what there is not', () => {
    const login = { ...fc.sample(anyRecord, 1)[0]!, userId: 'alice', createdAt: 5, authenticatedAt: 5, rotatedAt: 5 };
    const byPassword = encodeRecord({ ...login, authentication: 'password' });
    for (const beginning of ['"a":', '"m":', '"t":']) expect(byPassword).not.toContain(LINE_END + beginning);
    for (const changed of [
      { authenticatedAt: undefined },
      { authentication: undefined },
      { authenticatedAt: 4, rotatedAt: 6, authentication: 'remember-me' as const },
      { userId: undefined, authenticatedAt: undefined, authentication: undefined },
      { userId: undefined, authenticatedAt: 5, authentication: 'password' as const },
    ]) {
      const other = { ...login, ...changed };
      expect(decodeRecord(other.digest, encodeRecord(other))).toEqual(other);
    }
  });

  it('is decoded to the record of the present token by a digest of any token, or of none', () => {
    const [given] = fc.sample(anyRecord, 1);
    const value = encodeRecord(given!);
    const [tag, handle] = [given!.digest.slice(0, 2), handleOf(given!.digest)];
    for (const hash of ['x'.repeat(43), hashOf(addressOf('alice', handle))]) {
      expect(decodeRecord(tag + handle + hash, value)).toEqual(given);
    }
  });

  it('holds no handle, which is in the key, and the hash of the present token once', () => {
    fc.assert(
      fc.property(record, (given) => {
        const value = encodeRecord(given);
        expect(value).not.toContain(handleOf(given.digest));
        expect(value.split(hashOf(given.digest))).toHaveLength(2);
      }),
    );
  });

  it('of a login has no line for tokens, revision and former roles, nor for such that are empty', () => {
    const login = { ...fc.sample(anyRecord, 1)[0]!, revision: undefined, tokens: undefined, formerRoles: undefined };
    const value = encodeRecord({ ...login, rolesSince: undefined, data: {} });
    for (const name of 'vkhn') expect(value).not.toContain(`${LINE_END}"${name}":`);
    expect(encodeRecord({ ...login, revision: 0, tokens: [], formerRoles: [], rolesSince: 0, data: {} })).toBe(value);
  });

  it('keeps what the changes of tokens and roles make of a record', () => {
    const [given] = fc.sample(anyRecord, 1);
    const before = { ...given!, tokens: undefined, formerRoles: undefined, rolesSince: undefined };
    const other = { ...before, ...withRoles(before, ['a role', ...before.roles]) };
    const handedOver = { ...other, ...withSuccessor(other, 'x'.repeat(65), 5, 7) };
    const decoded = decodeRecord(handedOver.digest, encodeRecord(handedOver));
    expect(decoded).toEqual({ ...handedOver, rolesSince: undefined });
    const next = { now: 8, grace: 9, kind: 'renewable' } as const;
    const changes = withReplaced(decoded, `${decoded.digest.slice(0, 22)}${'y'.repeat(43)}`, next);
    const replaced = { ...decoded, ...changes };
    expect(replaced.tokens).toHaveLength(2);
    // former roles are dropped with the last token that had them
    const expected = { ...replaced, formerRoles: undefined, rolesSince: undefined };
    expect(decodeRecord(replaced.digest, encodeRecord(replaced))).toEqual(expected);
  });

  it('has one line for each other field and each key of data, whatever is in them', () => {
    fc.assert(
      fc.property(record, (given) => {
        const lines = encodeRecord(given).slice(HEADER_LENGTH).split(LINE_END);
        const names = lines.filter((line) => !line.startsWith('".')).map((line) => line[1]);
        expect(new Set(names).size).toBe(names.length);
        expect(lines).toHaveLength(names.length + Object.keys(given.data).length);
        for (const [name, field] of Object.entries({
          e: 'email',
          i: 'ip',
          g: 'userAgent',
          x: 'factors',
          d: 'device',
          k: 'tokens',
        } as const)) {
          expect(names.includes(name)).toBe(given[field] !== undefined);
        }
        expect(lines.filter((line) => line.startsWith('".'))).toEqual(
          encodeData(given.data).map(([beginning, value]) => beginning + value),
        );
        for (const line of lines) expect(() => JSON.parse(`{${line}}`) as unknown).not.toThrow();
      }),
    );
  });

  it('leaves out data that is undefined', () => {
    const [given] = fc.sample(record, 1);
    const value = encodeRecord({ ...given!, data: { a: undefined, b: 1, c: undefined } });
    expect(decodeRecord(given!.digest, value).data).toEqual({ b: 1 });
  });

  it('keeps the key __proto__ a key', () => {
    const [given] = fc.sample(record, 1);
    const hostile = JSON.parse('{"__proto__":{"admin":true},"b":1}') as SessionData;
    const decoded = decodeRecord(given!.digest, encodeRecord({ ...given!, data: hostile })).data;
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
    expect(Object.entries(decoded)).toEqual([
      ['__proto__', { admin: true }],
      ['b', 1],
    ]);
    expect(decoded['admin']).toBeUndefined();
  });
});

describe('a value of another version', () => {
  const digest = `Ab${'h'.repeat(20)}${'t'.repeat(43)}`;
  /** Written by nodes of version 1. */
  const OF_VERSION_1 = [
    `170000000000017000036000001700086400000${'t'.repeat(43)}${'u'.repeat(22)}"u":"alice"`,
    '"r":["admin"]',
    '"i":"192.0.2.1"',
    '"d":"QmF0bW9iaWx"',
    `"k":[["s","${'n'.repeat(43)}",1700000000000]]`,
    '"c":1700000000000',
    '".cart":{"items":[1]}',
  ].join(LINE_END);

  it('is decoded as ever where it is of version 1, which has no line of it', () => {
    expect(decodeRecord(digest, OF_VERSION_1)).toEqual({
      digest,
      id: 'h'.repeat(20),
      userId: 'alice',
      roles: ['admin'],
      createdAt: 1_700_000_000_000,
      authenticatedAt: 1_700_000_000_000,
      authentication: 'password',
      rotatedAt: 1_700_000_000_000,
      lastActivityAt: 1_700_000_000_000,
      expiresAt: 1_700_003_600_000,
      absoluteExpiresAt: 1_700_086_400_000,
      ip: '192.0.2.1',
      device: 'QmF0bW9iaWx',
      tokens: [{ kind: 'successor', hash: 'n'.repeat(43), at: 1_700_000_000_000 }],
      data: { cart: { items: [1] } },
    });
  });

  it('is decoded where it is of the next one, whatever lines that has', () => {
    const next = `${OF_VERSION_1}${LINE_END}"z":${RECORD_VERSION + 1}${LINE_END}"Z":{"of":"the next"}`;
    expect(decodeRecord(digest, next)).toEqual(decodeRecord(digest, OF_VERSION_1));
  });

  it('is neither absent nor corrupt where it is of a later one: who ends it is told whose it was', () => {
    const later = `${OF_VERSION_1}${LINE_END}"z":${RECORD_VERSION + 2}`;
    expect(() => decodeRecord(digest, later)).toThrow(`a stored record is of version ${RECORD_VERSION + 2}`);
    expect(() => decodeRecord(digest, later)).not.toThrow(SessionAuthError);
    expect(decodeRecord(digest, later, Infinity)).toMatchObject({ id: 'h'.repeat(20), userId: 'alice' });
  });

  it('is never written here: a new value has the version of this node', () => {
    expect(encodeRecord(decodeRecord(digest, OF_VERSION_1))).toContain(`${LINE_END}"z":${RECORD_VERSION}${LINE_END}`);
  });
});

describe('a value that was not encoded here', () => {
  /** Returns the decoded record, or undefined for the one expected error; any other error fails the test. */
  function decodeOrRefuse(value: string): SessionRecord | undefined {
    try {
      return decodeRecord('x'.repeat(65), value, Infinity);
    } catch (error) {
      expect(error).toBeInstanceOf(SessionAuthError);
      expect((error as SessionAuthError).code).toBe('corrupt_session_record');
      return undefined;
    }
  }

  it('is refused as corrupt when it is any text', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(decodeOrRefuse(value)).toBeUndefined();
      }),
      { numRuns: 1000 },
    );
  });

  it('is refused as corrupt, or is a record in its types, when the header is whole and any members follow', () => {
    const header = fc.sample(record, 1).map((given) => encodeRecord(given).slice(0, HEADER_LENGTH))[0]!;
    const member = fc.tuple(fc.constantFrom(...'uercamxstigfdvkhnz', '.x', '__proto__'), json);
    const members = fc.array(member).map((list) => JSON.stringify(Object.fromEntries(list)).slice(1, -1));
    fc.assert(
      fc.property(fc.oneof(text, members), (body) => {
        const decoded = decodeOrRefuse(header + body);
        if (decoded === undefined) return;
        expect(decoded.roles.every((role) => typeof role === 'string')).toBe(true);
        expect([typeof decoded.createdAt, typeof decoded.rotatedAt]).toEqual(['number', 'number']);
        expect(Object.values(decoded.factors ?? {}).every((at) => typeof at === 'number')).toBe(true);
        for (const { hash, kind, at, rolesSince, grace } of decoded.tokens ?? []) {
          expect([typeof hash, typeof kind, typeof at]).toEqual(['string', 'string', 'number']);
          for (const each of [rolesSince, grace]) expect(['number', 'undefined']).toContain(typeof each);
        }
        for (const roles of decoded.formerRoles ?? [])
          expect(roles.every((role) => typeof role === 'string')).toBe(true);
        for (const each of [decoded.revision, decoded.rolesSince])
          expect(['number', 'undefined']).toContain(typeof each);
        for (const field of ['userId', 'email', 'upstream', 'device', 'ip', 'userAgent', 'fingerprint'] as const) {
          expect(['string', 'undefined']).toContain(typeof decoded[field]);
        }
      }),
      { numRuns: 1000 },
    );
  });

  describe('whose members are a login’s, and one more or other', () => {
    const header = encodeRecord({ ...fc.sample(anyRecord, 1)[0]!, userId: 'alice' }).slice(0, HEADER_LENGTH);
    const decodeWith = (changes: Record<string, unknown>): SessionRecord | undefined =>
      decodeOrRefuse(header + JSON.stringify({ u: 'alice', r: ['admin'], c: 5, ...changes }).slice(1, -1));

    it.each<[field: string, good: readonly unknown[], bad: readonly unknown[]]>([
      ['u', ['alice'], [undefined, null, 1, ['alice']]],
      ['r', [[], ['a', 'b']], [undefined, null, 'admin', ['a', 1], { 0: 'a' }]],
      ['c', [0, 5], [undefined, null, '5', [5]]],
      ['t', [undefined, 0], [null, '0', [0]]],
      ['v', [undefined, 1], [null, '1', {}]],
      ['n', [undefined, 1], [null, '1', {}]],
      ['z', [undefined, 1, RECORD_VERSION, LATEST_RECORD_VERSION], [null, '1', {}]],
      ['a', [undefined, null, 5], ['5', [5]]],
      ['m', [undefined, null, 'custom'], [1, ['custom']]],
      ...[...'esigfd'].map((field): [string, unknown[], unknown[]] => [field, [undefined, 'x'], [null, 1, ['x']]]),
      ['x', [undefined, {}, { totp: 5 }], [null, [], { totp: '5' }]],
      ['k', [undefined, [], [['s', 'hash', 5]]], [null, {}, [['?', 'hash', 5]], [['s', 'hash']]]],
      ['h', [undefined, [], [['a'], []]], [null, ['a'], [['a', 1]]]],
      ['q', [undefined, null, 5, 'of a later version'], []],
    ])('is decoded or refused as corrupt by the type of %s', (field, good, bad) => {
      for (const value of good) expect(decodeWith({ [field]: value })).toBeDefined();
      for (const value of bad) expect(decodeWith({ [field]: value })).toBeUndefined();
    });
  });

  it('is refused as corrupt when it is cut before the last field that every record has', () => {
    const given = { ...fc.sample(record, 1)[0]!, data: { last: 'text' } };
    const value = encodeRecord(given);
    const enough = value.lastIndexOf(`${LINE_END}"c":`) + `${LINE_END}"c":`.length;
    for (let length = 0; length < value.length; length++) {
      const decoded = decodeOrRefuse(value.slice(0, length));
      if (length <= enough) expect(decoded).toBeUndefined();
    }
  });

  it('is refused as corrupt when header and members disagree on whether there is a user', () => {
    const given = { ...fc.sample(record, 1)[0]!, userId: 'alice' };
    const [named, anonymous] = [encodeRecord(given), encodeRecord({ ...given, userId: undefined })];
    expect(decodeOrRefuse(named.slice(0, HEADER_LENGTH) + anonymous.slice(HEADER_LENGTH))).toBeUndefined();
    expect(decodeOrRefuse(anonymous.slice(0, HEADER_LENGTH) + named.slice(HEADER_LENGTH))).toBeUndefined();
  });
});
