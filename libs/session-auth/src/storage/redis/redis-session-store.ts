import { SessionAuthError } from '../../errors/session-auth.error.js';
import type { Admission } from '../../session/concurrency-limit.js';
import { parseSessionCursor } from '../../session/session-cursor.js';
import type { SessionData, SessionRecord } from '../../session/session-record.js';
import {
  SessionStore,
  type CreateOutcome,
  type DeleteByUserOutcome,
  type EndedSession,
  type FindOutcome,
  type RotateOutcome,
  type Rotation,
  type SessionList,
  type SessionPage,
  type Touch,
  type UpdateOutcome,
} from '../../session/session-store.js';
import { SHARD_TAG_LENGTH, shardTagOf } from '../../crypto/session-token.js';
import type { RedisClient } from './redis-client.js';
import { checkedNamespace } from './redis-namespace.js';
import type { RedisScript } from './redis-script.js';
import {
  asStoreError,
  decodeRecord,
  encodeData,
  encodeFields,
  encodeRecord,
  userKeyOf,
} from './redis-session-codec.js';
import { RedisSessionReads } from './redis-session-reads.js';
import { CREATE, DELETE, ROTATE, UPDATE } from './redis-session-scripts.js';
import { DELETE_BY_HANDLE, DELETE_BY_USER, LIST, UPDATE_BY_USER } from './redis-user-scripts.js';

/** Settings of {@link RedisSessionStore}. */
export interface RedisSessionStoreOptions {
  /**
   * What all keys of the store begin with, behind the client's own `keyPrefix`. Applications that share a Redis must
   * differ in it. @default 'sa:'
   */
  readonly namespace?: string;
}

const UPDATE_STEP = 500;

/**
 * Sessions in Redis 6.2 or later, or Valkey: standalone, Sentinel or Cluster, by an `ioredis` client that the
 * application owns.
 *
 * Every operation is one script, so one round trip and atomic; `deleteByUser` and `updateByUser` take one a thousand
 * or five hundred sessions. All keys of a user share a hash slot. Every key has a time to live: Redis removes what has
 * expired by itself, so `deleteExpired` has nothing to do. A value that cannot be read is left out of lists, counts
 * for no more than its times say, and goes with `delete`, `deleteByHandle` and `deleteByUser`.
 */
export class RedisSessionStore extends SessionStore {
  readonly #client: RedisClient;
  readonly #namespace: string;
  readonly #reads: RedisSessionReads;

  constructor(client: RedisClient, options: RedisSessionStoreOptions = {}) {
    super();
    this.#client = client;
    this.#namespace = checkedNamespace(options.namespace);
    this.#reads = new RedisSessionReads(client);
  }

  override async create(record: SessionRecord, admission: Admission, now: number): Promise<CreateOutcome> {
    const keys = [this.#sessionKey(record.digest)];
    if (record.userId !== undefined) keys.push(this.#indexKey(record.userId));
    const answer = await this.#run(CREATE, keys, [
      now,
      encodeRecord(record),
      Math.max(record.expiresAt - now, 1),
      record.id + record.digest.slice(SHARD_TAG_LENGTH),
      record.createdAt,
      Math.max(record.absoluteExpiresAt - now, 1),
      admission.max === Infinity ? 0 : admission.max,
      admission.onLimit,
    ]);
    if (answer === 'limit_reached' || answer === 'exists') return { status: answer };
    return { status: 'created', evicted: (answer as string[]).map((id) => ({ id, userId: record.userId })) };
  }

  override find(digest: string, touch: Touch): Promise<FindOutcome> {
    return this.#reads.find({ digest, key: this.#sessionKey(digest), touch });
  }

  override async update(digest: string, patch: SessionData, now: number, maxBytes: number): Promise<UpdateOutcome> {
    const answer = await this.#run(UPDATE, [this.#sessionKey(digest)], [now, maxBytes, ...encodeData(patch).flat()]);
    if (answer === null) return { status: 'absent' };
    if (answer === 'too_large') return { status: 'too_large' };
    return { status: 'updated', data: decodeRecord(digest, answer as string).data };
  }

