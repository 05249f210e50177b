import { addedCpuRatio, caseOf, cpuRatio, throughputRatio, type Results } from './measured.ts';

/** One promise with what was found. */
export interface Verdict {
  readonly target: string;
  readonly asked: string;
  readonly found: string;
  readonly met: boolean;
}

/** The promises of `docs/performance.md`, judged by one run. */
export function judge(results: Results): Verdict[] {
  const { bytesPerSession, logout, forgedBurst } = results.extras;
  const atMost = (target: string, most: number, found: number): Verdict => ({
    target,
    asked: `at most ${most.toFixed(2)}`,
    found: found.toFixed(2),
    met: found <= most,
  });
  const atLeast = (target: string, least: number, found: number): Verdict => ({
    target,
    asked: `at least ${least.toFixed(2)}`,
    found: found.toFixed(2),
    met: found >= least,
  });
  const exactly = (target: string, asked: number, found: number): Verdict => ({
    target,
    asked: String(asked),
    found: String(Number(found.toFixed(3))),
    met: found === asked,
  });
  const added = (id: string, against: string): number => addedCpuRatio(results, id, against);
  const rate = (id: string, against: string): number => throughputRatio(results, id, against);
  const cpu = (id: string, against: string): number => cpuRatio(results, id, against);
  const storeOf = (id: string): { roundTrips: number; writes: number } => caseOf(results, id).store!;

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
      0.25,
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
    atMost('Redis: commands a guarded request', 1, storeOf('express/ours-redis').roundTrips),
    exactly('Redis: writes a guarded request inside touchInterval', 0, storeOf('express/ours-redis').writes),
    // reads of one moment share a statement
    atMost('PostgreSQL: transactions a guarded request', 1, storeOf('express/ours-postgres').roundTrips),
    exactly(
      'PostgreSQL: rows written a guarded request inside touchInterval',
      0,
      storeOf('express/ours-postgres').writes,
    ),
    exactly('Redis: commands a login with limit and index', 1, storeOf('express/login').roundTrips),
    // audit entries of many logins are written together, in transactions of their own
    atMost(
      'PostgreSQL: transactions a login with limit and index, its share of the audit log’s included',
      1.1,
      storeOf('express/login-postgres').roundTrips,
    ),
    exactly('Redis: commands a logout', 1, logout.store.roundTrips),
    exactly('Redis: commands a forged cookie', 0, storeOf('express/forged').roundTrips),
    atMost('forged cookie, Express: CPU against a valid one', 1, cpu('express/forged', 'express/ours-redis')),
    atMost('forged cookie, Fastify: CPU against a valid one', 1, cpu('fastify/forged', 'fastify/ours-redis')),
    atLeast(
      'forged burst, Fastify: valid requests against what the CPU left is good for beside other requests',
      0.9,
      forgedBurst.validPerSecond / forgedBurst.validExpected,
    ),
    atMost(
      'Redis: bytes a session against connect-redis, index included',
      1.3,
      bytesPerSession.ours / bytesPerSession.connectRedis,
    ),
  ];
}
