import { addedCpuRatio, caseOf, ratio, type MeasuredCase, type Results, type StoreWork } from './measured.ts';
import { estimateOf, exact, verdictOf, type Estimate, type Verdict } from './statistics.ts';

/** The library's default, in milliseconds. */
const TOUCH_INTERVAL = 60_000;

/** One promise with what was found. */
export interface Judgement {
  readonly target: string;
  readonly asked: string;
  readonly found: Estimate;
  readonly verdict: Verdict;
}

export function atMost(target: string, most: number, found: Estimate): Judgement {
  return { target, asked: `at most ${most.toFixed(2)}`, found, verdict: verdictOf(found, { atMost: most }) };
}

export function atLeast(target: string, least: number, found: Estimate): Judgement {
  return { target, asked: `at least ${least.toFixed(2)}`, found, verdict: verdictOf(found, { atLeast: least }) };
}

function exactly(target: string, asked: number, found: Estimate): Judgement {
  const verdict = found.low < found.high ? 'not resolved' : found.value === asked ? 'met' : 'missed';
  return { target, asked: String(asked), found, verdict };
}

/** Writes of a guarded request inside `touchInterval`: on a machine so slow that it passed meanwhile, nobody knows. */
export function untouchedWrites({ writes, milliseconds }: StoreWork): Estimate {
  return milliseconds < TOUCH_INTERVAL ? exact(writes) : { value: writes, low: -Infinity, high: Infinity };
}

/** What a driver may cost against another one of the same store. */
export function judgeDrivers(cases: readonly MeasuredCase[]): Judgement[] {
  const against = (store: string, adapter: string, one: string, other: string, most: number): Judgement =>
    atMost(
      `${store}, ${adapter === 'express' ? 'Express' : 'Fastify'}: CPU by ${one}`,
      most,
      ratio(cases, 'cpu', `${adapter}/ours-${one.split(' ')[0]}`, `${adapter}/ours-${other}`),
    );
  return ['express', 'fastify'].flatMap((adapter) => [
    against('Redis', adapter, 'node-redis against ioredis', 'redis', 1.1),
    against('PostgreSQL', adapter, 'pg against TypeORM', 'postgres', 1),
  ]);
}

/** What the near-cache has to save. */
export function judgeNearCache(cases: readonly MeasuredCase[]): Judgement[] {
  const rate = (id: string, against: string): Estimate =>
    ratio(cases, 'throughput', `fastify/${id}`, `fastify/${against}`);
  return [
    atLeast('near-cache, Redis: throughput against memory', 0.95, rate('ours-redis-near', 'ours-memory')),
    atLeast('near-cache, Redis: throughput against one bare GET', 1.25, rate('ours-redis-near', 'redis-get')),
    atLeast('near-cache, PostgreSQL: throughput against memory', 0.95, rate('ours-pg-near', 'ours-memory')),
    atLeast(
      'near-cache, PostgreSQL: throughput against one bare SELECT',
      1.25,
      rate('ours-pg-near', 'postgres-select'),
    ),
  ];
}

/** What is left of the distance to a Redis with the near-cache. */
export function judgeDistance(cases: readonly MeasuredCase[]): Judgement[] {
  const target = 'near-cache, Redis 1 ms away: median latency against memory';
  const latency = (suffix: string): Estimate =>
    ratio(cases, 'p50', `fastify/ours-redis-near-away${suffix}`, `fastify/ours-memory${suffix}`);
  return [
    atMost(`${target}, under load`, 1.1, latency('')),
    atMost(`${target}, one request at a time`, 1.1, latency('-alone')),
  ];
}

