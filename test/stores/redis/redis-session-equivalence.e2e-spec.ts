import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { RedisSessionStore } from 'nestjs-session-auth/redis';
import {
  digestOf,
  digestWith,
  handleOf,
  hashOf,
  issueNextSessionToken,
  issueSessionToken,
  shardTagOf,
} from '../../../libs/session-auth/src/crypto/session-token.js';
import type { FactorTimes } from '../../../libs/session-auth/src/session/session-factors.js';
import type { SessionRecord } from '../../../libs/session-auth/src/session/session-record.js';
import type { SessionStore } from '../../../libs/session-auth/src/session/session-store.js';
import {
  standingOf,
  withPromoted,
  withReplaced,
  withRoles,
  withSuccessor,
} from '../../../libs/session-auth/src/session/session-tokens.js';
import { MemorySessionStore } from '../../../libs/session-auth/src/storage/memory/memory-session-store.js';
import { startLocalRedis, type LocalRedis } from '../../../src/local-services/local-redis.js';

const NOW = Date.UTC(2024, 1, 29, 12);
/** All times are multiples of it: longer than a sequence takes by the clock of Redis, which runs as well. */
const TICK = 60_000;
const IDLE = 4 * TICK;
const NEVER = 1000 * TICK;
/** What a hash is replaced by in an address. */
const NO_HASH = '.'.repeat(43);

const ALICE = 'alice';
/** Keys of both begin alike. */
const BOB = Array.from({ length: 100_000 }, (_, n) => `bob${n}`).find((id) => shardTagOf(id) === shardTagOf(ALICE))!;

const oneOf = <const T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const ticks = (max: number): fc.Arbitrary<number> => fc.nat(max).map((count) => count * TICK);
const any = fc.nat(9);
const userId = oneOf(ALICE, ALICE, BOB, undefined);
const device = oneOf('device-one_', 'device-two_', undefined);
const roles = oneOf<readonly string[]>([], ['reader'], ['reader', 'admin'], ['\n"k":[["s","', ',\n"v":7,\n']);
/** `$` stands for the hash of some token: what a script looks for must not be found in what users choose. */
const words = oneOf('$', '["s","$",99999999999999]', '\n"k":[["s","$",1]]', ',\n"v":9,\n', '"', '\\');
const json = fc.oneof(
  words,
  fc.array(oneOf<unknown>('s', '$', 99999999999999, [['s', '$', 9]])),
  fc.constant({ v: 9, k: [['s', '$', 9]], c: 5, d: '$' }),
);
const patch = fc.dictionary(fc.oneof(oneOf('k', 'v', 'h'), words), fc.option(json, { nil: undefined }), {
  maxKeys: 3,
  noNullPrototype: true,
});
const isStale = fc.nat(5).map((n) => n === 0);
const seldom = <T>(given: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: given });

