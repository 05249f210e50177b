import { digestWith, handleOf, HASH_LENGTH, hashOf } from '../../crypto/session-token.js';
import { corruptRecord } from '../../session/corrupt-record.js';
import { LATEST_RECORD_VERSION, laterRecord, RECORD_VERSION } from '../../session/record-version.js';
import { areFactorTimes, type FactorTimes } from '../../session/session-factors.js';
import type { SessionData, SessionRecord } from '../../session/session-record.js';
import { hasSoundTimes } from '../../session/session.js';
import type { OtherToken } from '../../session/session-tokens.js';
import type { SessionAuthentication } from '../../users/session-authentication.js';
import { USER_KEY_LENGTH, userKeyOf } from './redis-keys.js';
import { areStoredTokens, decodeToken, encodeToken, type StoredToken } from './redis-session-tokens.js';

/*
 * A session's value in Redis is one string: a header of fixed width, then lines of JSON members.
 *
 *   lastActivityAt expiresAt absoluteExpiresAt hash of the present token user key
 *   13 digits      13 digits 13 digits         43 characters             22        (no blanks between)
 *   "u":"alice",
 *   "r":["admin"],
 *   "d":"QmF0bW9iaWxl",
 *   "z":2,
 *   "c":1700000000000,
 *   ".cart":{"items":[…]}
 *
 * The hash is the end of the present token's digest; its beginning, tag and handle, is in the key.
 * Fields have names of one letter, data keys start with a dot. A touch overwrites the first 26 characters in place,
 * and replaces the lines of address and user agent if they have changed.
 * Scripts merge fields and data by replacing whole lines, and never decode JSON: JSON text has no raw line break
 * inside, and the beginning of a line up to the colon is unique. A read puts the lines in braces and decodes one JSON
 * object.
 *
 * Values that a login by password sets have no line: rotatedAt when it equals createdAt and, for a session of a user,
 * authenticatedAt when it equals createdAt and authentication when it is `password`. Nor have revision and rolesSince
 * when they are 0, and tokens and formerRoles when they are empty.
 *
 * `z` is the version of the record, see record-version.ts; a value without that line is of version 1. The header and
 * the line of the version are the same in all versions: another header would need keys with another letter. Unknown
 * lines belong to a later version, and are kept. `y` is the generation of the record, a number that the script adds,
 * see redis-generations.ts.
 */

/** The length of the header in characters. */
export const HEADER_LENGTH = 104;

/** The user key in the header of an anonymous session. */
const NO_USER_KEY = '.'.repeat(USER_KEY_LENGTH);

/** The separator of lines. */
export const LINE_END = ',\n';

const FIELDS = {
  userId: 'u',
  email: 'e',
  roles: 'r',
  authenticatedAt: 'a',
  authentication: 'm',
  factors: 'x',
  upstream: 's',
  rotatedAt: 't',
  ip: 'i',
  userAgent: 'g',
  fingerprint: 'f',
  device: 'd',
  revision: 'v',
  tokens: 'k',
  formerRoles: 'h',
  rolesSince: 'n',
  version: 'z',
  // every record has it, and it comes last, so a truncated value cannot look complete
  createdAt: 'c',
} as const;

type Field = keyof typeof FIELDS;

const FIELD_ENTRIES = Object.entries(FIELDS) as [Field, (typeof FIELDS)[Field]][];

/** Returns the stored value of a record. */
export function encodeRecord(record: SessionRecord): string {
  const header =
    encodeTime(record.lastActivityAt) +
    encodeTime(record.expiresAt) +
    encodeTime(record.absoluteExpiresAt) +
    hashOf(record.digest) +
    (record.userId === undefined ? NO_USER_KEY : userKeyOf(record.userId));
  const lines = [
    ...encodeFields({ ...withoutTheUsual(record), version: RECORD_VERSION }),
    ...encodeData(record.data),
  ].filter(([, json]) => json !== '');
  return header + lines.map(([prefix, json]) => prefix + json).join(LINE_END);
}

type Fields = Partial<Record<Field, unknown>>;

function withoutTheUsual(record: SessionRecord): Fields {
  const { userId, createdAt, authenticatedAt = null, authentication = null, rotatedAt } = record;
  const ofUser = {
    authenticatedAt: authenticatedAt === createdAt ? undefined : authenticatedAt,
    authentication: authentication === 'password' ? undefined : authentication,
  };
  return { ...record, rotatedAt: rotatedAt === createdAt ? undefined : rotatedAt, ...(userId !== undefined && ofUser) };
}

/** Returns a time in the form of the header. */
export function encodeTime(time: number): string {
  return String(time).padStart(13, '0');
}

/**
 * Returns the lines of fields as pairs of beginning and JSON. Undefined fields have no pair. For a field to remove the
 * JSON is empty.
 */
export function encodeFields(fields: Fields): [string, string][] {
  const lines: [string, string][] = [];
  for (const [field, name] of FIELD_ENTRIES) {
    const value = fields[field];
    if (value !== undefined) lines.push([`"${name}":`, encodeField(field, value)]);
  }
  return lines;
}

