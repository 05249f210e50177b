import { SHARD_TAG_LENGTH, shardTagOf } from '../../crypto/session-token.js';
import {
  RememberMeTokenStore,
  type RememberMeTokenRecord,
  type RememberMeUse,
  type RememberMeUseOutcome,
} from '../../remember-me/remember-me-token-store.js';
import type { RedisClient } from './redis-client.js';
import { checkedNamespace, keyOf, keyOfUser, KIND, userKeyOf } from './redis-keys.js';
import * as scripts from './redis-remember-me-scripts.js';
import type { RedisSessionStoreOptions } from './redis-session-store.js';

/**
 * Remember-me tokens in Redis, through the same client and under the same rules as sessions. Each call is one script.
 */
export class RedisRememberMeTokenStore extends RememberMeTokenStore {
  readonly #client: RedisClient;
  readonly #namespace: string;

  constructor(client: RedisClient, options: RedisSessionStoreOptions = {}) {
    super();
    this.#client = client;
    this.#namespace = checkedNamespace(options.namespace);
  }

  override async create(record: RememberMeTokenRecord, maxPerUser: number, now: number): Promise<void> {
    await scripts.CREATE.run(
      this.#client,
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

  override async use(selector: string, use: RememberMeUse): Promise<RememberMeUseOutcome> {
    const { now, presented, successor, reuseGrace, expiresAt, sessionId } = use;
    const args = [now, presented, successor, reuseGrace, expiresAt ?? '', sessionId];
    const reply = await scripts.USE.run(this.#client, [this.#tokenKey(selector)], args);
    const [status, replaced, fields] = reply as [RememberMeUseOutcome['status'], number, string[]];
    if (status === 'absent') return { status };
    const record = decodeFields(selector, fields);
    return status === 'reused' ? { status, record, replaced } : { status, record };
  }

  override async delete(selector: string, now: number): Promise<RememberMeTokenRecord | undefined> {
    const fields = await scripts.DELETE.run(this.#client, [this.#tokenKey(selector)], [now]);
    return fields === null ? undefined : decodeFields(selector, fields as string[]);
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
    const tokens = (await scripts.LIST.run(this.#client, [this.#indexKey(userId)], [now])) as (string | string[])[];
    const records: RememberMeTokenRecord[] = [];
    for (let i = 0; i < tokens.length; i += 2) {
      records.push(decodeFields(shardTagOf(userId) + (tokens[i] as string), tokens[i + 1] as string[]));
    }
    return records;
  }

  override deleteExpired(): Promise<number> {
    return Promise.resolve(0);
  }

  async #deleteFromIndex(userId: string, args: readonly (string | number)[]): Promise<number> {
    return (await scripts.DELETE_FROM_INDEX.run(this.#client, [this.#indexKey(userId)], args)) as number;
  }

  #tokenKey(selector: string): string {
    return keyOf(this.#namespace, KIND.rememberMeToken, selector);
  }

  #indexKey(userId: string): string {
    return keyOfUser(this.#namespace, KIND.userRememberMeTokens, userId);
  }
}

function encodeFields(record: RememberMeTokenRecord): string[] {
  const fields: [string, string | number | undefined][] = [
    ['id', record.id],
    ['u', record.userId],
    ['k', userKeyOf(record.userId)],
    ['c', record.validatorDigest],
    ['p', ''],
    ['n', record.createdAt],
    ['l', record.lastUsedAt],
    ['x', record.expiresAt],
    ['s', record.sessionId],
    ['i', record.ip],
    ['g', record.userAgent],
  ];
  return fields.flatMap(([name, value]) => (value === undefined ? [] : [name, String(value)]));
}

function decodeFields(selector: string, pairs: readonly string[]): RememberMeTokenRecord {
  const fields = new Map<string, string>();
  for (let i = 0; i < pairs.length; i += 2) fields.set(pairs[i]!, pairs[i + 1]!);
  return {
    selector,
    id: fields.get('id')!,
    userId: fields.get('u')!,
    validatorDigest: fields.get('c')!,
    createdAt: Number(fields.get('n')),
    lastUsedAt: Number(fields.get('l')),
    expiresAt: Number(fields.get('x')),
    sessionId: fields.get('s')!,
    ip: fields.get('i'),
    userAgent: fields.get('g'),
  };
}
