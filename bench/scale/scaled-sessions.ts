import { statfs } from 'node:fs/promises';
import { freemem, tmpdir } from 'node:os';
import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Redis } from 'ioredis';
import { SessionAuthModule, SessionLifecycleService, type StorageOptions } from 'nestjs-session-auth';
import { redisStorage } from 'nestjs-session-auth/redis';
import { CreateSessionAuthTables, typeOrmStorage } from 'nestjs-session-auth/typeorm';
import { DataSource } from 'typeorm';
import { USER_AGENT } from '../servers/session-payload.ts';
import { fillRedis } from './redis-fill.ts';

/** What the ids of users begin with who may have three sessions; the others have no limit. */
export const LIMITED = 'probe';

/** Sessions of this library in one store, as an application has them, and the means to make very many of them. */
export interface ScaledSessions {
  readonly name: string;
  readonly lifecycle: SessionLifecycleService;
  /** Makes live sessions, three or four a user, until there are so many. */
  fillTo(size: number): Promise<void>;
  /** The store's own round trip: what nothing can be faster than. */
  roundTrip(): Promise<unknown>;
  /** Bytes a session, indexes included. */
  bytes(): Promise<number>;
  /** Whether there is room for so many sessions in all. */
  hasRoomFor(size: number): Promise<boolean>;
  close(): Promise<void>;
}

const SESSIONS_A_USER = 10 / 3;
const ROWS_AT_ONCE = 100_000;
const HOUR = 3_600_000;

/** The client of every session here. */
export const CLIENT = { ip: '192.0.2.1', userAgent: USER_AGENT };

/** Bytes of memory for a session, and for what Redis needs besides while its tables grow. */
const REDIS_BYTES = 1200;
/** Bytes on disk for a session, with the log of the writes and what VACUUM needs. */
const POSTGRES_BYTES = 2500;

/** In Redis: filled with what logins would write. */
export async function openRedis(url: string): Promise<ScaledSessions> {
  const client = new Redis(url);
  const app = await open(redisStorage({ client }));
  const lifecycle = app.get(SessionLifecycleService);
  const usedMemory = async (): Promise<number> => Number(/used_memory:(\d+)/.exec(await client.info('memory'))![1]);
  const empty = await usedMemory();
  let made = 0;
  return {
    name: 'Redis',
    lifecycle,
    async fillTo(size) {
      await fillRedis(client, made, size, (number) => {
        const { id, email, roles } = accountOf(`user${Math.floor(number / SESSIONS_A_USER)}`);
        return { userId: id, email, roles, ...CLIENT, fingerprint: FINGERPRINT };
      });
      made = size;
    },
    roundTrip: () => client.ping(),
    bytes: async () => ((await usedMemory()) - empty) / made,
    hasRoomFor: (size) => Promise.resolve(freemem() > (size - made) * REDIS_BYTES),
    async close() {
      await app.close();
      client.disconnect();
    },
  };
}

/** In PostgreSQL: filled by statements that insert many rows of the same form as a login's. */
export async function openPostgres(url: string): Promise<ScaledSessions> {
  const database = TypeOrmModule.forRoot({
    type: 'postgres',
    url,
    migrations: [CreateSessionAuthTables],
    migrationsRun: true,
  });
  const app = await open(typeOrmStorage(), [database]);
  const source = app.get(DataSource);
  let made = 0;
  return {
    name: 'PostgreSQL',
    lifecycle: app.get(SessionLifecycleService),
    async fillTo(size) {
      for (; made < size; made = Math.min(made + ROWS_AT_ONCE, size)) {
        await source.query(FILL, [made, Math.min(made + ROWS_AT_ONCE, size) - 1, Date.now(), USER_AGENT, FINGERPRINT]);
      }
      // what autovacuum does in the background of a database that grows
      await source.query('VACUUM ANALYZE session_auth_session');
    },
    roundTrip: () => source.query('SELECT 1'),
    async bytes() {
      const [row] = await source.query<{ bytes: string }[]>(
        `SELECT pg_total_relation_size('session_auth_session') AS bytes`,
      );
      return Number(row!.bytes) / made;
    },
    async hasRoomFor(size) {
      const { bavail, bsize } = await statfs(tmpdir());
      return bavail * bsize > (size - made) * POSTGRES_BYTES;
    },
    close: () => app.close(),
  };
}

/** As long as that of the default signals. */
const FINGERPRINT = 'f'.repeat(60);

const FILL = `
INSERT INTO session_auth_session (handle, digest, user_id, email, roles, created_at, authenticated_at, authentication,
  rotated_at, last_activity_at, expires_at, absolute_expires_at, ip, user_agent, fingerprint, data, sweep_at)
SELECT handle, 'aa' || handle || substr(md5('a' || i) || md5('b' || i), 1, 43), 'user' || (i * 3 / 10),
  'user' || (i * 3 / 10) || '@example.com', '["customer"]', $3::bigint, $3, 'password',
  $3, $3, $3 + ${HOUR}, $3 + ${24 * HOUR}, '192.0.2.1', $4, $5, '{}', $3 + ${HOUR}
FROM generate_series($1::bigint, $2::bigint) AS i, substr(md5('handle' || i), 1, 20) AS handle`;

/** An account as a login hands it over. */
export function accountOf(id: string): { id: string; email: string; roles: string[] } {
  return { id, email: `${id}@example.com`, roles: ['customer'] };
}

function open(
  storage: StorageOptions,
  imports: DynamicModule[] = [],
): ReturnType<typeof NestFactory.createApplicationContext> {
  @Module({
    imports: [
      ...imports,
      SessionAuthModule.forRoot({
        secrets: ['the secret of a benchmark, of more than 32 bytes'],
        storage,
        concurrency: ({ id }) => ({ max: String(id).startsWith(LIMITED) ? 3 : Infinity, onLimit: 'evict-oldest' }),
        cleanup: false,
      }),
    ],
  })
  class ScaleModule {}
  return NestFactory.createApplicationContext(ScaleModule, { logger: false });
}