function encodeField(field: Field, value: unknown): string {
  switch (field) {
    case 'revision':
    case 'rolesSince':
      return value === 0 ? '' : JSON.stringify(value);
    case 'formerRoles':
      return (value as unknown[]).length === 0 ? '' : JSON.stringify(value);
    case 'tokens':
      return (value as OtherToken[]).length === 0 ? '' : JSON.stringify((value as OtherToken[]).map(encodeToken));
    default:
      return JSON.stringify(value);
  }
}

/** Returns the lines of session data as pairs of beginning and JSON; for a key to remove the JSON is empty. */
export function encodeData(data: SessionData): [string, string][] {
  return Object.entries(data).map(([key, value]) => [
    `${JSON.stringify(`.${key}`)}:`,
    value === undefined ? '' : JSON.stringify(value),
  ]);
}

/**
 * Decodes the stored value of a session.
 *
 * @param digest the digest of any token of the session
 * @param latest the latest version that the value may have
 * @throws SessionAuthError `corrupt_session_record`
 * @throws Error for a value of a later version
 */
export function decodeRecord(digest: string, value: string, latest = LATEST_RECORD_VERSION): SessionRecord {
  if (!HEADER.test(value)) throw corruptRecord();
  let members: Record<string, unknown>;
  try {
    members = JSON.parse(`{${value.slice(HEADER_LENGTH)}}`) as Record<string, unknown>;
  } catch (cause) {
    throw corruptRecord(cause);
  }
  const data: SessionData = {};
  for (const name of Object.keys(members)) {
    const member = members[name];
    if (name.charCodeAt(0) !== DOT) {
      if (!isSound(name, member)) throw corruptRecord();
    } else if (name !== '.__proto__') {
      data[name.slice(1)] = member;
    } else {
      // an assignment to this key would set the object's prototype
      const own = { value: member, enumerable: true, configurable: true, writable: true };
      Object.defineProperty(data, '__proto__', own);
    }
  }
  const isAnonymous = value.charCodeAt(HEADER_LENGTH - 1) === DOT;
  const fields = members as Partial<Members>;
  const { u, r, c, z = 1 } = fields;
  if (z > latest) throw laterRecord(`of version ${z}`);
  if (r === undefined || c === undefined || isAnonymous !== (u === undefined)) throw corruptRecord();
  const { a = isAnonymous ? null : c, m = isAnonymous ? null : 'password' } = fields;
  const hash = value.slice(39, 39 + HASH_LENGTH);
  const record = {
    // reuses the text if the digest is that of the present token
    digest: hashOf(digest) === hash ? digest : digestWith(digest, hash),
    id: handleOf(digest),
    revision: fields.v,
    tokens: fields.k?.map(decodeToken),
    userId: u,
    email: fields.e,
    roles: r,
    formerRoles: fields.h,
    rolesSince: fields.n,
    createdAt: c,
    authenticatedAt: a ?? undefined,
    authentication: m ?? undefined,
    factors: fields.x,
    upstream: fields.s,
    device: fields.d,
    rotatedAt: fields.t ?? c,
    lastActivityAt: Number(value.slice(0, 13)),
    expiresAt: Number(value.slice(13, 26)),
    absoluteExpiresAt: Number(value.slice(26, 39)),
    ip: fields.i,
    userAgent: fields.g,
    fingerprint: fields.f,
    data,
  };
  if (!hasSoundTimes(record)) throw corruptRecord();
  return record;
}

const DOT = 46;
const HEADER = /^\d{39}[\w-]{43}(?:[\w-]{22}|\.{22})/;

/** The fields in a value's lines, by their letters. */
interface Members {
  readonly u?: string;
  readonly e?: string;
  readonly r: readonly string[];
  readonly c: number;
  readonly a?: number | null;
  readonly m?: SessionAuthentication | null;
  readonly x?: FactorTimes;
  readonly s?: string;
  readonly t?: number;
  readonly i?: string;
  readonly g?: string;
  readonly f?: string;
  readonly d?: string;
  readonly v?: number;
  readonly k?: readonly StoredToken[];
  readonly h?: readonly (readonly string[])[];
  readonly n?: number;
  readonly z?: number;
}

/**
 * Whether the value of a field has the type in {@link Members}. Unknown fields belong to other versions, and are kept.
 */
function isSound(letter: string, value: unknown): boolean {
  switch (letter) {
    case 'r':
      return Array.isArray(value) && value.every((each) => typeof each === 'string');
    case 'c':
    case 't':
    case 'v':
    case 'n':
    case 'y':
    case 'z':
      return typeof value === 'number';
    case 'a':
      return value === null || typeof value === 'number';
    case 'm':
      return value === null || typeof value === 'string';
    case 'u':
    case 'e':
    case 's':
    case 'i':
    case 'g':
    case 'f':
    case 'd':
      return typeof value === 'string';
    case 'x':
      return areFactorTimes(value);
    case 'k':
      return areStoredTokens(value);
    case 'h':
      return Array.isArray(value) && value.every((roles) => isSound('r', roles));
    default:
      return true;
  }
}
