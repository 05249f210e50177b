import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { FindOutcome, SessionRecord } from 'nestjs-session-auth';
import { RedisSessionStore } from 'nestjs-session-auth/redis';
import {
  digestOf,
  digestWith,
  handleOf,
  hashOf,
  issueSessionToken,
} from '../../../libs/session-auth/src/crypto/session-token.js';
import type { OtherToken } from '../../../libs/session-auth/src/session/session-tokens.js';
import { startLocalRedis, type LocalRedis } from '../../../src/local-services/local-redis.js';
import { countCommands } from '../../support/command-count.js';
import { serveAllSlots } from '../../support/redis-cluster.js';
import {
  HOUR,
  liveRecord,
  MINUTE,
  newDigest,
  newRecord,
  nextDigest,
  NO_LIMIT,
  NOW,
  touchAt,
} from '../../support/session-records.js';

/** More than Redis itself takes to remove what the test wants to find expired. */
const SECONDS = 30_000;

const keyOf = (digest: string): string => `sa:{${digest.slice(0, 2)}}:s:${handleOf(digest)}`;

describe('reads that share a command of Redis', () => {
  let server: LocalRedis;
  let redis: Redis;
  let store: RedisSessionStore;

  beforeAll(async () => {
    server = await startLocalRedis();
    redis = new Redis(server.url);
    store = new RedisSessionStore(redis);
    // the scripts once, so that none is counted twice for being sent in full
    await store.find(newDigest(), touchAt(NOW));
  });

  beforeEach(() => redis.flushdb());

  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  async function add(fields: Partial<SessionRecord> = {}): Promise<SessionRecord> {
    const record = newRecord('alice', { digest: digestOf(issueSessionToken('alice')), ...fields });
    await store.create(record, NO_LIMIT, NOW);
    return record;
  }

  const findAll = (digests: readonly string[], now: number): Promise<FindOutcome[]> =>
    Promise.all(digests.map((digest) => store.find(digest, touchAt(now))));

  it('each return their own result, by one command', async () => {
    const now = NOW + MINUTE;
    const current = await add({ lastActivityAt: now - 1 });
    const due = await add();
    const expired = await add({ expiresAt: now });
    const rotated = await add({ lastActivityAt: now });
    const digest = nextDigest(rotated.digest);
    await store.rotate(rotated.digest, { revision: 0, now: NOW, changes: { digest, rotatedAt: NOW + 1 } });

    const digests = [expired, due, current, rotated].map((record) => record.digest);
    let outcomes: FindOutcome[] = [];
    const { sent, writes } = await countCommands(redis, async () => {
      outcomes = await findAll([newDigest(), ...digests, newDigest()], now);
    });
    expect(outcomes).toEqual([
      { status: 'absent' },
      { status: 'expired', ended: { id: expired.id, userId: 'alice' } },
      { status: 'live', record: { ...due, lastActivityAt: now, expiresAt: now + HOUR } },
      { status: 'live', record: current },
      { status: 'live', record: { ...rotated, digest, rotatedAt: NOW + 1, revision: 1 } },
      { status: 'absent' },
    ]);
    // the due one is touched, the expired one removed
    expect([sent, writes]).toEqual([1, 4]);
  });

  it('are activity of the token that each names', async () => {
    const now = NOW + MINUTE;
    const [successor, superseded, over] = [0, 1, 2].map(() => nextDigest(newDigest()));
    const tokens: OtherToken[] = [
      { hash: hashOf(successor!), kind: 'successor', at: NOW },
      { hash: hashOf(superseded!), kind: 'superseded', at: now + 1 },
      { hash: hashOf(over!), kind: 'superseded', at: now },
    ];
    const hashes = [successor, superseded, over, newDigest()].map((digest) => hashOf(digest!));
    const records = await Promise.all(hashes.map(() => add({ tokens })));
    const digests = records.map(({ digest }, place) => digestWith(digest, hashes[place]!));
    let outcomes: FindOutcome[] = [];
    const { sent, byName } = await countCommands(redis, async () => {
      outcomes = await findAll(digests, now);
    });
    expect(outcomes.map((outcome) => liveRecord(outcome).lastActivityAt)).toEqual([now, now, NOW, NOW]);
    expect(outcomes.map((outcome) => liveRecord(outcome).digest)).toEqual(records.map(({ digest }) => digest));
    expect([sent, byName['setrange']]).toEqual([1, 2]);
  });

  it('are at most a hundred a command', async () => {
    const records = await Promise.all(Array.from({ length: 250 }, () => add()));
    const shuffled = records.toSorted((one, other) => (one.digest < other.digest ? -1 : 1));
    const digests = shuffled.map((record) => record.digest);
    let outcomes: FindOutcome[] = [];
    const { sent, writes } = await countCommands(redis, async () => {
      outcomes = await findAll(digests, NOW);
    });
    expect(outcomes).toEqual(shuffled.map((record) => ({ status: 'live', record })));
    expect([sent, writes]).toEqual([3, 0]);
  });

  it('use the time of each request', async () => {
    const record = await add({ expiresAt: NOW + SECONDS });
    const outcomes = await Promise.all(
      [-1, -1, 0, -1].map((more) => store.find(record.digest, touchAt(NOW + SECONDS + more))),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['live', 'live', 'expired', 'absent']);
  });

  it('of one session do not share its data', async () => {
    const record = await add({ data: { cart: ['book'] } });
    const [first, second] = await findAll([record.digest, record.digest], NOW);
    expect(second).toEqual(first);
    (liveRecord(first!).data['cart'] as string[]).push('bread');
    expect(liveRecord(second!).data).toEqual({ cart: ['book'] });
  });

  it('of one session that has expired report its end once', async () => {
    const record = await add({ expiresAt: NOW + SECONDS });
    const outcomes = await findAll([record.digest, record.digest, record.digest], NOW + SECONDS);
    expect(outcomes.map(({ status }) => status)).toEqual(['expired', 'absent', 'absent']);
  });

  it('report an end also beside a key of another type', async () => {
    const [expired, broken] = [await add({ expiresAt: NOW + SECONDS }), await add()];
    await redis.multi().del(keyOf(broken.digest)).lpush(keyOf(broken.digest), 'x').exec();
    const reads = [expired, broken].map(({ digest }) => store.find(digest, touchAt(NOW + SECONDS)));
    expect(await Promise.allSettled(reads)).toMatchObject([
      { status: 'fulfilled', value: { status: 'expired', ended: { id: expired.id } } },
      { status: 'rejected', reason: { code: 'corrupt_session_record' } },
    ]);
  });

  it('of one session that is due touch it once', async () => {
    const record = await add();
    const { byName } = await countCommands(redis, async () => {
      const outcomes = await findAll([record.digest, record.digest], NOW + MINUTE);
      expect(outcomes.map((outcome) => liveRecord(outcome).lastActivityAt)).toEqual([NOW + MINUTE, NOW + MINUTE]);
    });
    expect(byName['setrange']).toBe(1);
  });

  it.each([
    ['no record', (key: string) => redis.set(key, 'nonsense')],
    ['cut off in its lines', async (key: string) => redis.set(key, (await redis.get(key))!.slice(0, 100))],
    ['without a time', async (key: string) => redis.setrange(key, 0, 'x')],
    ['of another type', async (key: string) => redis.multi().del(key).lpush(key, 'x').exec()],
  ])('do not fail with one whose value is %s', async (_, damage) => {
    const [sound, broken] = [await add(), await add()];
    await damage(keyOf(broken.digest));
    const reads = [broken, sound, broken, sound].map(({ digest }) => store.find(digest, touchAt(NOW)));
    const outcomes = await Promise.allSettled(reads);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toEqual({ status: 'fulfilled', value: { status: 'live', record: sound } });
    expect(outcomes[0]).toMatchObject({ reason: { code: 'corrupt_session_record' } });
  });

  it('all fail when there is no connection, and none hangs', async () => {
    const gone = new Redis(server.url, { lazyConnect: true });
    await gone.connect();
    const gonesStore = new RedisSessionStore(gone);
    gone.disconnect();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, () => gonesStore.find(newDigest(), touchAt(NOW))),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(outcomes.map(() => 'rejected'));
  });

  it('are refused alike for an answer of another length', async () => {
    // what a proxy or a module might do to a script's answer
    const short = new Redis(server.url);
    const answering = Object.assign(Object.create(short) as Redis, { evalsha: () => Promise.resolve(['x']) });
    const shortStore = new RedisSessionStore(answering);
    const outcomes = await Promise.allSettled([
      shortStore.find(newDigest(), touchAt(NOW)),
      shortStore.find(newDigest(), touchAt(NOW)),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    short.disconnect();
  });
});

describe('reads by a client that does not know that it asks a cluster', () => {
  let server: LocalRedis;
  let redis: Redis;

  beforeAll(async () => {
    server = await startLocalRedis({ args: ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'] });
    redis = new Redis(server.url);
    await serveAllSlots(redis);
  });

  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  it('return their results too, and are sent one by one from then on', async () => {
    const store = new RedisSessionStore(redis);
    const records = Array.from({ length: 5 }, (_, user) => {
      const digest = String.fromCharCode(97 + user).repeat(2) + newDigest().slice(2);
      return newRecord(undefined, { digest });
    });
    for (const record of records) await store.create(record, NO_LIMIT, NOW);
    const found = records.map((record) => ({ status: 'live', record }));
    const findAll = () => Promise.all(records.map(({ digest }) => store.find(digest, touchAt(NOW))));
    expect(await findAll()).toEqual(found);
    const { sent } = await countCommands(redis, async () => expect(await findAll()).toEqual(found));
    expect(sent).toBe(5);
  });
});