/** Operations, with places in the list of all tokens that were ever issued, from its end. */
const steps = {
  create: fc.record({
    userId,
    device,
    roles,
    again: seldom(any),
    max: oneOf(Infinity, 1, 2, 3),
    onLimit: oneOf('reject', 'evict-oldest', 'evict-least-recent'),
    sharedFor: ticks(2),
    replaces: seldom(fc.record({ token: any, unlessUsedFor: oneOf(undefined, 0, TICK) })),
    absolute: fc.integer({ min: 3, max: 30 }).map((count) => count * TICK),
  }),
  find: fc.record({ tokens: fc.array(any, { minLength: 1, maxLength: 4 }), interval: oneOf(0, TICK, NEVER) }),
  update: fc.record({ token: any, patch, maxBytes: oneOf(0, 40, 1000) }),
  handOver: fc.record({ token: any, grace: fc.option(ticks(3), { nil: undefined }), isStale }),
  promote: fc.record({ token: any, grace: ticks(3), isStale }),
  replace: fc.record({ token: any, grace: ticks(3), kind: oneOf('retired', 'renewable'), roles }),
  change: fc.record({
    token: any,
    isStale,
    changes: fc.record(
      {
        device: oneOf('device-two_', 'device-three'),
        email: oneOf('', '\n"k":[["s","$",1]]'),
        createdAt: ticks(5).map((ago) => NOW - ago),
        authenticatedAt: ticks(5).map((ago) => NOW - ago),
        lastActivityAt: ticks(5).map((after) => NOW + after),
        rotatedAt: ticks(2),
        factors: oneOf<FactorTimes>({}, { totp: NOW }),
      },
      { requiredKeys: [] },
    ),
    lifetime: seldom(fc.integer({ min: 1, max: 30 }).map((count) => count * TICK)),
  }),
  delete: fc.record({ token: any }),
  deleteByHandle: fc.record({ token: any, userId: oneOf(ALICE, BOB) }),
  deleteByUser: fc.record({ userId: oneOf(ALICE, BOB), except: fc.option(any, { nil: undefined }) }),
  updateByUser: fc.record({
    userId: oneOf(ALICE, BOB),
    changes: fc.record({ roles, email: oneOf('a@b.c', '') }, { requiredKeys: [] }),
  }),
  list: fc.record({ userId: oneOf(ALICE, BOB), limit: fc.integer({ min: 1, max: 3 }) }),
  /** As Redis does when a time to live is over: without a word to the index. */
  vanish: fc.record({ token: any }),
  wait: fc.record({ time: ticks(3) }),
};

type Steps = { [Name in keyof typeof steps]: (typeof steps)[Name] extends fc.Arbitrary<infer Given> ? Given : never };
type Step = { [Name in keyof Steps]: { readonly name: Name; readonly given: Steps[Name] } }[keyof Steps];

const WEIGHTS: Partial<Record<keyof Steps, number>> = {
  create: 10,
  find: 6,
  update: 4,
  handOver: 4,
  promote: 6,
  replace: 4,
  change: 4,
  updateByUser: 3,
  vanish: 3,
};
const step = fc.oneof(
  ...(Object.entries(steps) as [keyof Steps, fc.Arbitrary<unknown>][]).map(([name, given]) => ({
    weight: WEIGHTS[name] ?? 1,
    arbitrary: given.map((each) => ({ name, given: each }) as Step),
  })),
);

/** A store in memory and one in Redis to which the same happens. */
class Twins {
  now = NOW;
  /** Of all tokens that were ever issued. */
  readonly digests: string[] = [];
  readonly #users = new Map<string, string | undefined>();

  constructor(
    private readonly client: Redis,
    private readonly memory = new MemorySessionStore(),
    private readonly redis = new RedisSessionStore(client),
  ) {}

  do({ name, given }: Step): Promise<unknown> {
    return (this[name] as (given: unknown) => Promise<unknown>)(given);
  }

