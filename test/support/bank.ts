import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import type { INestApplication, LoggerService, ModuleMetadata, NestApplicationOptions } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Redis, type RedisOptions } from 'ioredis';
import {
  Clock,
  MemoryRememberMeTokenStore,
  MemorySessionStore,
  realmToken,
  SessionAuthModule,
  SessionEventPublisher,
  type SessionAuthExtras,
  type SessionAuthOptions,
  type SessionEvent,
  type StorageOptions,
} from 'nestjs-session-auth';
import { redisStorage } from 'nestjs-session-auth/redis';
import type { DataSource } from 'typeorm';
import { BANK, bankSessions, officeSessions } from '../../src/bank.module.js';
import { OFFICE } from '../../src/office/office-realm.js';
import { OfficeModule } from '../../src/office/office.module.js';
import { BankClient, type Answer, type Ask } from './bank-client.js';
import { atFileEnd } from './file-end.js';
import { ADAPTERS, makeServer, senderFor, SERVERS, type ServerName } from './http-server.js';
import { ManualClock } from './manual-clock.js';
import type { TestDatabase } from './postgres-database.js';
import type { Certificate } from './self-signed-certificate.js';
import { steadyLink } from './steady-link.js';

export { ADAPTERS, SERVERS, type ServerName };
export const STORES = ['memory', 'redis', 'postgres'] as const;
/** PostgreSQL without TypeORM: by a pool of `pg`, and by an executor. */
export const WITHOUT_ORM = ['pg', 'executor'] as const;
export type StoreName = (typeof STORES)[number] | (typeof WITHOUT_ORM)[number] | 'node-redis' | 'mysql' | 'sqlite';

/** Whether tests run on SQLite in the place of every other store: its driver is installed in `test/stacks` only. */
const IS_ON_SQLITE = process.env['TEST_SQLITE_FROM'] !== undefined;

/** Every adapter with every store: the rows of a `describe.each`. */
export const EVERYWHERE: readonly { readonly adapter: ServerName; readonly store: StoreName }[] = ADAPTERS.flatMap(
  (adapter) => (IS_ON_SQLITE ? (['sqlite'] as const) : STORES).map((store) => ({ adapter, store })),
);

/** {@link EVERYWHERE}, and the other ways to these stores on one adapter each. */
export const ON_EVERY_STACK: readonly { readonly adapter: ServerName; readonly store: StoreName }[] = [
  ...EVERYWHERE,
  ...(IS_ON_SQLITE
    ? []
    : ([
        { adapter: 'fastify', store: 'pg' },
        { adapter: 'express', store: 'executor' },
        { adapter: 'fastify', store: 'node-redis' },
      ] as const)),
];

/** Every adapter with MariaDB, whose tests take those of PostgreSQL as their model. */
export const ON_MYSQL = IS_ON_SQLITE ? [] : ADAPTERS.map((adapter) => ({ adapter, store: 'mysql' as const }));

// Set by `openBackend` once a test uses PostgreSQL.
let postgres: typeof import('./postgres-backend.js') | undefined;

atFileEnd(() => postgres?.dropSharedDatabases());

/** A backend that several nodes can share. */
export interface Backend {
  /** Asked for anew, it is on connections of its own, as those of another node are. */
  readonly storage: StorageOptions;
  /**
   * As `storage`, and sessions that end or change are told to all nodes, over a {@link steadyLink} unless the backend
   * is on a server of the test's own. Only of {@link openBackend}.
   */
  readonly linkedStorage?: StorageOptions;
  /** The client, for looking into Redis; undefined elsewhere. */
  readonly redis: Redis | undefined;
  /** For looking into PostgreSQL; undefined elsewhere. */
  readonly dataSource?: DataSource;
  /** What all keys of this backend begin with. */
  readonly namespace: string;
  close(): Promise<void>;
}

/**
 * An empty backend. On Redis it has keys of its own on the run's server, or all of the server at `url`; on PostgreSQL,
 * MariaDB and SQLite a database that no other test uses meanwhile.
 *
 * @param options of the client of Redis, where it is one of `ioredis`
 * @param pool of the DataSource on PostgreSQL
 */