  override async rotate(digest: string, rotation: Rotation): Promise<RotateOutcome> {
    const { now, grace, changes } = rotation;
    const keys = [this.#sessionKey(digest), this.#sessionKey(rotation.digest)];
    const times = [changes.lastActivityAt, changes.expiresAt, changes.absoluteExpiresAt, changes.createdAt];
    const answer = await this.#run(ROTATE, keys, [
      now,
      grace,
      ...times.map((time) => time ?? ''),
      ...encodeFields({ ...changes, rotatedAt: now }).flat(),
    ]);
    if (answer === null) return { status: 'absent' };
    if (answer === 'superseded') return { status: 'superseded' };
    return { status: 'rotated', record: decodeRecord(rotation.digest, answer as string) };
  }

  override async delete(digest: string, now: number): Promise<EndedSession | undefined> {
    const answer = await this.#run(DELETE, [this.#sessionKey(digest)], [now]);
    const record = answer === null ? undefined : readable(digest, answer as string);
    return record === undefined ? undefined : { id: record.id, userId: record.userId };
  }

  override async list(userId: string, { limit, cursor }: SessionPage, now: number): Promise<SessionList> {
    const place = parseSessionCursor(cursor);
    const answer = (await this.#run(
      LIST,
      [this.#indexKey(userId)],
      [now, limit, place?.createdAt ?? '', place?.id ?? ''],
    )) as [string, ...string[]];
    const [next, ...rest] = answer;
    const records: SessionRecord[] = [];
    for (let i = 0; i < rest.length; i += 2) {
      const record = readable(shardTagOf(userId) + rest[i]!, rest[i + 1]!);
      if (record !== undefined) records.push(record);
    }
    return { records, next: next === '' ? undefined : next };
  }

  override async deleteByHandle(userId: string, handle: string, now: number): Promise<EndedSession | undefined> {
    const ended = await this.#run(DELETE_BY_HANDLE, [this.#indexKey(userId)], [now, handle]);
    return ended === 1 ? { id: handle, userId } : undefined;
  }

  override async deleteByUser(
    userId: string,
    { except, limit }: { readonly except?: string; readonly limit: number },
    now: number,
  ): Promise<DeleteByUserOutcome> {
    const keys = [this.#indexKey(userId)];
    const [more, ...handles] = (await this.#run(DELETE_BY_USER, keys, [now, limit, except ?? ''])) as string[];
    return { ended: handles.map((id) => ({ id, userId })), more: more === 'more' };
  }

  override async updateByUser(
    userId: string,
    changes: { readonly roles?: readonly string[]; readonly email?: string },
    now: number,
  ): Promise<number> {
    const lines = encodeFields({ ...changes, rotatedAt: 0 }).flat();
    let changed = 0;
    for (let from = '-inf'; from !== '';) {
      const args = [now, from === '-inf' ? from : `(${from}`, UPDATE_STEP, ...lines];
      const answer = await this.#run(UPDATE_BY_USER, [this.#indexKey(userId)], args);
      const [step, next] = answer as [number, string];
      changed += step;
      from = next;
    }
    return changed;
  }

  override deleteExpired(): Promise<readonly EndedSession[]> {
    return Promise.resolve([]);
  }

  async #run(script: RedisScript, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await script.run(this.#client, keys, args);
    } catch (error) {
      throw asStoreError(error);
    }
  }

  #sessionKey(digest: string): string {
    return `${this.#namespace}{${digest.slice(0, SHARD_TAG_LENGTH)}}:s:${digest.slice(SHARD_TAG_LENGTH)}`;
  }

  #indexKey(userId: string): string {
    return `${this.#namespace}{${shardTagOf(userId)}}:u:${userKeyOf(userId)}`;
  }
}

/** The record of a value; undefined for what cannot be read, where that must not stand in the way of the rest. */
function readable(digest: string, value: string): SessionRecord | undefined {
  try {
    return decodeRecord(digest, value);
  } catch (error) {
    if (error instanceof SessionAuthError && error.code === 'corrupt_session_record') return undefined;
    throw error;
  }
}
