import { Batcher } from '../../async/batcher.js';
import { addressOf, handleOf, hashOf, issueHandle, SHARD_TAG_LENGTH, shardTagOf } from '../../crypto/session-token.js';
import type { Admission } from '../../session/concurrency-limit.js';
import { corruptRecord, ifReadable } from '../../session/corrupt-record.js';
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
import type { RedisClient } from './redis-client.js';
import { checkedNamespace, keyOf, keyOfUser, KIND, userKeyOf } from './redis-keys.js';
import type { RedisScript } from './redis-script.js';
import { decodeRecord, encodeData, encodeFields, encodeRecord } from './redis-session-codec.js';
import { asStoreError } from './redis-session-prelude.js';
import { CREATE, DELETE, FIND, ROTATE, UPDATE } from './redis-session-scripts.js';
import { DELETE_BY_USER, LIST, UPDATE_BY_USER } from './redis-user-scripts.js';

/** Settings of {@link RedisSessionStore}. */
export interface RedisSessionStoreOptions {
  /**
   * The beginning of all keys of the store, after the client's own `keyPrefix`. Applications that share a Redis need
   * different ones. @default 'sa:'
   */
  readonly namespace?: string;
}

/** A `find` that waits for Redis. */
interface Find {
  readonly digest: string;
  readonly touch: Touch;
  readonly resolve: (outcome: FindOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/** The most sessions that one command reads: Redis does nothing else until it is done. */
const FIND_STEP = 100;

const UPDATE_STEP = 500;

/**
 * Sessions in Redis 6.2 or later, or Valkey: standalone, Sentinel or Cluster, through an `ioredis` client that the
 * application owns.
 *
 * Every operation is one script, so one round trip and atomic; `updateByUser` takes one for each five hundred sessions.
 * All keys of a user share a hash slot. Every key has a time to live, so Redis removes expired sessions by itself and
 * `deleteExpired` has nothing to do. Lists leave out a value that cannot be read; it counts towards the limit for as
 * long as its times say; `delete`, `deleteByHandle` and `deleteByUser` remove it.
 *
 * Finds within one turn of the event loop share a command: under load the command is what costs, here and in Redis, and
 * not the key. In a Cluster, where a command has to stay within a slot, each find is a command.
 */
export class RedisSessionStore extends SessionStore {
  readonly #client: RedisClient;
  readonly #namespace: string;
  readonly #finds = new Batcher<Find>((finds) => this.#sendFinds(finds));
  #findStep: number;

  constructor(client: RedisClient, options: RedisSessionStoreOptions = {}) {
    super();
    this.#client = client;
    this.#namespace = checkedNamespace(options.namespace);
    this.#findStep = client.isCluster === true ? 1 : FIND_STEP;
  }

  override find(digest: string, touch: Touch): Promise<FindOutcome> {
    return new Promise((resolve, reject) => this.#finds.add({ digest, touch, resolve, reject }));
  }

  #sendFinds(finds: readonly Find[]): void {
    for (let from = 0, to = 0; from < finds.length; from = to) {
      const { touch } = finds[from]!;
      do to += 1;
      while (to < finds.length && to - from < this.#findStep && isSameTouch(touch, finds[to]!.touch));
      void this.#findTogether(finds.slice(from, to), touch);
    }
  }

  async #findTogether(finds: readonly Find[], { now, idle, interval }: Touch): Promise<void> {
    const keys = finds.map(({ digest }) => this.#sessionKey(digest));
    const args: (string | number)[] = [now, idle, interval];
    for (const { digest, touch } of finds) {
      // only the script knows whether there is a touch
      const { ip, userAgent } = touch.client ?? {};
      args.push(hashOf(digest), jsonOrNone(ip), jsonOrNone(userAgent));
    }
    try {
      // what FIND.run does: spelled out, because every request passes here
      const found = await this.#client
        .evalsha(FIND.sha, keys.length, ...keys, ...args)
        .catch((error: unknown) => FIND.runInFull(error, this.#client, keys, args));
      if (!Array.isArray(found) || found.length !== finds.length) {
        throw new Error('Redis returned something else for a read of sessions');
      }
      for (let place = 0; place < finds.length; place += 1) {
        const { digest, resolve, reject } = finds[place]!;
        try {
          resolve(decodeFound(digest, found[place]));
        } catch (error) {
          reject(error);
        }
      }
    } catch (error) {
      // a proxy can hide a cluster from the client
      if (isRefusal(error) && error.message.startsWith('CROSSSLOT')) this.#findStep = 1;
      // a key that Redis refuses must fail its own find only
      if (isRefusal(error) && finds.length > 1) for (const find of finds) void this.#findTogether([find], find.touch);
      else for (const { reject } of finds) reject(asStoreError(error));
    }
  }

  override async create(record: SessionRecord, admission: Admission, now: number): Promise<CreateOutcome> {
    const { digest, id, userId, device = '', createdAt, expiresAt, absoluteExpiresAt } = record;
    const { max, onLimit, sharedFor = 0, replaces } = admission;
    const keys = [this.#sessionKey(digest), ...(userId === undefined ? [] : [this.#indexKey(userId)])];
    const reply = await this.#run(CREATE, keys, [
      now,
      encodeRecord(record),
      Math.max(expiresAt - now, 1),
      id + device,
      createdAt,
      Math.max(absoluteExpiresAt - now, 1),
      max === Infinity ? 0 : max,
      onLimit,
      sharedFor,
      replaces?.id ?? '',
      replaces?.unlessUsedFor ?? '',
    ]);
    return decodeCreated(reply, userId);
  }

  override async update(digest: string, patch: SessionData, now: number, maxBytes: number): Promise<UpdateOutcome> {
    const args = [now, hashOf(digest), maxBytes, ...encodeData(patch).flat()];
    const reply = await this.#run(UPDATE, [this.#sessionKey(digest)], args);
    if (reply === null) return { status: 'absent' };
    if (reply === 'too_large') return { status: 'too_large' };
    return { status: 'updated', data: decodeRecord(digest, reply as string).data };
  }

  override async rotate(digest: string, { revision, now, changes }: Rotation): Promise<RotateOutcome> {
    const { lastActivityAt = '', expiresAt = '', absoluteExpiresAt = '', createdAt = '' } = changes;
    const hash = changes.digest === undefined ? '' : hashOf(changes.digest);
    const lines = encodeFields({ ...changes, revision: revision + 1 }).flat();
    const args = [now, revision, lastActivityAt, expiresAt, absoluteExpiresAt, hash, createdAt, ...lines];
    const reply = await this.#run(ROTATE, [this.#sessionKey(digest)], args);
    if (reply === null) return { status: 'absent' };
    if (Array.isArray(reply)) return { status: 'changed', record: decodeRecord(digest, reply[0] as string) };
    return { status: 'rotated', record: decodeRecord(digest, reply as string) };
  }

  override async delete(digest: string, now: number): Promise<EndedSession | undefined> {
    const value = await this.#run(DELETE, [this.#sessionKey(digest)], [now, '']);
    const record = value === null ? undefined : ifReadable(() => decodeRecord(digest, value as string));
    return record === undefined ? undefined : { id: record.id, userId: record.userId };
  }

  override async list(userId: string, { limit, cursor }: SessionPage, now: number): Promise<SessionList> {
    const place = parseSessionCursor(cursor);
    const args = [now, limit, place?.createdAt ?? '', place?.id ?? ''];
    const [next, ...rest] = (await this.#run(LIST, [this.#indexKey(userId)], args)) as [string, ...string[]];
    const records: SessionRecord[] = [];
    for (let i = 0; i < rest.length; i += 2) {
      const record = ifReadable(() => decodeRecord(addressOf(userId, rest[i]!), rest[i + 1]!));
      if (record !== undefined) records.push(record);
    }
    const unreadable = rest.length / 2 - records.length;
    return { records, next: next === '' ? undefined : next, ...(unreadable > 0 && { unreadable }) };
  }

  override async deleteByHandle(userId: string, handle: string, now: number): Promise<EndedSession | undefined> {
    // the whole text that is asked for: an address would cut it to the length of a handle
    const key = keyOf(this.#namespace, KIND.session, shardTagOf(userId) + handle);
    const value = await this.#run(DELETE, [key, this.#answerKey(userId)], [now, userKeyOf(userId)]);
    return value === null ? undefined : { id: handle, userId };
  }

  override async deleteByUser(
    userId: string,
    { except, limit }: { readonly except?: string; readonly limit: number },
    now: number,
  ): Promise<DeleteByUserOutcome> {
    const keys = [this.#indexKey(userId), this.#answerKey(userId)];
    const reply = (await this.#run(DELETE_BY_USER, keys, [now, limit, except ?? ''])) as string;
    const [more, ...handles] = reply.split(' ');
    return { ended: handles.map((id) => ({ id, userId })), more: more === 'more' };
  }

  override async updateByUser(
    userId: string,
    changes: { readonly roles?: readonly string[]; readonly email?: string },
    now: number,
  ): Promise<number> {
    const { roles, email } = changes;
    const lines = encodeFields({ email, rotatedAt: 0 }).flat();
    const rolesJson = roles === undefined ? '' : JSON.stringify(roles);
    let changed = 0;
    for (let from = '-inf'; from !== '';) {
      const args = [now, from === '-inf' ? from : `(${from}`, UPDATE_STEP, rolesJson, ...lines];
      const reply = await this.#run(UPDATE_BY_USER, [this.#indexKey(userId)], args);
      // a count is text where the client has `stringNumbers`
      const [step, next] = reply as [number | string, string];
      changed += Number(step);
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
    return `${this.#namespace}{${digest.slice(0, SHARD_TAG_LENGTH)}}:${KIND.session}:${handleOf(digest)}`;
  }

  /** Where the answer to one command is kept: a key of its own, beside those of the user. */
  #answerKey(userId: string): string {
    return keyOf(this.#namespace, KIND.answer, shardTagOf(userId) + issueHandle());
  }

  #indexKey(userId: string): string {
    return keyOfUser(this.#namespace, KIND.userSessions, userId);
  }
}

function jsonOrNone(text: string | undefined): string {
  return text === undefined ? '' : JSON.stringify(text);
}

function isSameTouch(one: Touch, other: Touch): boolean {
  return one.now === other.now && one.idle === other.idle && one.interval === other.interval;
}

/** Decodes what the script FIND returned for a digest. */
function decodeFound(digest: string, found: unknown): FindOutcome {
  if (typeof found === 'string') return { status: 'live', record: decodeRecord(digest, found) };
  if (found === null) return { status: 'absent' };
  const [value] = found as [string?];
  if (value === undefined) throw corruptRecord();
  const { id, userId } = decodeRecord(digest, value);
  return { status: 'expired', ended: { id, userId } };
}

/** Decodes what the script CREATE returned for a session of a user. */
function decodeCreated(reply: unknown, userId: string | undefined): CreateOutcome {
  const [status, ...rest] = reply as [CreateOutcome['status'], ...unknown[]];
  if (status === 'in_use' || status === 'limit_reached') return { status };
  if (status === 'exists') return { status, id: rest[0] as string };
  const [evicted, replaced] = (rest as string[][]).map((ids) => ids.map((id) => ({ id, userId })));
  return { status, evicted: evicted!, replaced: replaced! };
}

/** Whether Redis itself refused a command, and not the network. */
function isRefusal(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}
