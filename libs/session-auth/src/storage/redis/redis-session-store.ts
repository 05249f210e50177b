import { setImmediate } from 'node:timers';
import { handleOf, hashOf, SHARD_TAG_LENGTH } from '../../crypto/session-token.js';
import { DEFAULT_REALM } from '../../realms/realm-name.js';
import type { SessionEndReason } from '../../events/session-event.js';
import { changesWhatIsTold } from '../../link/told-changes.js';
import type { Admission } from '../../session/concurrency-limit.js';
import { corruptRecord, ifReadable } from '../../session/corrupt-record.js';
import type { SessionLink } from '../../session/session-link.js';
import type { SessionData, SessionRecord } from '../../session/session-record.js';
import {
  SessionStore,
  type CreateOutcome,
  type DeleteByUserOutcome,
  type EndedSession,
  type FindOutcome,
  type RealmSessionsToEnd,
  type RotateOutcome,
  type Rotation,
  type SessionList,
  type SessionPage,
  type Touch,
  type UpdateOutcome,
  type UserSessionsToEnd,
} from '../../session/session-store.js';
import { HubSessionLink } from '../../link/hub-session-link.js';
import { connectionOf } from './connection-of.js';
import type { RedisClient } from './redis-client.js';
import { channelOf } from './redis-channel.js';
import type { RedisConnection } from './redis-connection.js';
import { endRecords } from './redis-generations.js';
import { linkHubOf } from './redis-link.js';
import { allEndedMessage } from './redis-link-message.js';
import { keyOfUser, KIND, namespaceOf, type RedisSessionStoreOptions } from './redis-keys.js';
import type { RedisScript } from './redis-script.js';
import { decodeRecord, encodeData, encodeFields, encodeRecord } from './redis-session-codec.js';
import { asStoreError } from './redis-session-prelude.js';
import { CREATE, DELETE, FIND, ROTATE, UPDATE } from './redis-session-scripts.js';
import { RedisUserSessions } from './redis-user-sessions.js';

