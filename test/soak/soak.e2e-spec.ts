import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SessionCleanupService } from 'nestjs-session-auth';
import { typeOrmStorage } from 'nestjs-session-auth/typeorm';
import { startLocalRedis, type LocalRedis } from '../../src/local-services/local-redis.js';
import { openBackend, startBank, type Backend, type Bank } from '../support/bank.js';
import { FaultLoad } from '../support/fault-load.js';

/** How long customers use each store: `npm run soak` asks for five minutes. */
const SECONDS = Number(process.env['SOAK_SECONDS'] ?? 10);
const TIMEOUT = (SECONDS + 300) * 1000;

const MEGABYTE = 2 ** 20;
/** More than what comes and goes; a kilobyte a request would be several times as much. */
const MOST_GROWTH = 16 * MEGABYTE;

/** Everything is over soon, so that what is not removed shows. */
const SHORT_LIVES = {
  concurrency: { max: 50 },
  lifetime: { idle: '4s', absolute: '8s', touchInterval: '500ms', rotateEvery: '1s', rotationGrace: '500ms' },
  rememberMe: { lifetime: '8s', reuseGrace: '1s' },
  cleanup: { every: '1s' },
} as const;

/** What must be flat. */
interface Sample {
  readonly heap: number;
  readonly handles: number;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

async function sample(): Promise<Sample> {
  for (let i = 0; i < 3; i += 1) {
    collectGarbage();
    await pause(20);
  }
  return { heap: process.memoryUsage().heapUsed, handles: process.getActiveResourcesInfo().length };
}

describe.each(['redis', 'postgres'] as const)('after long use of %s', (store) => {
  let server: LocalRedis | undefined;
  let backend: Backend;
  let banks: Bank[];

  beforeAll(async () => {
    server = store === 'redis' ? await startLocalRedis() : undefined;
    backend = await openBackend(store, server?.url);
    const audit = { retention: '2s' } as const;
    banks = await Promise.all(
      (['express', 'fastify'] as const).map((adapter) => {
        const { dataSource, storage } = backend;
        const kept = dataSource === undefined ? storage : typeOrmStorage({ dataSource, audit });
        return startBank({ adapter, backend: { ...backend, storage: kept }, options: SHORT_LIVES });
      }),
    );
  });

  afterAll(async () => {
    for (const bank of banks) await bank.close();
    await backend.close();
    await server?.stop();
  });

  /** Use for some seconds; what the tests themselves keep of it is thrown away. */
  async function use(seconds: number): Promise<number> {
    const load = new FaultLoad({ ports: banks.map(({ port }) => port), abandonEvery: 3 });
    for (const end = Date.now() + seconds * 1000; Date.now() < end; await pause(200)) {
      for (const { events, log } of banks) events.length = log.length = 0;
    }
    const { answers, wrong } = await load.report();
    expect(wrong).toEqual([]);
    return Object.values(answers).reduce((sum, count) => sum + count, 0);
  }

  /** How much the store holds, by kind. */
  async function holdings(): Promise<Record<string, number>> {
    if (backend.redis !== undefined) {
      const keys = await backend.redis.keys(`${backend.namespace}*`);
      const kinds = ['s', 'u', 'r', 'v'];
      return Object.fromEntries(kinds.map((kind) => [kind, keys.filter((key) => key.includes(`}:${kind}:`)).length]));
    }
    const tables = ['session', 'remember_me', 'audit_event'];
    const counts: [string, number][] = [];
    for (const table of tables) {
      const rows = await backend.dataSource!.query<{ n: string }[]>(`SELECT count(*) AS n FROM session_auth_${table}`);
      counts.push([table, Number(rows[0]!.n)]);
    }
    return Object.fromEntries(counts);
  }

  it(
    'heap and handles do not grow, and the store keeps nothing that has ended',
    async () => {
      await use(SECONDS / 3);
      const before = await sample();
      const requests = await use((SECONDS * 2) / 3);
      const held = await holdings();
      const after = await sample();
      const megabytes = (bytes: number): string => `${(bytes / MEGABYTE).toFixed(1)} MB`;
      process.stdout.write(
        `${store}: ${requests} requests; heap ${megabytes(before.heap)}, then ${megabytes(after.heap)}; ` +
          `handles ${before.handles}, then ${after.handles}; held ${JSON.stringify(held)}\n`,
      );
      expect(after.heap - before.heap).toBeLessThan(MOST_GROWTH);

      // held at the end: what was still alive
      expect(Object.values(held).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
      let left = held;
      for (const end = Date.now() + 60_000; Object.values(left).some((count) => count > 0); await pause(100)) {
        if (Date.now() > end) expect(left).toEqual({});
        await banks[0]!.app.get(SessionCleanupService).run();
        left = await holdings();
      }

      // a pool closes what a busy moment has opened when it has been idle for a while
      const open = (): number => process.getActiveResourcesInfo().length;
      for (const end = Date.now() + 30_000; open() > before.handles + 5; await pause(100)) {
        if (Date.now() > end) expect(open()).toBeLessThanOrEqual(before.handles + 5);
      }
    },
    TIMEOUT,
  );
});