export async function openBackend(
  store: StoreName,
  url?: string,
  options: RedisOptions = {},
  pool: Parameters<TestDatabase['open']>[0] = {},
): Promise<Backend> {
  const namespace = `t${randomBytes(6).toString('hex')}:`;
  if (store === 'memory') {
    const sessions = { useValue: new MemorySessionStore() };
    const rememberMe = { useValue: new MemoryRememberMeTokenStore() };
    const storage = { sessions, rememberMe };
    return { storage, linkedStorage: storage, redis: undefined, namespace, close: () => Promise.resolve() };
  }
  if (store === 'sqlite') return (await import('./sqlite-backend.js')).openSqliteBackend(namespace);
  if (store === 'mysql') return (await import('./mysql-backend.js')).openMysqlBackend(namespace);
  if (store === 'node-redis') return (await import('./node-redis-backend.js')).openNodeRedisBackend(namespace, url);
  if (store !== 'redis') {
    // loaded where it is used: TypeORM takes longer to load than many a file to run
    postgres ??= await import('./postgres-backend.js');
    return postgres.openPostgresBackend(namespace, url, pool, store);
  }
  const redis = new Redis(url ?? process.env['TEST_REDIS_URL']!, { ...options, lazyConnect: true });
  // what a test breaks shows in what the bank answers
  redis.on('error', () => undefined);
  await redis.connect();
  const nodes: Redis[] = [];
  const storage = (link: boolean): StorageOptions => {
    const client = redis.duplicate({ lazyConnect: false }).on('error', () => undefined);
    nodes.push(client);
    const opened = redisStorage({ client, namespace, link });
    return link && url === undefined ? steadyLink(opened) : opened;
  };
  const backend: Backend = {
    get storage() {
      return storage(false);
    },
    redis,
    namespace,
    close: async () => {
      const keys = await redis.keys(`${namespace}*`);
      if (keys.length > 0) await redis.del(...keys);
      for (const client of [redis, ...nodes]) client.disconnect();
    },
  };
  // whoever spreads a backend would open a connection more
  return Object.defineProperty(backend, 'linkedStorage', { get: () => storage(true), enumerable: false });
}

/** One running node of the bank. */
export interface Bank {
  readonly app: INestApplication;
  readonly port: number;
  readonly clock: ManualClock;
  /** Every event since the start. */
  readonly events: SessionEvent[];
  /** Every line logged since the start. */
  readonly log: string[];
  /** A client without cookies. */
  readonly client: () => BankClient;
  /** One request by a client that keeps nothing. */
  readonly send: (method: string, path: string, ask?: Ask) => Promise<Answer>;
  close(): Promise<void>;
}

/** How a node differs from the demo. */
export interface BankSetup {
  readonly adapter: ServerName;
  readonly backend: Backend;
  /** @default TEST_SECRETS */
  readonly secrets?: readonly string[];
  readonly options?: Partial<SessionAuthOptions & SessionAuthExtras>;
  /** More controllers and the like, next to the bank's. */
  readonly module?: ModuleMetadata;
  readonly clock?: ManualClock;
  /** Clients say their address in `X-Forwarded-For`. @default false */
  readonly trustProxy?: boolean;
  /** With the back office, a second realm. @default the bank alone */
  readonly office?: boolean;
  /** Speak TLS by this. @default plain HTTP */
  readonly certificate?: Certificate;
  /** Which pages of other origins may read answers. @default none */
  readonly cors?: NestApplicationOptions['cors'];
}

export const TEST_SECRETS = ['a test secret that everybody may know, 1'];

/**
 * What keeps chance out of a test. A store on a machine that stands still for a moment is not away, and a cleanup that
 * begins by itself would come among what a test counts: what is about either sets it.
 */
const STEADY: Partial<SessionAuthOptions> = { storeTimeout: '20s', cleanup: false };

/** Starts a node of the bank on a free port, on a clock that can be moved. */
export async function startBank(setup: BankSetup): Promise<Bank> {
  const { adapter, backend, secrets = TEST_SECRETS, options = {}, module = {}, clock = new ManualClock() } = setup;
  const given = { secrets, storage: backend.storage };
  const quick = { ...STEADY, passwords: { cost: 4 } };
  const office =
    setup.office === true ? [SessionAuthModule.forRoot({ ...officeSessions(given), ...quick }), OfficeModule] : [];
  const log: string[] = [];
  const testing = await Test.createTestingModule({
    ...module,
    imports: [
      ...(module.imports ?? []),
      SessionAuthModule.forRoot({ ...bankSessions(given), ...quick, ...options }),
      ...BANK.imports,
      ...office,
    ],
    controllers: [...BANK.controllers, ...(module.controllers ?? [])],
  })
    .overrideProvider(Clock)
    .useValue(clock)
    .overrideProvider(realmToken(OFFICE, Clock))
    .useValue(clock)
    .setLogger(collector(log))
    .compile();
  const { certificate, trustProxy = false, cors } = setup;
  const httpAdapter = makeServer(adapter, trustProxy, certificate);
  const app = testing.createNestApplication(httpAdapter, { logger: collector(log), httpsOptions: certificate, cors });
  const events: SessionEvent[] = [];
  app.get(SessionEventPublisher).subscribe((event) => void events.push(event));
  await app.listen(0, '127.0.0.1');
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  const sendBy = senderFor(adapter);
  return {
    app,
    port,
    clock,
    events,
    log,
    client: () => new BankClient(port, sendBy),
    send: (method, path, ask) => sendBy(port, method, path, ask),
    close: () => app.close(),
  };
}

function collector(lines: string[]): LoggerService {
  const add = (...parts: unknown[]): void => void lines.push(parts.map(String).join(' '));
  return { log: add, error: add, warn: add, debug: add, verbose: add };
}
