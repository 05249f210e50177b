import { inspect } from 'node:util';
import { handleOf } from '../crypto/session-token.js';
import { isTime } from '../time/clock.js';
import type { SessionAuthentication } from '../users/session-authentication.js';
import type { SessionData, SessionRecord } from './session-record.js';
import { sessionRequired } from './session-required.js';
import type { SessionScope } from './session-scope.js';
import { PRESENT, rolesOf, type TokenStanding } from './session-tokens.js';
import type { SessionView } from './session-view.js';

/** The source of sessions, and the operations that sessions call. */
export interface SessionSource extends SessionSignals {
  /** The realm of the sessions. */
  readonly realm: string;
  /** Merges a patch into the data of a digest's session, and returns all of it. */
  update(digest: string, patch: object): Promise<SessionData>;
}

/** Provides the signal that a session has ended. */
export interface SessionSignals {
  /**
   * As {@link Session.signal}.
   *
   * @param scope what the session was read for
   */
  signalOf(record: SessionRecord, scope: SessionScope | undefined): AbortSignal;
}

/** The token that found the session, and what the token is worth. */
export interface FoundBy {
  readonly digest: string;
  readonly standing: TokenStanding;
}

/**
 * A live session, as `@CurrentSession()` passes it to a handler.
 *
 * It is a snapshot of one read. `update` refreshes its `data`, and a rotation in the same request updates it; nothing
 * else changes it. It holds no token. As JSON or in a log line it shows neither digest nor `data`.
 *
 * @typeParam Data what the application keeps in the session; every key may be absent
 */
export class Session<Data extends object = SessionData> {
  // own properties, not getters: serializers such as class-transformer read only these

  /** The public handle, safe to show: it names this session in lists and events, and authenticates nobody. */
  readonly id!: string;

  /** The realm of the session. */
  readonly realm: string;

  /** The user's id; undefined for an anonymous session. */
  readonly userId!: string | undefined;

  readonly email!: string | undefined;

  /**
   * The user's roles at login, or at the last change passed to the library. A gained role comes with the next token: a
   * request with an older token does not have it.
   */
  readonly roles!: readonly string[];

  /** When the login of this session took place. */
  readonly createdAt!: Date;

  /** When the user last fully proved their identity; undefined for an anonymous session. */
  readonly authenticatedAt!: Date | undefined;

  readonly authentication!: SessionAuthentication | undefined;

  /**
   * The further factors that the user has proved in this session, by name, with the time of the last proof. Empty
   * without factors. Only {@link SessionAuthService.factorCompleted} adds one.
   */
  readonly factors!: Readonly<Record<string, Date>>;

  /** To the precision of `lifetime.touchInterval`. */
  readonly lastActivityAt!: Date;

  /** When the session ends without further requests. */
  readonly expiresAt!: Date;

  /** When the session ends even if it is in use. */
  readonly absoluteExpiresAt!: Date;

  /**
   * The address of the last request, to the precision of `lifetime.touchInterval`; before that, the address of the
   * login. The event `session.created` keeps the login's address.
   */
  readonly ip!: string | undefined;

  /** The `User-Agent` of the last request, as {@link ip}. Untrusted text. */
  readonly userAgent!: string | undefined;

  readonly #source: SessionSource;
  #scope: SessionScope | undefined;
  #record: SessionRecord;
  #foundBy: FoundBy;
  #roles: readonly string[];

