import {
  Session,
  type RememberedDevice,
  type RememberMeTokenRecord,
  type SessionEvent,
  type SessionRecord,
} from 'nestjs-session-auth';
import { digestOf } from '../../libs/session-auth/src/crypto/session-token.js';
import { handedOutAt, isHonoured, rolesOf, standingOf } from '../../libs/session-auth/src/session/session-tokens.js';
import type { Device } from './reference-devices.js';
import type { ReferenceModel } from './reference-model.js';
import type { ExpectedEvent, ReferenceSession, Seen } from './reference-session.js';
import type { Inside, System } from './system.js';

/** Everything that can be seen of a system from outside, without changing it. */
export interface Observation {
  /** What each token finds, and what it is worth. */
  readonly tokens: ReadonlyMap<string, unknown>;
  /** The sessions of each user in order. */
  readonly lists: ReadonlyMap<string, unknown>;
  readonly devices: ReadonlyMap<string, unknown>;
}

/** What is to be looked at. */
export interface Scope {
  readonly users: readonly string[];
  readonly tokens: readonly string[];
}

/**
 * Looks at the stores. A session that the model holds for expired is not read but updated with nothing: a read would
 * remove it and take away the event that is due to the next request.
 */
export async function observe(system: System, model: ReferenceModel, { users, tokens }: Scope): Promise<Observation> {
  const { now } = model;
  const { sessions, tokens: devices } = system.node(0).stores;
  const touch = { now, idle: 1, interval: Number.MAX_SAFE_INTEGER };
  const seen = tokens.map(async (token): Promise<readonly [string, unknown]> => {
    const session = model.byToken(token);
    if (session !== undefined && !model.isLive(session)) {
      const { status } = await sessions.update(digestOf(token), {}, now, Infinity);
      return [token, status];
    }
    const outcome = await sessions.find(digestOf(token), touch);
    return [token, outcome.status === 'live' ? viewOfToken(outcome.record, token, now) : outcome.status];
  });
  const listed = users.map(async (user): Promise<readonly [string, unknown]> => {
    const { records } = await sessions.list(user, { limit: 1000 }, now);
    return [user, records.map(viewOfRecord)];
  });
  const remembered = users.map(async (user): Promise<readonly [string, unknown]> => {
    const records = await devices.list(user, now);
    return [user, records.map((record) => ({ ...viewOfDevice(record), sessionId: record.sessionId }))];
  });
  return {
    tokens: new Map(await Promise.all(seen)),
    lists: new Map(await Promise.all(listed)),
    devices: new Map(await Promise.all(remembered)),
  };
}

/** Where an observation is not what the model expects; undefined: nowhere. */
export function differenceFrom(model: ReferenceModel, observation: Observation): string | undefined {
  const differences: string[] = [];
  const compare = (what: string, actual: unknown, expected: unknown): void => {
    if (!same(actual, expected)) differences.push(difference(what, actual, expected));
  };
  for (const [token, actual] of observation.tokens) {
    const session = model.byToken(token);
    const isLive = session !== undefined && model.isLive(session);
    compare(`what ${short(token)} finds`, actual, isLive ? viewOfReferenceToken(session, token, model.now) : 'absent');
  }
  for (const [user, actual] of observation.lists) {
    compare(`the sessions of ${user}`, actual, model.list(user).map(viewOfReference));
  }
  for (const [user, actual] of observation.devices) {
    const expected = model.devices.list(user, model.now);
    compare(
      `the devices of ${user}`,
      actual,
      expected.map((device) => ({ ...viewOfDevice(device), sessionId: device.sessionId })),
    );
  }
  return differences.length === 0 ? undefined : differences.join('\n');
}

/**
 * Where what a backend keeps is not what it should: every live session and nothing that has ended, except that what
 * has expired may wait to be swept, in the store and in the indexes alike.
 */
export function insideDifference(
  { sessions, now }: ReferenceModel,
  { records, indexed, faults }: Inside,
): string | undefined {
  const known = sessions.map(({ id }) => id);
  const live = sessions.filter(({ expiresAt }) => expiresAt > now);
  const differences = [...faults];
  const compare = (what: string, actual: readonly string[], due: readonly ReferenceSession[]): void => {
    const missing = due.filter(({ id }) => !actual.includes(id)).map(({ id }) => id);
    const surplus = actual.filter((id, place) => !known.includes(id) || actual.indexOf(id) !== place);
    if (missing.length + surplus.length > 0)
      differences.push(`${what}: ${surplus.join()} too many, without ${missing.join()}`);
  };
  if (typeof records !== 'number') compare('records', records, live);
  else if (records < live.length || records > known.length) {
    differences.push(`${records} records: the model has ${live.length} live sessions of ${known.length}`);
  }
  if (indexed !== undefined)
    compare(
      'index entries',
      indexed,
      live.filter(({ userId }) => userId !== undefined),
    );
  return differences.length === 0 ? undefined : differences.join('\n');
}

