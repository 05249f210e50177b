import { HASH_LENGTH, SHARD_TAG_LENGTH, shardTagOf } from '../../crypto/session-token.js';
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
import { connectionOf } from './connection-of.js';
import type { RedisClient } from './redis-client.js';
import type { RedisConnection } from './redis-connection.js';
import { endRecords } from './redis-generations.js';
import { keyOf, keyOfUser, KIND, namespaceOf, userKeyOf, type RedisSessionStoreOptions } from './redis-keys.js';
import * as scripts from './redis-remember-me-scripts.js';

const TIME_LENGTH = 13;

/** Remember-me tokens in Redis, with the same client and rules as sessions. Each call is one script. */
export class RedisRememberMeTokenStore extends RememberMeTokenStore {
  readonly #connection: RedisConnection;
  readonly #namespace: string;

  /** @throws SessionAuthError `invalid_configuration` for any value but a {@link RedisClient} */
  constructor(
    private readonly client: RedisClient,
    private readonly options: RedisSessionStoreOptions = {},
  ) {
    super();
    this.#connection = connectionOf(client);
    this.#namespace = namespaceOf(options);
  }

  /** Where the records are: stores with the same place have the same records. */
  get place(): string {
    return `redis ${this.#namespace}`;
  }

  override ofRealm(realm: string): RedisRememberMeTokenStore {
    return new RedisRememberMeTokenStore(this.client, { ...this.options, realm });
  }

