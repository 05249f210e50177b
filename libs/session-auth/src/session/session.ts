import { inspect } from 'node:util';
import { handleOf } from '../crypto/session-token.js';
import { isTime } from '../time/clock.js';
import type { SessionAuthentication } from '../users/session-authentication.js';
import type { SessionData, SessionRecord } from './session-record.js';
import { sessionRequired } from './session-required.js';
import type { SessionScope } from './session-scope.js';
import { PRESENT, rolesOf, type TokenStanding } from './session-tokens.js';
import type { SessionView } from './session-view.js';

/** Where sessions come from, and what they ask there. */
export interface SessionSource extends SessionSignals {
  /** The realm of the sessions. */
  readonly realm: string;
  /** Merges a patch into the data of a digest's session, and returns all of it. */
  update(digest: string, patch: object): Promise<SessionData>;
}

/** Tells what is under way of the end of its session. */
export interface SessionSignals {
  /**
   * As of {@link Session.signal}.
   *
   * @param scope what the session was read for
   */
  signalOf(record: SessionRecord, scope: SessionScope | undefined): AbortSignal;
}

/** The token by which a session is at hand, and what it is worth. */
export interface FoundBy {
  readonly digest: string;
  readonly standing: TokenStanding;
}

/**
 * A live session, as `@CurrentSession()` hands it to a handler.
 *
 * It is a snapshot of one read: `update` refreshes its `data`, a rotation in the same request carries it along, nothing
 * else changes under your hands. It holds no token, and turned to JSON or into a log line it shows neither digest nor
 * `data`.
 *
 * @typeParam Data what the application keeps in the session; every key may be absent
 */
export class Session<Data extends object = SessionData> {
  // own properties, not getters: what turns an answer to JSON by itself (class-transformer, say) looks at nothing else

  /** The public handle, safe to show: names this session in lists and events, authenticates nobody. */
  readonly id!: string;

  /** The realm that the session is of. */
  readonly realm: string;

  /** The user's id; undefined for an anonymous session. */
  readonly userId!: string | undefined;

  readonly email!: string | undefined;

  /**
   * The user's roles as they were at login, or at the last change told to the library. A role that was gained by such a
   * change comes with the next token: a request by a token from before does not have it.
   */
  readonly roles!: readonly string[];

  /** When the login took place that this session stands for. */
  readonly createdAt!: Date;

  /** When the user last proved who they are in full; undefined for an anonymous session. */
  readonly authenticatedAt!: Date | undefined;

  readonly authentication!: SessionAuthentication | undefined;

  /**
   * The further factors that the user has proved in this session, by name, and when each was last proved. Empty for
   * none. {@link SessionAuthService.factorCompleted} adds one, and nothing else does.
   */
  readonly factors!: Readonly<Record<string, Date>>;

  /** To the precision of `lifetime.touchInterval`. */
  readonly lastActivityAt!: Date;

  /** When the session ends if nothing more is heard. */
  readonly expiresAt!: Date;

  /** When the session ends whatever happens. */
  readonly absoluteExpiresAt!: Date;

  /**
   * The address that the session was last seen from, to the precision of `lifetime.touchInterval`; that of the login
   * until then. The login's stays in the event `session.created`.
   */
  readonly ip!: string | undefined;

  /** The `User-Agent` that the session was last seen with, as {@link ip}. Untrusted text. */
  readonly userAgent!: string | undefined;

  readonly #source: SessionSource;
  #scope: SessionScope | undefined;
  #record: SessionRecord;
  #foundBy: FoundBy;
  #roles: readonly string[];

