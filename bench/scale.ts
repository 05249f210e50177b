import 'reflect-metadata';
import { mkdir, writeFile } from 'node:fs/promises';
import { installPeers } from './peers.ts';
import { Stores } from './processes/stores.ts';
import { replaceBlock } from './report/publish.ts';
import { scaleTables } from './report/scale-tables.ts';
import { measureCrowd, measureSize, type CrowdFigures, type SizeFigures } from './scale/measure-scale.ts';
import { openPostgres, openRedis, type ScaledSessions } from './scale/scaled-sessions.ts';
import { connectRedisBytes } from './scale/connect-redis-bytes.ts';

/*
 * Whether the cost of an operation grows with the number of live sessions: the same operations at 1,000 to
 * 10,000,000 sessions of 3,000,000 users, in Redis and in PostgreSQL; then one user with 10,000 sessions. A size that
 * the memory or the disk has no room for is left out.
 *
 *   npm run bench:scale               npm run bench:scale -- 100000 (the most sessions)       … -- publish (into docs/)
 */
const BENCH = new URL('../../', import.meta.url);
const SIZES = [1000, 10_000, 100_000, 1_000_000, 10_000_000];
const CROWD = 10_000;

/** What a run found of one store. */
export interface ScaleFigures {
  readonly store: string;
  readonly sizes: readonly SizeFigures[];
  readonly crowd: CrowdFigures;
}

const words = process.argv.slice(2);
const most = Number(words.find((word) => /^\d+$/.test(word)) ?? Infinity);
installPeers(BENCH, print);
const stores = await Stores.start(print);
try {
  const redis = await climb(await openRedis(stores.redisUrl));
  await stores.redis.flushall();
  const figures = [redis, await climb(await openPostgres(await stores.newDatabase()))];
  const peerBytes = await connectRedisBytes(stores);
  const text = scaleTables(figures, peerBytes);
  await mkdir(new URL('results/', BENCH), { recursive: true });
  await writeFile(new URL('results/scale.json', BENCH), `${JSON.stringify({ figures, peerBytes }, undefined, 2)}\n`);
  await writeFile(new URL('results/scale.md', BENCH), `${text}\n`);
  process.stdout.write(`${text}\n`);
  if (words.includes('publish')) await replaceBlock('scale', text, new URL('../docs/', BENCH));
} finally {
  await stores.stop();
}

async function climb(sessions: ScaledSessions): Promise<ScaleFigures> {
  try {
    const sizes: SizeFigures[] = [];
    for (const size of SIZES.filter((each) => each <= most)) {
      if (!(await sessions.hasRoomFor(size))) {
        print(`${sessions.name}: no room for ${size} sessions`);
        break;
      }
      const startedAt = Date.now();
      await sessions.fillTo(size);
      print(`${sessions.name}: ${size} sessions, filled in ${((Date.now() - startedAt) / 1000).toFixed(0)} s`);
      // the first one warms up
      if (sizes.length === 0) await measureSize(sessions, size);
      sizes.push(await measureSize(sessions, size));
    }
    print(`${sessions.name}: one user with ${CROWD} sessions`);
    return { store: sessions.name, sizes, crowd: await measureCrowd(sessions, CROWD) };
  } finally {
    await sessions.close();
  }
}

function print(line: string): void {
  process.stderr.write(`${line}\n`);
}