/** A `find` that waits for Redis. */
interface Find {
  readonly digest: string;
  readonly touch: Touch;
  readonly resolve: (outcome: FindOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/** The most sessions that one command reads: Redis does nothing else until it is done. */
const FIND_STEP = 100;

/**
 * Sessions in Redis 6.2 or later, or Valkey: standalone, Sentinel or Cluster, with a client that the application owns.
 *
 * Every operation is one script, so one round trip and atomic; `updateByUser` runs one for each five hundred sessions.
 * All keys of a user share a hash slot. Every key has a time to live, so Redis removes expired sessions by itself and
 * `deleteExpired` has nothing to do. Lists leave out a value that cannot be read. It counts towards the limit until its
 * times say that it ended; `delete`, `deleteByHandle` and `deleteByUser` remove it.
 *
 * Finds within one turn of the event loop share a command: under load the command costs more than the key, here and in
 * Redis. In a Cluster, where a command must stay within a slot, each find is a command.
 */
export class RedisSessionStore extends SessionStore {
  readonly #connection: RedisConnection;
  readonly #namespace: string;
  readonly #ofUsers: RedisUserSessions;
  /** The finds of this turn of the event loop. */
  #finds: Find[] = [];
  #findStep: number;
  /** The channel for ends and changes; '' without a link. */
  readonly #channel: string;

  /** @throws SessionAuthError `invalid_configuration` for any value but a {@link RedisClient} */
  constructor(
    private readonly client: RedisClient,
    private readonly options: RedisSessionStoreOptions = {},
  ) {
    super();
    this.#connection = connectionOf(client);
    this.#namespace = namespaceOf(options);
    this.#ofUsers = new RedisUserSessions(this.#namespace, (script, keys, args) => this.#run(script, keys, args));
    this.#channel = options.link === true ? channelOf(this.#connection, this.#namespace) : '';
    this.#findStep = this.#connection.isCluster ? 1 : FIND_STEP;
  }

  /** Where the records are: stores with the same place have the same records. */
  get place(): string {
    return `redis ${this.#namespace}`;
  }

  override ofRealm(realm: string): RedisSessionStore {
    return new RedisSessionStore(this.client, { ...this.options, realm });
  }

  override link(): SessionLink | undefined {
    const { link, namespace, realm = DEFAULT_REALM } = this.options;
    return link === true ? new HubSessionLink(linkHubOf(this.#connection, namespace), realm) : undefined;
  }

  override find(digest: string, touch: Touch): Promise<FindOutcome> {
    return new Promise((resolve, reject) => {
      // immediates run after all requests that have arrived are read
      if (this.#finds.push({ digest, touch, resolve, reject }) === 1) setImmediate(() => this.#sendFinds());
    });
  }

  #sendFinds(): void {
    const finds = this.#finds;
    this.#finds = [];
    for (let from = 0, to = 0; from < finds.length; from = to) {
      const { touch } = finds[from]!;
      do to += 1;
      while (to < finds.length && to - from < this.#findStep && isSameTouch(touch, finds[to]!.touch));
      void this.#findTogether(finds.slice(from, to), touch);
    }
  }

  async #findTogether(finds: readonly Find[], { now, idle, interval }: Touch): Promise<void> {
    const keys: string[] = [];
    const args: (string | number)[] = [now, idle, interval];
    for (const { digest, touch } of finds) {
      const beginning = `${this.#namespace}{${digest.slice(0, SHARD_TAG_LENGTH)}}:`;
      keys.push(`${beginning}${KIND.session}:${handleOf(digest)}`, `${beginning}${KIND.sessionGeneration}:`);
      // only the script knows whether a touch takes place
      const { ip, userAgent } = touch.client ?? {};
      args.push(hashOf(digest), ip === undefined ? '' : JSON.stringify(ip));
      args.push(userAgent === undefined ? '' : JSON.stringify(userAgent));
    }
    args.push(this.#channel);
    try {
      // the same as FIND.run, written out because every request comes here
      const found = await this.#connection
        .evalsha(FIND.sha, keys.length, ...keys, ...args)
        .catch((error: unknown) => FIND.runInFull(error, this.#connection, keys, args));
      if (!Array.isArray(found) || found.length !== finds.length) {
        throw new Error('Redis returned an unexpected result for a read of sessions');
      }
      for (let place = 0; place < finds.length; place += 1) {
        const { digest, resolve, reject } = finds[place]!;
        const value: unknown = found[place];
        try {
          if (typeof value === 'string') resolve({ status: 'live', record: decodeRecord(digest, value) });
          else resolve(decodeEnded(digest, value));
        } catch (error) {
          reject(error);
        }
      }
    } catch (error) {
      // a proxy can hide a cluster from the client
      if (this.#connection.isRefusal(error) && error.message.startsWith('CROSSSLOT')) this.#findStep = 1;
      // a key that Redis refuses must fail only its own find
      if (this.#connection.isRefusal(error) && finds.length > 1)
        for (const find of finds) void this.#findTogether([find], find.touch);
      else for (const { reject } of finds) reject(asStoreError(error));
    }
  }

  override async create(record: SessionRecord, admission: Admission, now: number): Promise<CreateOutcome> {
    const { digest, id, userId, device = '', createdAt, expiresAt, absoluteExpiresAt } = record;
    const { max, onLimit, sharedFor = 0, replaces } = admission;
    const keys = [
      this.#sessionKey(digest),
      ...(userId === undefined ? [] : [keyOfUser(this.#namespace, KIND.userSessions, userId)]),
    ];
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

  override async update(
    digest: string,
    patch: SessionData,
    now: number,
    maxBytes: number,
    isTold = false,
  ): Promise<UpdateOutcome> {
    const args = [now, hashOf(digest), maxBytes, ...encodeData(patch).flat()];
    const reply = await this.#run(UPDATE, [this.#sessionKey(digest)], args, isTold ? this.#channel : '');
    if (reply === null) return { status: 'absent' };
    if (reply === 'too_large') return { status: 'too_large' };
    return { status: 'updated', data: decodeRecord(digest, reply as string).data };
  }

  override async rotate(digest: string, { revision, now, changes, isTold }: Rotation): Promise<RotateOutcome> {
    const { lastActivityAt = '', expiresAt = '', absoluteExpiresAt = '', createdAt = '' } = changes;
    const hash = changes.digest === undefined ? '' : hashOf(changes.digest);
    const lines = encodeFields({ ...changes, revision: revision + 1 }).flat();
    const args = [now, revision, lastActivityAt, expiresAt, absoluteExpiresAt, hash, createdAt, ...lines];
    const channel = (isTold ?? changesWhatIsTold(changes)) ? this.#channel : '';
    const reply = await this.#run(ROTATE, [this.#sessionKey(digest)], args, channel);
    if (reply === null) return { status: 'absent' };
    if (Array.isArray(reply)) return { status: 'changed', record: decodeRecord(digest, reply[0] as string) };
    return { status: 'rotated', record: decodeRecord(digest, reply as string) };
  }

  override async delete(
    digest: string,
    now: number,
    reason: SessionEndReason = 'revoked',
  ): Promise<EndedSession | undefined> {
    const value = await this.#run(DELETE, [this.#sessionKey(digest)], [now, '', JSON.stringify(reason)]);
    return value === null ? undefined : ifReadable(() => endedOf(digest, value as string));
  }

  override list(userId: string, page: SessionPage, now: number): Promise<SessionList> {
    return this.#ofUsers.list(userId, page, now);
  }

  override deleteByHandle(
    userId: string,
    handle: string,
    now: number,
    reason?: SessionEndReason,
  ): Promise<EndedSession | undefined> {
    return this.#ofUsers.deleteByHandle(userId, handle, now, reason);
  }

  override deleteByUser(userId: string, which: UserSessionsToEnd, now: number): Promise<DeleteByUserOutcome> {
    return this.#ofUsers.deleteByUser(userId, which, now);
  }

  override updateByUser(
    userId: string,
    changes: { readonly roles?: readonly string[]; readonly email?: string },
    now: number,
  ): Promise<number> {
    return this.#ofUsers.updateByUser(userId, changes, now);
  }

  override async deleteByRealm({ createdBefore, reason = 'revoked' }: RealmSessionsToEnd): Promise<void> {
    const told = { channel: this.#channel, message: allEndedMessage(reason) };
    await endRecords(this.#connection, this.#namespace, { kind: KIND.sessionGeneration, createdBefore, told });
  }

  override deleteExpired(): Promise<readonly EndedSession[]> {
    return Promise.resolve([]);
  }

  async #run(
    script: RedisScript,
    keys: readonly string[],
    args: readonly (string | number)[],
    channel = this.#channel,
  ): Promise<unknown> {
    try {
      return await script.run(this.#connection, keys, [...args, channel]);
    } catch (error) {
      throw asStoreError(error);
    }
  }

  #sessionKey(digest: string): string {
    return `${this.#namespace}{${digest.slice(0, SHARD_TAG_LENGTH)}}:${KIND.session}:${handleOf(digest)}`;
  }
}

function isSameTouch(one: Touch, other: Touch): boolean {
  return one.now === other.now && one.idle === other.idle && one.interval === other.interval;
}

/** Decodes the result of the script FIND for a digest without a live session. */
function decodeEnded(digest: string, found: unknown): FindOutcome {
  if (found === null) return { status: 'absent' };
  const [value] = found as [string?];
  if (value === undefined) throw corruptRecord();
  return { status: 'expired', ended: endedOf(digest, value) };
}

/** Returns the published fields of an ended session, of any version. */
function endedOf(digest: string, value: string): EndedSession {
  const { id, userId } = decodeRecord(digest, value, Infinity);
  return { id, userId };
}

/** Decodes the result of the script CREATE for a session of a user. */
function decodeCreated(reply: unknown, userId: string | undefined): CreateOutcome {
  const [status, ...rest] = reply as [CreateOutcome['status'], ...unknown[]];
  if (status === 'in_use' || status === 'limit_reached') return { status };
  if (status === 'exists') return { status, id: rest[0] as string };
  const [evicted, replaced] = (rest as string[][]).map((ids) => ids.map((id) => ({ id, userId })));
  return { status, evicted: evicted!, replaced: replaced! };
}
