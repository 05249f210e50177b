import {
  RememberMeTokenStore,
  type RememberMeChanges,
  type RememberMeReplacement,
  type RememberMeReplaceOutcome,
  type RememberMeSuccessor,
  type RememberMeTokenRecord,
  type ReplacedValidator,
} from '../../remember-me/remember-me-token-store.js';
import { checkRecordVersion, LATEST_RECORD_VERSION, RECORD_VERSION } from '../../session/record-version.js';
import { advisoryLock, lockNamespace } from './advisory-lock.js';
import { beginGeneration, generationClauses } from './generation-clauses.js';
import { PostgresDatabase } from './postgres-database.js';
import type { PostgresAccess } from './postgres-access.js';
import { accessOf, type PostgresSource, type PostgresStoreOptions } from './postgres-source.js';
import { encodeArray, type PostgresStatement, type Row, type SqlValue } from './postgres-statement.js';
import { decodeOptional, encodeText, textOrNull } from './postgres-text.js';
import { rememberMeStatements, type RememberMeStatements } from './remember-me-statements.js';
import { REMEMBER_ME_TABLE } from './remember-me-tables.js';
import { StoredKeys } from './stored-keys.js';
import { DEFAULT_REALM } from '../../realms/realm-name.js';

/**
 * Remember-me tokens in PostgreSQL. Each call is one statement. A call that writes several records of a user takes a
 * lock of that user.
 */
export class PostgresRememberMeTokenStore extends RememberMeTokenStore {
  readonly #access: PostgresAccess;
  readonly #database: PostgresDatabase<RememberMeStatements>;
  readonly #lockNamespace: string;
  readonly #keys: StoredKeys;

  /**
   * @param source the application's pool or executor, opened and closed by it
   * @throws SessionAuthError `invalid_configuration` for anything else, and for an invalid schema name
   */
  constructor(
    source: PostgresSource | PostgresAccess,
    private readonly settings: PostgresStoreOptions = {},
  ) {
    super();
    this.#access = accessOf(source, settings);
    this.#keys = new StoredKeys(settings.realm);
    this.#database = new PostgresDatabase(this.#access, settings, REMEMBER_ME_TABLE, (table, schema) =>
      rememberMeStatements(table, this.#keys, generationClauses(schema, this.#keys, 'devices')),
    );
    this.#lockNamespace = lockNamespace(REMEMBER_ME_TABLE, settings);
  }

  /**
   * Checks that the table exists: called once at boot.
   *
   * @throws SessionAuthError `invalid_configuration` when it is missing, or of an earlier version
   */
  async checkTables(): Promise<void> {
    await this.#database.checkTables((sql) => sql.check);
  }

  /** Where the records are: stores with the same place have the same records. */
  get place(): string {
    return `postgres ${this.settings.realm ?? DEFAULT_REALM}`;
  }