  /**
   * @param foundBy the token it was found by; undefined: it was found in a list, or by its handle
   * @param scope what it was read for
   */
  constructor(record: SessionRecord, source: SessionSource, foundBy?: FoundBy, scope?: SessionScope) {
    this.#source = source;
    this.#scope = scope;
    this.realm = source.realm;
    this.#record = record;
    this.#foundBy = foundBy ?? { digest: record.digest, standing: PRESENT };
    this.#roles = record.roles;
    // each token carries all roles of a session that has never had others; a copy, since the record is the store's
    if (foundBy !== undefined)
      this.#roles = record.formerRoles === undefined ? [...record.roles] : rolesOf(record, foundBy.standing);
    show(this, record, this.#roles);
  }

  /** The application's data, as of this request's read or the last `update`. Change it by `update` only. */
  get data(): Readonly<Partial<Data>> {
    return this.#record.data as Partial<Data>;
  }

  /**
   * Fires when the session ends, on whichever node, as long as the request is under way: `fetch(url, { signal })`. Its
   * `reason` is a {@link SessionAuthError} `session_ended`, whose `endReason` says why. An end by logout, revocation
   * and the like is told at once, one by time within a second. A new token or a new proof fires nothing.
   *
   * All who ask in one request have the same signal, and so have all messages of one connection: take listeners off it
   * again. After the response is finished, or the connection closed, it does not fire any more.
   *
   * The first who asks has the store asked once, since the session may have ended after it was read. Who does not ask
   * pays nothing.
   *
   * @throws SessionAuthError `not_configured` where the storage has no link (`link: true`)
   * @throws SessionAuthError `request_not_bound` for a session of a list, which is no request's
   * @throws SessionAuthError `response_not_bound` in GraphQL, where the context of the operation has no response
   */
  get signal(): AbortSignal {
    return this.#source.signalOf(this.#record, this.#scope);
  }

  /**
   * Merges `patch` into the data, key by key, in one atomic step of the store; `undefined` removes a key. Resolves
   * when the store has it. Parallel requests that write different keys lose nothing.
   *
   * @throws SessionAuthError `session_required` when the session has ended meanwhile: nothing is written then
   * @throws SessionAuthError `invalid_session_data` for what JSON cannot carry, or nested deeper than 500 levels
   * @throws SessionAuthError `session_data_too_large` beyond `maxDataSize`
   */
  async update(patch: Partial<Data>): Promise<void> {
    const data = await this.#source.update(this.#foundBy.digest, patch);
    this.#record = { ...this.#record, data };
  }

  /** What may be shown of the session. */
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
   * Carries a session at hand over to a newer record of it.
   *
   * @param roles what the request may do from now on
   * @internal
   */
  static adopt(session: Session<object>, record: SessionRecord, foundBy: FoundBy, roles: readonly string[]): void {
    session.#record = record;
    session.#foundBy = foundBy;
    session.#roles = roles;
    show(session, record, roles);
  }

  /**
   * Tells a session that was not read for a request that it is that request's now.
   * @internal
   */
  static attach(session: Session<object>, scope: SessionScope): void {
    session.#scope ??= scope;
  }

  /**
   * The token by which a session is at hand.
   * @internal
   */
  static foundBy(session: Session<object>): FoundBy {
    return session.#foundBy;
  }
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Sets what a session shows of its record. */
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

// without what objects have anyway, which no name may find
const NO_FACTORS = Object.freeze(Object.create(null) as Record<string, Date>);

function timesOf(factors: NonNullable<SessionRecord['factors']>): Record<string, Date> {
  const times = Object.create(null) as Record<string, Date>;
  for (const name in factors) times[name] = new Date(factors[name]!);
  return times;
}

/** A session that belongs to a user. */
export type UserSession = Session & { readonly userId: string };

/**
 * The session, if it is a user's.
 *
 * @throws SessionAuthError `session_required` without a session and for an anonymous one
 */
export function requireSession(session: Session | undefined): UserSession {
  if (session?.userId === undefined) throw sessionRequired();
  return session as UserSession;
}

/**
 * Whether all times of a record can be shown. A record with another one is corrupt: making a `Date` of it would fail
 * far from the store, and in lists it would take the user's other sessions along.
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

/** Whether a record is a later one of the same session: a store that returns another's is not believed. */
export function isSameSession(record: SessionRecord, before: SessionRecord): boolean {
  const isSame = record.id === before.id && record.userId === before.userId && handleOf(record.digest) === record.id;
  return isSame && hasSoundTimes(record);
}