  async create({ device, roles, again, absolute, replaces, ...given }: Steps['create']): Promise<void> {
    const before = again === undefined ? undefined : this.#digest(again);
    const userId = before === undefined ? given.userId : this.#users.get(handleOf(before));
    const digest = before ?? this.#issued(digestOf(issueSessionToken(userId)));
    const { now } = this;
    this.#users.set(handleOf(digest), userId);
    const record: SessionRecord = {
      digest,
      id: handleOf(digest),
      userId,
      device,
      roles,
      createdAt: now,
      ...(userId !== undefined && { authenticatedAt: now, authentication: 'password' }),
      rotatedAt: now,
      lastActivityAt: now,
      expiresAt: now + Math.min(IDLE, absolute),
      absoluteExpiresAt: now + absolute,
      data: {},
    };
    const replaced = replaces && {
      id: handleOf(this.#digest(replaces.token) ?? digest),
      unlessUsedFor: replaces.unlessUsedFor,
    };
    const admission = { ...given, ...(replaced && { replaces: replaced }) };
    const [expected, created] = [this.memory, this.redis].map((store) => store.create(record, admission, now));
    const outcomes = [await expected!, await created!].map((outcome) => {
      // of several sessions of a device, any may be shared
      if (outcome.status === 'exists') return { ...outcome, id: outcome.id === record.id };
      return outcome.status === 'created' ? { ...outcome, replaced: inOrder(outcome.replaced) } : outcome;
    });
    expect(outcomes[1]).toEqual(outcomes[0]);
    const outcome = await created!;
    if (outcome.status !== 'exists' || outcome.id === record.id) return;
    expect((await this.#record(digestWith(digest, NO_HASH).replace(record.id, outcome.id)))?.device).toBe(device);
  }

  async find({ tokens, interval }: Steps['find']): Promise<void> {
    const digests = tokens.flatMap((token) => this.#digest(token) ?? []);
    const touch = { now: this.now, idle: IDLE, interval };
    // those in Redis share a command
    await this.#same((store) => Promise.all(digests.map((digest) => store.find(digest, touch))));
  }

  async update({ token, patch, maxBytes }: Steps['update']): Promise<void> {
    const digest = this.#digest(token);
    if (digest === undefined) return;
    const data = withHash(patch, hashOf(digest)) as Record<string, unknown>;
    await this.#same((store) => store.update(digest, data, this.now, maxBytes));
  }

  handOver({ token, grace, isStale }: Steps['handOver']): Promise<void> {
    return this.#rotate(token, isStale, (record) => {
      const next = this.#issued(digestOf(issueNextSessionToken(record.digest)));
      return withSuccessor(record, next, this.now, grace);
    });
  }

  promote({ token, grace, isStale }: Steps['promote']): Promise<void> {
    return this.#rotate(token, isStale, (record, digest) => {
      const standing = standingOf(record, digest, this.now);
      return standing.kind === 'successor' ? withPromoted(record, standing.token, this.now, grace) : {};
    });
  }

  replace({ token, grace, kind, roles }: Steps['replace']): Promise<void> {
    return this.#rotate(token, false, (record) => {
      const next = this.#issued(digestOf(issueNextSessionToken(record.digest)));
      const changes = withRoles(record, roles);
      return { ...changes, ...withReplaced({ ...record, ...changes }, next, { now: this.now, grace, kind }) };
    });
  }

  change({ token, isStale, changes, lifetime }: Steps['change']): Promise<void> {
    const { now } = this;
    return this.#rotate(token, isStale, (_, digest) => ({
      ...(withHash(changes, hashOf(digest)) as typeof changes),
      ...(lifetime !== undefined && { expiresAt: now + Math.min(lifetime, IDLE), absoluteExpiresAt: now + lifetime }),
    }));
  }

  async delete({ token }: Steps['delete']): Promise<void> {
    const digest = this.#digest(token);
    if (digest !== undefined) await this.#same((store) => store.delete(digest, this.now));
  }

  async deleteByHandle({ token, userId }: Steps['deleteByHandle']): Promise<void> {
    const digest = this.#digest(token);
    if (digest !== undefined) await this.#same((store) => store.deleteByHandle(userId, handleOf(digest), this.now));
  }

  async deleteByUser({ userId, except }: Steps['deleteByUser']): Promise<void> {
    const kept = except === undefined ? undefined : this.#digest(except);
    const options = { limit: 1000, ...(kept && { except: handleOf(kept) }) };
    await this.#same(async (store) => {
      const outcome = await store.deleteByUser(userId, options, this.now);
      return { ...outcome, ended: inOrder(outcome.ended) };
    });
  }

  async updateByUser({ userId, changes }: Steps['updateByUser']): Promise<void> {
    await this.#same((store) => store.updateByUser(userId, changes, this.now));
  }

  async list({ userId, limit }: Steps['list']): Promise<void> {
    let next: string | undefined;
    do {
      const page = await this.#same((store) => store.list(userId, { limit, cursor: next }, this.now));
      next = page.next;
    } while (next !== undefined);
  }

  async vanish({ token }: Steps['vanish']): Promise<void> {
    const digest = this.#digest(token);
    if (digest === undefined) return;
    await this.memory.delete(digest, this.now);
    await this.client.del(`sa:{${digest.slice(0, 2)}}:s:${handleOf(digest)}`);
  }

  async wait({ time }: Steps['wait']): Promise<void> {
    this.now += time;
  }

  /** Compares all that can be seen, and looks at what only Redis has. */
  async finish(): Promise<void> {
    const touch = { now: this.now, idle: IDLE, interval: NEVER };
    for (const digest of this.digests) await this.#same((store) => store.find(digest, touch));
    for (const userId of [ALICE, BOB]) await this.list({ userId, limit: 1000 });
    const expected: string[] = [];
    for (const digest of new Set(this.digests.map((each) => digestWith(each, NO_HASH)))) {
      const record = await this.#record(digest);
      if (record?.userId !== undefined) expected.push(`${record.id}${record.device ?? ''} ${record.createdAt}`);
    }
    const members: string[] = [];
    for (const key of await this.client.keys('*')) {
      expect(await this.client.pttl(key)).toBeGreaterThan(0);
      if (!key.includes('}:u:')) continue;
      const pairs = await this.client.zrange(key, 0, -1, 'WITHSCORES');
      for (let i = 0; i < pairs.length; i += 2) members.push(`${pairs[i]} ${pairs[i + 1]}`);
    }
    expect(members.sort()).toEqual(expected.sort());
  }

  async #rotate(
    token: number,
    isStale: boolean,
    changesOf: (record: SessionRecord, digest: string) => Parameters<SessionStore['rotate']>[1]['changes'],
  ): Promise<void> {
    const digest = this.#digest(token);
    if (digest === undefined) return;
    const record = await this.#record(digest);
    const revision = (record?.revision ?? 0) + (isStale ? 1 : 0);
    const changes = record === undefined ? {} : changesOf(record, digest);
    await this.#same((store) => store.rotate(digest, { revision, now: this.now, changes }));
  }

  async #same<T>(call: (store: SessionStore) => Promise<T>): Promise<T> {
    const expected = await call(this.memory);
    expect(comparable(await call(this.redis))).toEqual(comparable(expected));
    return expected;
  }

  async #record(digest: string): Promise<SessionRecord | undefined> {
    const outcome = await this.memory.find(digest, { now: this.now, idle: IDLE, interval: NEVER });
    return outcome.status === 'live' ? outcome.record : undefined;
  }

  #digest(place: number): string | undefined {
    return this.digests.at(-1 - (place % Math.max(this.digests.length, 1)));
  }

  #issued(digest: string): string {
    this.digests.push(digest);
    return digest;
  }
}