  override ofRealm(realm: string): PostgresRememberMeTokenStore {
    return new PostgresRememberMeTokenStore(this.#access, { ...this.settings, realm });
  }

  override async create(record: RememberMeTokenRecord, maxPerUser: number, now: number): Promise<void> {
    await this.#locked(record.userId, (sql) => sql.create, [
      this.#keys.encode(record.selector),
      record.id,
      this.#keys.encodeUser(record.userId),
      record.validatorDigest,
      record.createdAt,
      record.lastUsedAt,
      record.expiresAt,
      record.sessionId,
      textOrNull(record.ip),
      textOrNull(record.userAgent),
      record.revision ?? 0,
      encodeSuccessor(record.successor),
      ...encodeReplaced(record.replaced ?? []),
      RECORD_VERSION,
      now,
      maxPerUser - 1,
    ]);
  }

  override async find(selector: string, now: number): Promise<RememberMeTokenRecord | undefined> {
    const [row] = await this.#database.run((sql) => sql.find, [this.#keys.encode(selector), now]);
    return row && decodeRow(row, this.#keys);
  }

  override async replace(
    selector: string,
    { revision, now, changes }: RememberMeReplacement,
  ): Promise<RememberMeReplaceOutcome> {
    const values = [this.#keys.encode(selector), now, revision, ...encodeChanges(changes)];
    const [row] = await this.#database.run((sql) => sql.replace, values);
    if (row === undefined) return { status: 'absent' };
    const [status, ...columns] = row;
    return { status: status as 'replaced' | 'changed', record: decodeRow(columns, this.#keys) };
  }

  override async delete(selector: string, now: number, revision?: number): Promise<RememberMeTokenRecord | undefined> {
    const [row] = await this.#database.run((sql) => sql.delete, [this.#keys.encode(selector), now, revision ?? null]);
    return row?.[0] === 'true' ? decodeRow(row.slice(1), this.#keys, Infinity) : undefined;
  }

  override async deleteById(userId: string, id: string, now: number): Promise<boolean> {
    const rows = await this.#database.run(
      (sql) => sql.deleteById,
      [this.#keys.encodeUser(userId), encodeText(id), now],
    );
    return countLive(rows) > 0;
  }

  override async deleteBySession(userId: string, sessionId: string, now: number): Promise<number> {
    const values = [this.#keys.encodeUser(userId), encodeText(sessionId), now];
    return countLive(await this.#locked(userId, (sql) => sql.deleteBySession, values));
  }

  override async deleteByUser(userId: string, exceptSessionId: string | undefined, now: number): Promise<number> {
    const values = [this.#keys.encodeUser(userId), encodeText(exceptSessionId ?? ''), now];
    return countLive(await this.#locked(userId, (sql) => sql.deleteByUser, values));
  }

  override async deleteByRealm({ createdBefore }: { readonly createdBefore?: number }): Promise<void> {
    await this.#database.run((sql) => sql.deleteByRealm, beginGeneration(createdBefore));
  }

  override async list(userId: string, now: number): Promise<readonly RememberMeTokenRecord[]> {
    return (await this.#database.run((sql) => sql.list, [this.#keys.encodeUser(userId), now])).map((row) =>
      decodeRow(row, this.#keys),
    );
  }

  override async deleteExpired(now: number, limit: number): Promise<number> {
    return (await this.#database.sweep((sql) => sql.deleteExpired, [now, limit])).length;
  }

  #locked(
    userId: string,
    pick: (sql: RememberMeStatements) => PostgresStatement,
    values: readonly SqlValue[],
  ): Promise<Row[]> {
    return this.#database.runLocked(advisoryLock(this.#lockNamespace, userId), pick, values);
  }
}

function countLive(rows: readonly Row[]): number {
  return rows.filter(([live]) => live === 'true').length;
}

function encodeChanges(changes: RememberMeChanges): SqlValue[] {
  const {
    validatorDigest = null,
    successor,
    replaced,
    lastUsedAt = null,
    expiresAt = null,
    sessionId = null,
  } = changes;
  return [
    validatorDigest,
    encodeSuccessor(successor),
    ...(replaced === undefined ? [null, null] : encodeReplaced(replaced)),
    lastUsedAt,
    expiresAt,
    sessionId,
  ];
}

function encodeSuccessor(successor: RememberMeSuccessor | undefined): string | null {
  return successor === undefined ? null : JSON.stringify(successor);
}

function encodeReplaced(replaced: readonly ReplacedValidator[]): [SqlValue, SqlValue] {
  return [encodeArray(replaced.map(({ digest }) => digest)), encodeArray(replaced.map(({ until }) => String(until)))];
}

/** @throws Error for a row of a later version than `latest` */
function decodeRow(row: Row, keys: StoredKeys, latest = LATEST_RECORD_VERSION): RememberMeTokenRecord {
  const [selector, id, userId, validatorDigest, createdAt, lastUsedAt, expiresAt, sessionId, ip, userAgent] = row;
  const [revision, successor, digests, until, version] = row.slice(10);
  checkRecordVersion(Number(version), latest);
  return {
    selector: keys.decode(selector!),
    id: id!,
    userId: keys.decodeUser(userId!),
    validatorDigest: validatorDigest!,
    revision: Number(revision),
    successor: successor == null ? undefined : (JSON.parse(successor) as RememberMeSuccessor),
    replaced: decodeReplaced(digests!, until!),
    createdAt: Number(createdAt),
    lastUsedAt: Number(lastUsedAt),
    expiresAt: Number(expiresAt),
    sessionId: sessionId!,
    ip: decodeOptional(ip),
    userAgent: decodeOptional(userAgent),
  };
}

/** Arrays come as text, such as `{a,b}`; these contain nothing that would be quoted. */
function decodeReplaced(digests: string, until: string): readonly ReplacedValidator[] | undefined {
  if (digests === '{}') return undefined;
  const times = until.slice(1, -1).split(',');
  return digests
    .slice(1, -1)
    .split(',')
    .map((digest, index) => ({ digest, until: Number(times[index]) }));
}
