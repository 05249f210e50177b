import 'reflect-metadata';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { SessionStore } from 'nestjs-session-auth';
import { createTablesSql, PostgresSessionStore } from 'nestjs-session-auth/postgres';
import { RedisSessionStore } from 'nestjs-session-auth/redis';
import { Stores } from './processes/stores.ts';
import { newRecord } from './session-records.ts';
import { estimateOf } from './statistics.ts';

/*
 * What it costs to tell of each end: logouts a second of sixteen clients, with `link: true` and without, by turns,
 * while nobody and while one node listens. PostgreSQL serialises the commits of transactions that notify, so it is
 * measured with commits that are flushed to the disk, too.
 *
 *   npm run bench:link
 */
const ROUNDS = 21;
const CLIENTS = 16;
const LOGOUTS = 1600;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const stores = await Stores.start(say);
const clients: Redis[] = [];
const pools: pg.Pool[] = [];
try {
  const redis = (): Redis => {
    const client = new Redis(stores.redisUrl);
    clients.push(client);
    return client;
  };
  await compare('Redis', (link) => new RedisSessionStore(redis(), { link }));
  for (const isFlushed of [false, true]) {
    const set = isFlushed ? 'on' : 'off';
    for (const name of ['fsync', 'synchronous_commit'])
      await stores.postgres.query(`ALTER SYSTEM SET ${name} = ${set}`);
    await stores.postgres.query('SELECT pg_reload_conf()');
    const url = await stores.newDatabase();
    const pool = (): pg.Pool => {
      const made = new pg.Pool({ connectionString: url, max: CLIENTS });
      pools.push(made);
      return made;
    };
    await pool().query(createTablesSql());
    await compare(
      `PostgreSQL, commits ${isFlushed ? '' : 'not '}flushed`,
      (link) => new PostgresSessionStore(pool(), { link }),
    );
  }
} finally {
  for (const client of clients) client.disconnect();
  await Promise.all(pools.map((pool) => pool.end()));
  await stores.stop();
}

async function compare(name: string, open: (link: boolean) => SessionStore): Promise<void> {
  const [plain, linked] = [open(false), open(true)];
  const link = linked.link?.();
  if (link === undefined) throw new Error(`${name} was opened without its link`);
  await logouts(plain);
  await logouts(linked);
  for (const isHeard of [false, true]) {
    const stop = isHeard ? link.watch(() => undefined) : undefined;
    const ratios: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      // the second of the two meets a server that the first has warmed up
      const first = round % 2 === 0;
      const a = await logouts(first ? plain : linked);
      const b = await logouts(first ? linked : plain);
      ratios.push(first ? b / a : a / b);
    }
    stop?.();
    const { value, low, high } = estimateOf(ratios);
    const heard = isHeard ? 'one node listens' : 'nobody listens';
    say(
      `${name}, ${heard}: logouts a second ${value.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)}) of those without`,
    );
  }
}

/** Signs in and out; returns how many logouts a second there were. */
async function logouts(store: SessionStore): Promise<number> {
  const digests: string[] = [];
  await inParallel(LOGOUTS, async (i) => {
    const record = newRecord(`user-${i}`);
    await store.create(record, { max: Infinity, onLimit: 'reject' }, Date.now());
    digests.push(record.digest);
  });
  const from = performance.now();
  await inParallel(LOGOUTS, (i) => store.delete(digests[i]!, Date.now(), 'logout'));
  return (LOGOUTS * 1000) / (performance.now() - from);
}

async function inParallel(count: number, work: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}