  override async create(record: RememberMeTokenRecord, maxPerUser: number, now: number): Promise<void> {
    await scripts.CREATE.run(
      this.#connection,
      [this.#tokenKey(record.selector), this.#indexKey(record.userId)],
      [
        now,
        record.createdAt,
        record.id + record.selector.slice(SHARD_TAG_LENGTH),
        Math.max(record.expiresAt - now, 1),
        maxPerUser,
        ...encodeFields(record),
      ],
    );
  }

  override async find(selector: string, now: number): Promise<RememberMeTokenRecord | undefined> {
    const fields = await scripts.FIND.run(this.#connection, [this.#tokenKey(selector)], [now]);
    return fields === null ? undefined : decodeFields(selector, fields as string[]);
  }

  override async replace(
    selector: string,
    { revision, now, changes }: RememberMeReplacement,
  ): Promise<RememberMeReplaceOutcome> {
    const args = [now, revision, changes.expiresAt ?? '', 'v', revision + 1, ...encodeChanges(changes)];
    const reply = await scripts.REPLACE.run(this.#connection, [this.#tokenKey(selector)], args);
    const [status, fields] = reply as [RememberMeReplaceOutcome['status'], string[]];
    return status === 'absent' ? { status } : { status, record: decodeFields(selector, fields) };
  }

  override async delete(selector: string, now: number, revision?: number): Promise<RememberMeTokenRecord | undefined> {
    const fields = await scripts.DELETE.run(this.#connection, [this.#tokenKey(selector)], [now, revision ?? '']);
    return fields === null ? undefined : decodeFields(selector, fields as string[], Infinity);
  }

  override async deleteById(userId: string, id: string, now: number): Promise<boolean> {
    return (await this.#deleteFromIndex(userId, [now, 'handle', id, 'only'])) > 0;
  }

  override async deleteBySession(userId: string, sessionId: string, now: number): Promise<number> {
    return this.#deleteFromIndex(userId, [now, 'session', sessionId, 'only']);
  }

  override async deleteByUser(userId: string, exceptSessionId: string | undefined, now: number): Promise<number> {
    return this.#deleteFromIndex(userId, [now, 'session', exceptSessionId ?? '', 'but']);
  }

  override async list(userId: string, now: number): Promise<readonly RememberMeTokenRecord[]> {
    const tokens = (await scripts.LIST.run(this.#connection, [this.#indexKey(userId)], [now])) as (string | string[])[];
    const records: RememberMeTokenRecord[] = [];
    for (let i = 0; i < tokens.length; i += 2) {
      records.push(decodeFields(shardTagOf(userId) + (tokens[i] as string), tokens[i + 1] as string[]));
    }
    return records;
  }

  override async deleteByRealm({ createdBefore }: { readonly createdBefore?: number }): Promise<void> {
    await endRecords(this.#connection, this.#namespace, { kind: KIND.rememberMeGeneration, createdBefore });
  }

  override deleteExpired(): Promise<number> {
    return Promise.resolve(0);
  }

  async #deleteFromIndex(userId: string, args: readonly (string | number)[]): Promise<number> {
    // with the client's option `stringNumbers`, a count is text
    return Number(await scripts.DELETE_FROM_INDEX.run(this.#connection, [this.#indexKey(userId)], args));
  }

  #tokenKey(selector: string): string {
    return keyOf(this.#namespace, KIND.rememberMeToken, selector);
  }

  #indexKey(userId: string): string {
    return keyOfUser(this.#namespace, KIND.userRememberMeTokens, userId);
  }
}

type Fields = readonly (readonly [name: string, value: string | number | undefined])[];

function encodeFields(record: RememberMeTokenRecord): string[] {
  const { id, userId, revision, createdAt, ip, userAgent } = record;
  const fixed: Fields = [
    ['id', id],
    ['u', userId],
    ['k', userKeyOf(userId)],
    ['v', revision],
    ['z', RECORD_VERSION],
    ['n', createdAt],
    ['i', ip],
    ['g', userAgent],
  ];
  return [...given(fixed), ...encodeChanges(record)];
}

function encodeChanges(changes: RememberMeChanges): string[] {
  const { validatorDigest, successor, replaced, lastUsedAt, expiresAt, sessionId } = changes;
  return given([
    ['c', validatorDigest],
    ['q', successor?.digest],
    ['o', successor?.nonce],
    ['a', successor?.at],
    ['t', successor?.sessionId],
    ['r', successor && (successor.isRepeated === true ? 1 : 0)],
    ['p', replaced?.map(({ digest, until }) => digest + encodeTime(until)).join('')],
    ['l', lastUsedAt],
    ['x', expiresAt],
    ['s', sessionId],
  ]);
}

function given(fields: Fields): string[] {
  return fields.flatMap(([name, value]) => (value === undefined ? [] : [name, String(value)]));
}

function encodeTime(time: number): string {
  return String(time).padStart(TIME_LENGTH, '0');
}

/** @throws Error for a token of a later version than `latest` */
function decodeFields(
  selector: string,
  pairs: readonly string[],
  latest = LATEST_RECORD_VERSION,
): RememberMeTokenRecord {
  const fields = new Map<string, string>();
  for (let i = 0; i < pairs.length; i += 2) fields.set(pairs[i]!, pairs[i + 1]!);
  checkRecordVersion(Number(fields.get('z') ?? 1), latest);
  const revision = fields.get('v');
  return {
    selector,
    id: fields.get('id')!,
    userId: fields.get('u')!,
    validatorDigest: fields.get('c')!,
    revision: revision === undefined ? undefined : Number(revision),
    successor: decodeSuccessor(fields),
    replaced: decodeReplaced(fields.get('p')),
    createdAt: Number(fields.get('n')),
    lastUsedAt: Number(fields.get('l')),
    expiresAt: Number(fields.get('x')),
    sessionId: fields.get('s')!,
    ip: fields.get('i'),
    userAgent: fields.get('g'),
  };
}

function decodeSuccessor(fields: ReadonlyMap<string, string>): RememberMeSuccessor | undefined {
  const digest = fields.get('q');
  if (digest === undefined) return undefined;
  const successor = { digest, nonce: fields.get('o')!, at: Number(fields.get('a')), sessionId: fields.get('t')! };
  return fields.get('r') === '1' ? { ...successor, isRepeated: true } : successor;
}

function decodeReplaced(text: string | undefined): readonly ReplacedValidator[] | undefined {
  if (text === undefined || text === '') return undefined;
  const length = HASH_LENGTH + TIME_LENGTH;
  return Array.from({ length: text.length / length }, (_, index) => {
    const entry = text.slice(index * length, (index + 1) * length);
    return { digest: entry.slice(0, HASH_LENGTH), until: Number(entry.slice(HASH_LENGTH)) };
  });
}
