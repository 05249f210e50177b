import 'reflect-metadata';
import { setTimeout as delay } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { CreateSessionAuthTables, TypeOrmSessionStore } from 'nestjs-session-auth/typeorm';
import { resolvePostgres } from '../src/local-services/local-postgres.ts';
import { newRecord } from './session-records.ts';

/*
 * A million expired rows are swept by two nodes while logins and reads go on. Reported: how long the sweep took, that
 * the counts add up exactly once, the longest wait for a lock that PostgreSQL's own pg_locks showed (looked at every
 * few milliseconds), and the latencies of logins and reads before and during the sweep.
 *
 *   npm run bench:cleanup            npm run bench:cleanup -- 100000
 */
const ROWS = Number(process.argv[2] ?? 1_000_000);
const LIVE = 5000;
const NOW = Date.now();
const HOUR = 3_600_000;

interface Latencies {
  readonly reads: number[];
  readonly logins: number[];
}

async function main(): Promise<void> {
  const service = await resolvePostgres({ log: print });
  const open = async (): Promise<DataSource> =>
    new DataSource({ type: 'postgres', url: service.url, migrations: [CreateSessionAuthTables] }).initialize();
  const sources = [await open(), await open(), await open()];
  try {
    await sources[0]!.runMigrations();
    await fill(sources[0]!);
    const stores = sources.map((source) => new TypeOrmSessionStore(source));
    const digests = await liveSessions(stores[2]!);

    const before = await traffic(stores[2]!, digests, until(5000));
    const watch = watchLocks(await open());
    const startedAt = Date.now();
    let swept = false;
    const during = traffic(stores[2]!, digests, () => swept);
    const counts = await Promise.all(stores.slice(0, 2).map(sweep));
    swept = true;
    const took = Date.now() - startedAt;
    const latencies = await during;
    const longestWait = await watch.stop();

    print(`swept ${counts.join(' + ')} = ${counts[0]! + counts[1]!} of ${ROWS} rows in ${(took / 1000).toFixed(1)} s`);
    print(`longest wait for a lock seen in pg_locks: ${longestWait.toFixed(1)} ms, in ${watch.looks()} looks`);
    for (const [name, when] of [
      ['before', before],
      ['during', latencies],
    ] as const) {
      print(`${name}: reads ${describe(when.reads)}; logins ${describe(when.logins)}`);
    }
  } finally {
    for (const source of sources) await source.destroy();
    await service.stop();
  }
}

async function fill(source: DataSource): Promise<void> {
  print(`filling in ${ROWS} expired sessions`);
  await source.query(
    `INSERT INTO session_auth_session (handle, digest, user_id, roles, created_at, rotated_at, last_activity_at,
       expires_at, absolute_expires_at, data, sweep_at)
     SELECT handle, 'aa' || handle || lpad('d', 43, '0'), 'user' || (i % ($1::bigint / 3 + 1)), '[]',
       $2::bigint, $2, $2, $2 + i % 1000, $2 + 1000, '{}', $2 + i % 1000
     FROM generate_series(1, $1::bigint) AS i, concat('h', lpad(i::text, 19, '0')) AS handle`,
    [ROWS, NOW - 2 * HOUR],
  );
  await source.query('ANALYZE session_auth_session');
}

async function liveSessions(store: TypeOrmSessionStore): Promise<string[]> {
  const digests: string[] = [];
  for (let i = 0; i < LIVE; i += 1) {
    const record = newRecord(`live${i}`);
    await store.create(record, { max: Infinity, onLimit: 'reject' }, Date.now());
    digests.push(record.digest);
  }
  return digests;
}

async function sweep(store: TypeOrmSessionStore): Promise<number> {
  let removed = 0;
  for (let idle = 0; idle < 3;) {
    const { length } = await store.deleteExpired(NOW, 1000);
    removed += length;
    // rows that the other node holds are passed over: look again before giving up
    idle = length === 0 ? idle + 1 : 0;
  }
  return removed;
}

/** Four readers, each touching what it reads, and two who log in at a limit of three. */
async function traffic(
  store: TypeOrmSessionStore,
  digests: readonly string[],
  done: () => boolean,
): Promise<Latencies> {
  const reads: number[] = [];
  const logins: number[] = [];
  const time = async (into: number[], work: () => Promise<unknown>): Promise<void> => {
    while (!done()) {
      const from = performance.now();
      await work();
      into.push(performance.now() - from);
      await delay(2);
    }
  };
  const any = (below: number): number => Math.floor(Math.random() * below);
  const read = (): Promise<unknown> =>
    store.find(digests[any(digests.length)]!, { now: Date.now(), idle: HOUR, interval: 1000 });
  const login = (): Promise<unknown> =>
    store.create(newRecord(`user${any(1000)}`), { max: 3, onLimit: 'evict-oldest' }, Date.now());
  await Promise.all([...[1, 2, 3, 4].map(() => time(reads, read)), ...[1, 2].map(() => time(logins, login))]);
  return { reads, logins };
}

function watchLocks(source: DataSource): { stop(): Promise<number>; looks(): number } {
  let longest = 0;
  let looks = 0;
  let stopped = false;
  const watching = (async () => {
    while (!stopped) {
      const [row] = await source.query<{ wait: string | null }[]>(
        'SELECT max(extract(epoch FROM clock_timestamp() - waitstart) * 1000) AS wait FROM pg_locks WHERE NOT granted',
      );
      longest = Math.max(longest, Number(row?.wait ?? 0));
      looks += 1;
      await delay(3);
    }
  })();
  return {
    looks: () => looks,
    stop: async () => {
      stopped = true;
      await watching;
      await source.destroy();
      return longest;
    },
  };
}

function until(milliseconds: number): () => boolean {
  const end = Date.now() + milliseconds;
  return () => Date.now() >= end;
}

function describe(latencies: number[]): string {
  const sorted = latencies.sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(1);
  return `${sorted.length} times, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main();