function inOrder<T extends { readonly id: string }>(ended: readonly T[]): T[] {
  return [...ended].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function withHash(value: unknown, hash: string): unknown {
  if (typeof value === 'string') return value.replaceAll('$', () => hash);
  if (Array.isArray(value)) return value.map((each) => withHash(each, hash));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key.replaceAll('$', hash), withHash(each, hash)]),
  );
}

/** An outcome where what is absent is left out, and what a store has found expired may be gone already. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  if ('status' in value && value.status === 'expired') return { status: 'absent' };
  if (!('digest' in value))
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, comparable(each)]));
  const { revision, rolesSince, tokens, formerRoles, ...record } = value as SessionRecord;
  return {
    ...record,
    ...(revision !== 0 && { revision }),
    ...(rolesSince !== 0 && { rolesSince }),
    ...(tokens?.length !== 0 && { tokens }),
    ...(formerRoles?.length !== 0 && { formerRoles }),
  };
}

describe('the Redis session store', () => {
  let server: LocalRedis;
  let client: Redis;

  beforeAll(async () => {
    server = await startLocalRedis();
    client = new Redis(server.url);
  });

  afterAll(async () => {
    client.disconnect();
    await server.stop();
  });

  beforeEach(() => client.flushdb());

  it('does what the one in memory does, in any order', async () => {
    const sequence = fc.noBias(fc.array(step, { maxLength: 40, size: 'max' }));
    const property = fc.asyncProperty(sequence, async (given) => {
      await client.flushdb();
      const twins = new Twins(client);
      for (const each of given) await twins.do(each);
      await twins.finish();
    });
    await fc.assert(property, { numRuns: Number(process.env['MODEL_RUNS'] ?? 200) });
  });
});