/** The promises of `docs/performance.md`, judged by one run. */
export function judge({ cases, extras: { bytesPerSession, logout, forgedBurst } }: Results): Judgement[] {
  const added = (id: string, against: string): Estimate => addedCpuRatio(cases, id, against);
  const rate = (id: string, against: string): Estimate => ratio(cases, 'throughput', id, against);
  const cpu = (id: string, against: string): Estimate => ratio(cases, 'cpu', id, against);
  const storeOf = (id: string): StoreWork => caseOf(cases, id).store!;

  return [
    atMost(
      'Redis, Express: added CPU against express-session + connect-redis',
      0.5,
      added('express/ours-redis', 'express/peer-redis'),
    ),
    atMost(
      'Redis, Fastify: added CPU against @fastify/session',
      0.45,
      added('fastify/ours-redis', 'fastify/peer-redis'),
    ),
    atMost(
      'PostgreSQL, Express: added CPU against connect-pg-simple',
      0.4,
      added('express/ours-postgres', 'express/peer-postgres'),
    ),
    atMost(
      'memory, Express: added CPU against express-session’s MemoryStore',
      0.35,
      added('express/ours-memory', 'express/peer-memory'),
    ),
    atLeast('Redis, Express: throughput against one bare GET', 0.92, rate('express/ours-redis', 'express/redis-get')),
    atLeast('Redis, Fastify: throughput against one bare GET', 0.88, rate('fastify/ours-redis', 'fastify/redis-get')),
    atLeast(
      'Redis, Express: throughput against express-session + connect-redis',
      1.25,
      rate('express/ours-redis', 'express/peer-redis'),
    ),
    atLeast(
      'Redis, Fastify: throughput against @fastify/session',
      1.6,
      rate('fastify/ours-redis', 'fastify/peer-redis'),
    ),
    ...judgeDrivers(cases),
    ...judgeNearCache(cases),
    atLeast(
      'PostgreSQL, Express: throughput against one bare SELECT',
      0.88,
      rate('express/ours-postgres', 'express/postgres-select'),
    ),
    atLeast(
      'PostgreSQL, Fastify: throughput against one bare SELECT',
      0.88,
      rate('fastify/ours-postgres', 'fastify/postgres-select'),
    ),
    atLeast(
      'CSRF, Express: throughput of a POST against the same without',
      0.95,
      rate('express/post-csrf', 'express/post'),
    ),
    atLeast(
      'CSRF, Fastify: throughput of a POST against the same without',
      0.95,
      rate('fastify/post-csrf', 'fastify/post'),
    ),
    atMost('Redis: commands a guarded request', 1, exact(storeOf('express/ours-redis').roundTrips)),
    exactly('Redis: writes a guarded request inside touchInterval', 0, untouchedWrites(storeOf('express/ours-redis'))),
    // reads of one moment share a statement
    atMost('PostgreSQL: transactions a guarded request', 1, exact(storeOf('express/ours-postgres').roundTrips)),
    exactly(
      'PostgreSQL: rows written a guarded request inside touchInterval',
      0,
      untouchedWrites(storeOf('express/ours-postgres')),
    ),
    exactly('Redis: commands a login with limit and index', 1, exact(storeOf('express/login').roundTrips)),
    // audit entries of many logins are written together, in transactions of their own
    atMost(
      'PostgreSQL: transactions a login with limit and index, its share of the audit log’s included',
      1.1,
      exact(storeOf('express/login-postgres').roundTrips),
    ),
    exactly('Redis: commands a logout', 1, exact(logout.commands)),
    exactly('Redis: commands a forged cookie', 0, exact(storeOf('express/forged').roundTrips)),
    atMost('forged cookie, Express: CPU against a valid one', 1, cpu('express/forged', 'express/ours-redis')),
    atMost('forged cookie, Fastify: CPU against a valid one', 1, cpu('fastify/forged', 'fastify/ours-redis')),
    atLeast(
      'forged burst, Fastify: valid requests against what the CPU left is good for beside other requests',
      0.9,
      estimateOf(forgedBurst.map((each) => each.validPerSecond / each.validExpected)),
    ),
    atMost(
      'Redis: bytes a session against connect-redis, index included',
      1.3,
      exact(bytesPerSession.ours / bytesPerSession.connectRedis),
    ),
  ];
}
