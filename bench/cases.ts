import type { RequestKind } from './requests.ts';
import type { ServerSpec } from './servers/server-spec.ts';

/** One row of the report: a server and what it is asked. */
export interface Case {
  readonly id: string;
  readonly title: string;
  readonly spec: ServerSpec;
  readonly kind: RequestKind;
  /** How many requests are under way at a time. @default as many as {@link CONNECTIONS} of the fleet */
  readonly connections?: number;
}

type Adapter = ServerSpec['adapter'];

function row(id: string, title: string, spec: ServerSpec, kind: RequestKind = 'read'): Case {
  return { id: `${spec.adapter}/${id}`, title, spec, kind };
}

function onBoth(adapter: Adapter): Case[] {
  const ours = (store: ServerSpec['store']): ServerSpec => ({ contender: 'ours', adapter, store });
  return [
    row('bare', 'bare route', { contender: 'bare', adapter }),
    row('redis-get', 'bare route + one ioredis GET', { contender: 'redis-get', adapter, store: 'redis' }),
    row('postgres-select', 'bare route + one pg SELECT', { contender: 'postgres-select', adapter, store: 'postgres' }),
    row('ours-memory', 'nestjs-session-auth, memory', ours('memory')),
    row('ours-redis', 'nestjs-session-auth, Redis', ours('redis')),
    row('ours-node-redis', 'nestjs-session-auth, Redis by node-redis', { ...ours('redis'), client: 'node-redis' }),
    row('ours-postgres', 'nestjs-session-auth, PostgreSQL by TypeORM', ours('postgres')),
    row('ours-pg', 'nestjs-session-auth, PostgreSQL by pg', { ...ours('postgres'), client: 'pg' }),
    row('ours-mariadb', 'nestjs-session-auth, MariaDB by mysql2', ours('mariadb')),
    // compiled for minutes, so not installed with the other peers
    ...(process.env['BENCH_SQLITE_FROM'] === undefined
      ? []
      : [row('ours-sqlite', 'nestjs-session-auth, SQLite by better-sqlite3', ours('sqlite'))]),
    row('post', 'POST, nestjs-session-auth, Redis', ours('redis'), 'act'),
    row('post-csrf', 'POST + CSRF, nestjs-session-auth, Redis', ours('redis'), 'act-with-csrf'),
    row('forged', 'forged cookie, nestjs-session-auth, Redis', ours('redis'), 'forged'),
    row('login', 'login at a limit of 3, nestjs-session-auth, Redis', ours('redis'), 'login'),
  ];
}

const peer = (store: 'memory' | 'redis' | 'postgres'): ServerSpec => ({
  contender: 'express-session',
  adapter: 'express',
  store,
});

const near = (spec: Omit<ServerSpec, 'contender' | 'adapter'>): ServerSpec => ({
  contender: 'ours',
  adapter: 'fastify',
  nearCache: true,
  ...spec,
});

const NEAR = [
  row('ours-redis-near', 'nestjs-session-auth, Redis with near-cache', near({ store: 'redis' })),
  row(
    'ours-pg-near',
    'nestjs-session-auth, PostgreSQL by pg with near-cache',
    near({ store: 'postgres', client: 'pg' }),
  ),
] as const;

/** All that is measured, in the order of the report. */
export const CASES: readonly Case[] = [
  ...onBoth('express'),
  row(
    'login-postgres',
    'login at a limit of 3, nestjs-session-auth, PostgreSQL',
    {
      contender: 'ours',
      adapter: 'express',
      store: 'postgres',
    },
    'login',
  ),
  row('peer-memory', 'express-session + MemoryStore', peer('memory')),
  row('peer-redis', 'express-session + connect-redis', peer('redis')),
  row('peer-postgres', 'express-session + connect-pg-simple', peer('postgres')),
  row('better-auth', 'better-auth, Redis', { contender: 'better-auth', adapter: 'express', store: 'redis' }),
  row('peer-login', 'login without a limit, express-session + connect-redis', peer('redis'), 'login'),
  ...onBoth('fastify'),
  row('peer-redis', '@fastify/session + connect-redis', {
    contender: 'fastify-session',
    adapter: 'fastify',
    store: 'redis',
  }),
  ...NEAR,
];

const DRIVERS = new Set([
  'bare',
  'ours-memory',
  'ours-redis',
  'ours-node-redis',
  'ours-postgres',
  'ours-pg',
  'ours-mariadb',
  'ours-sqlite',
]);

/** The library on each store and driver, without peers. */
export const DRIVER_CASES: readonly Case[] = CASES.filter(({ id }) => DRIVERS.has(id.split('/')[1]!));

const distant = (nearCache: boolean): ServerSpec => near({ store: 'redis', redisDelay: 1, nearCache });
const COMPARED = new Set(['bare', 'redis-get', 'postgres-select', 'ours-memory', 'ours-redis', 'ours-pg']);
const oneAtATime = (id: string, title: string, spec: ServerSpec): Case => ({
  ...row(`${id}-alone`, title, spec),
  connections: 1,
});

/** The near-cache on Fastify, beside what it is compared with; without peers. */
export const NEAR_CACHE_CASES: readonly Case[] = [
  ...onBoth('fastify').filter(({ id }) => COMPARED.has(id.split('/')[1]!)),
  ...NEAR,
  row('ours-redis-away', 'nestjs-session-auth, Redis 1 ms away', distant(false)),
  row('ours-redis-near-away', 'nestjs-session-auth, Redis 1 ms away with near-cache', distant(true)),
  oneAtATime('ours-memory', 'memory', { contender: 'ours', adapter: 'fastify', store: 'memory' }),
  oneAtATime('ours-redis-away', 'Redis 1 ms away', distant(false)),
  oneAtATime('ours-redis-near-away', 'Redis 1 ms away with near-cache', distant(true)),
];