  /**
   * @param foundBy the token that found it; undefined for a session from a list, or found by its handle
   * @param scope what it was read for
   */
  constructor(record: SessionRecord, source: SessionSource, foundBy?: FoundBy, scope?: SessionScope) {
    this.#source = source;
    this.#scope = scope;
    this.realm = source.realm;
    this.#record = record;
    this.#foundBy = foundBy ?? { digest: record.digest, standing: PRESENT };
    this.#roles = record.roles;
    // each token carries all roles of a session whose roles never changed; a copy, because the record belongs to the
    // store
    if (foundBy !== undefined)
      this.#roles = record.formerRoles === undefined ? [...record.roles] : rolesOf(record, foundBy.standing);
    show(this, record, this.#roles);
  }

  /** The application's data, from this request's read or the last `update`. Change it only with `update`. */
  get data(): Readonly<Partial<Data>> {
    return this.#record.data as Partial<Data>;
  }

  /**
   * Fires when the session ends on any node while the request is under way: `fetch(url, { signal })`. Its `reason` is a
   * {@link SessionAuthError} `session_ended`, whose `endReason` says why. It fires at once for a logout, a revocation
   * and similar ends, and within a second for an expiry. A new token or a new proof does not fire it.
   *
   * All readers in one request get the same signal, and so do all messages of one connection: remove your listeners.
   * After the response is finished, or the connection closed, it no longer fires.
   *
   * The first read causes one store read, because the session may have ended since it was loaded. If nobody reads it,
   * it costs nothing.
   *
   * @throws SessionAuthError `not_configured` when the storage has no link (`link: true`)
   * @throws SessionAuthError `request_not_bound` for a session from a list, which belongs to no request
   * @throws SessionAuthError `response_not_bound` in GraphQL, when the context of the operation has no response
   */
  get signal(): AbortSignal {
    return this.#source.signalOf(this.#record, this.#scope);
  }

  /**
   * Merges `patch` into the data, key by key, in one atomic step of the store; `undefined` removes a key. Resolves when
   * the store has saved it. Parallel requests that write different keys lose nothing.
   *
   * @throws SessionAuthError `session_required` when the session has ended meanwhile; nothing is written then
   * @throws SessionAuthError `invalid_session_data` for values that JSON cannot carry, or that nest deeper than 500
   *   levels
   * @throws SessionAuthError `session_data_too_large` beyond `maxDataSize`
   */
  async update(patch: Partial<Data>): Promise<void> {
    const data = await this.#source.update(this.#foundBy.digest, patch);
    this.#record = { ...this.#record, data };
  }

  /** The public part of the session. */
  toJSON(): SessionView {
    const record = this.#record;
    return {
      id: record.id,
      realm: this.#source.realm,
      userId: record.userId,
      email: record.email || undefined,
      roles: this.#roles,
      createdAt: textOf(record.createdAt),
      authenticatedAt: record.authenticatedAt === undefined ? undefined : textOf(record.authenticatedAt),
      authentication: record.authentication,
      factors: Object.fromEntries(Object.entries(record.factors ?? {}).map(([name, at]) => [name, textOf(at)])),
      lastActivityAt: textOf(record.lastActivityAt),
      expiresAt: textOf(record.expiresAt),
      absoluteExpiresAt: textOf(record.absoluteExpiresAt),
      ip: record.ip,
      userAgent: record.userAgent,
    };
  }

  [inspect.custom](): string {
    return `Session ${inspect(this.toJSON())}`;
  }

  /**
   * The stored record behind a session, for the library's own services.
   * @internal
   */
  static recordOf(session: Session<object>): SessionRecord {
    return session.#record;
  }

  /**
   * Updates a session to a newer record.
   *
   * @param roles the roles of the request from now on
   * @internal
   */
  static adopt(session: Session<object>, record: SessionRecord, foundBy: FoundBy, roles: readonly string[]): void {
    session.#record = record;
    session.#foundBy = foundBy;
    session.#roles = roles;
    show(session, record, roles);
  }

  /**
   * Binds a session to the request that it was not read for.
   * @internal
   */
  static attach(session: Session<object>, scope: SessionScope): void {
    session.#scope ??= scope;
  }

  /**
   * The token that found the session.
   * @internal
   */
  static foundBy(session: Session<object>): FoundBy {
    return session.#foundBy;
  }
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Sets the session's public properties from its record. */
function show(shown: Writable<Session<object>>, record: SessionRecord, roles: readonly string[]): void {
  shown.id = record.id;
  shown.userId = record.userId;
  shown.email = record.email || undefined;
  shown.roles = roles;
  shown.createdAt = new Date(record.createdAt);
  shown.authenticatedAt = record.authenticatedAt === undefined ? undefined : new Date(record.authenticatedAt);
  shown.authentication = record.authentication;
  shown.factors = record.factors === undefined ? NO_FACTORS : timesOf(record.factors);
  shown.lastActivityAt = new Date(record.lastActivityAt);
  shown.expiresAt = new Date(record.expiresAt);
  shown.absoluteExpiresAt = new Date(record.absoluteExpiresAt);
  shown.ip = record.ip;
  shown.userAgent = record.userAgent;
}

function textOf(time: number): string {
  return new Date(time).toISOString();
}

// without a prototype, so that no name finds an inherited property
const NO_FACTORS = Object.freeze(Object.create(null) as Record<string, Date>);

function timesOf(factors: NonNullable<SessionRecord['factors']>): Record<string, Date> {
  const times = Object.create(null) as Record<string, Date>;
  for (const name in factors) times[name] = new Date(factors[name]!);
  return times;
}

/** A session that belongs to a user. */
export type UserSession = Session & { readonly userId: string };

/**
 * Returns the session, if it is a user's.
 *
 * @throws SessionAuthError `session_required` without a session and for an anonymous one
 */
export function requireSession(session: Session | undefined): UserSession {
  if (session?.userId === undefined) throw sessionRequired();
  return session as UserSession;
}

/**
 * Whether all times of a record are valid dates. Otherwise the record is corrupt: making a `Date` would fail far from
 * the store, and would break the whole list of the user's sessions.
 */
export function hasSoundTimes(record: SessionRecord): boolean {
  const { authenticatedAt, factors } = record;
  return (
    isTime(record.createdAt) &&
    isTime(record.lastActivityAt) &&
    isTime(record.expiresAt) &&
    isTime(record.absoluteExpiresAt) &&
    isTime(record.rotatedAt) &&
    (authenticatedAt === undefined || isTime(authenticatedAt)) &&
    (factors === undefined || Object.values(factors).every(isTime))
  );
}

/** Whether a record belongs to the same session as an earlier one. A record of another session is refused. */
export function isSameSession(record: SessionRecord, before: SessionRecord): boolean {
  const isSame = record.id === before.id && record.userId === before.userId && handleOf(record.digest) === record.id;
  return isSame && hasSoundTimes(record);
}