/** Where what was published is not what the model expects. */
export function eventDifference(
  heard: readonly SessionEvent[],
  expected: readonly ExpectedEvent[],
  now: number,
): string | undefined {
  const missing = [...expected];
  const surplus: unknown[] = [];
  for (const event of heard) {
    const place = missing.findIndex(({ fields }) => same(fields, fieldsOf(event)));
    if (place < 0 || event.at.getTime() !== now) surplus.push(event);
    else missing.splice(place, 1);
  }
  const due = missing.filter(({ optional }) => !optional).map(({ fields }) => fields);
  if (surplus.length + due.length === 0) return undefined;
  return difference('events', surplus, due);
}

/** What an event tells, beside when, of which client and of which realm: the model has one. */
export function fieldsOf({ client: _client, at: _at, realm: _realm, ...fields }: SessionEvent): object {
  return fields;
}

export function difference(what: string, actual: unknown, expected: unknown): string {
  return `${what}: found ${JSON.stringify(actual)}; the model has ${JSON.stringify(expected)}`;
}

/** Equality of what JSON shows: a member that is undefined is none. */
export function same(actual: unknown, expected: unknown): boolean {
  if (actual === expected) return true;
  if (!isObject(actual) || !isObject(expected) || Array.isArray(actual) !== Array.isArray(expected)) return false;
  if ('toJSON' in actual || 'toJSON' in expected) return JSON.stringify(actual) === JSON.stringify(expected);
  const names = namesOf(actual);
  return names.length === namesOf(expected).length && names.every((name) => same(actual[name], expected[name]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function namesOf(object: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(object).filter((name) => object[name] !== undefined);
}

/** A session as an application sees it, times in milliseconds, and what the library knows by it of its tokens. */
export function viewOfSession(session: Session): object {
  const { id, userId, email, roles, authentication, ip, data } = session;
  const { digest, standing } = Session.foundBy(session);
  const { kind } = standing;
  return {
    foundBy: { digest, kind, until: kind === 'superseded' ? standing.token.at : undefined },
    handedOutAt: handedOutAt(Session.recordOf(session)),
    ...{ id, userId, email, roles, authentication, ip, data },
    createdAt: session.createdAt.getTime(),
    authenticatedAt: session.authenticatedAt?.getTime(),
    factors: Session.recordOf(session).factors,
    lastActivityAt: session.lastActivityAt.getTime(),
    expiresAt: session.expiresAt.getTime(),
    absoluteExpiresAt: session.absoluteExpiresAt.getTime(),
  };
}

/** The same of what the model's request sees. */
export function viewOfSeen({ session, token, roles }: Seen): object {
  const { rotatedAt: _rotatedAt, digest: _digest, device: _device, ...view } = viewOfReference(session);
  const { kind, until } = session.tokens.get(token)!;
  return {
    ...view,
    email: session.email || undefined,
    roles,
    foundBy: { digest: digestOf(token), kind, until: kind === 'superseded' ? until : undefined },
    handedOutAt: session.tokens.handedOutAt,
  };
}

/** A remembered device as an application sees it, times in milliseconds. */
export function viewOfDevice(device: RememberedDevice | RememberMeTokenRecord | Device): object {
  const { id, userId, ip } = device;
  return {
    ...{ id, userId, ip },
    createdAt: Number(device.createdAt),
    lastUsedAt: Number(device.lastUsedAt),
    expiresAt: Number(device.expiresAt),
  };
}

/** A session as the store has it. */
export function viewOfReference({ tokens, faded: _faded, ...fields }: ReferenceSession) {
  return { ...fields, digest: digestOf(tokens.present.token) };
}

function viewOfReferenceToken(session: ReferenceSession, token: string, now: number): object {
  const { tokens } = session;
  const kind = tokens.kindOf(token, now);
  const isOutdated = NEXT.includes(kind) && tokens.get(token)?.isOutdated;
  const worth = { kind, roles: tokens.isHonoured(token, now) && tokens.rolesOf(token), isOutdated };
  return { worth, session: viewOfReference(session) };
}

/** What is the token, or may become it: whether roles have changed since it was issued shows by its next use only. */
const NEXT: readonly string[] = ['present', 'successor'];

/** A record and what a token is worth by it. */
function viewOfToken(record: SessionRecord, token: string, now: number): object {
  const standing = standingOf(record, digestOf(token), now);
  const { kind } = standing;
  const { rolesSince = 0 } = kind === 'successor' ? standing.token : record;
  const isOutdated = NEXT.includes(kind) && (record.formerRoles ?? []).length > rolesSince;
  const worth = { kind, roles: isHonoured(standing) && rolesOf(record, standing), isOutdated };
  return { worth, session: viewOfRecord(record) };
}

/** A record without what only its tokens' worth shows. */
function viewOfRecord(record: SessionRecord): object {
  const { userAgent: _userAgent, fingerprint: _fingerprint, ...fields } = record;
  const { revision: _revision, tokens: _tokens, formerRoles: _formerRoles, rolesSince: _rolesSince, ...view } = fields;
  return view;
}

function short(token: string): string {
  return `token ${token.slice(22, 30)}…`;
}
