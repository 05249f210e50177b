import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { POSTGRES_OPTIONS } from '../../src/storage/postgres-options.js';
import { openBackend, startBank, type Backend, type Bank } from '../support/bank.js';
import { FaultProxy, type Fault } from '../support/fault-proxy.js';
import { liveThrough } from '../support/outage.js';
import { PostgresServer } from '../support/postgres-server.js';
import { untilTrue } from '../support/redis-processes.js';

const STORE_TIMEOUT = 500;

const FAULTS: readonly Exclude<Fault, { kind: 'none' }>[] = [
  { kind: 'refuse' },
  { kind: 'reset' },
  { kind: 'black-hole' },
  { kind: 'delay', milliseconds: 2 * STORE_TIMEOUT },
];

/** A message of the server's: nothing is running, and no transaction is open. */
const READY_FOR_QUERY = Buffer.from('Z\0\0\0\x05I', 'latin1');

let server: PostgresServer;
let proxy: FaultProxy;
let backend: Backend;
let banks: Bank[];

beforeAll(async () => {
  server = await PostgresServer.launch();
  proxy = await FaultProxy.start(server.port);
  const pool = { ...POSTGRES_OPTIONS, connectTimeoutMS: STORE_TIMEOUT };
  backend = await openBackend('postgres', proxy.through(server.url), {}, pool);
  const options = { storeTimeout: STORE_TIMEOUT, concurrency: { max: 100 } };
  banks = [
    await startBank({ adapter: 'express', backend, options }),
    await startBank({ adapter: 'fastify', backend, options }),
  ];
});

afterEach(() => proxy.heal());

afterAll(async () => {
  for (const bank of banks) await bank.close();
  await backend.close();
  await proxy.close();
  await server.close();
});

async function run(sql: string): Promise<void> {
  const client = new Client({ connectionString: server.url });
  await client.connect();
  await client.query(sql);
  await client.end();
}

describe('a PostgreSQL that is away', () => {
  it.each(FAULTS)('gets 503, and recovers once it is back: $kind', async (fault) => {
    await liveThrough({
      what: `PostgreSQL, ${fault.kind}`,
      banks,
      storeTimeout: STORE_TIMEOUT,
      begin: () => proxy.break(fault),
      end: () => proxy.heal(),
    });
  });

  it('gets 503 if connections die without notice, and new ones take over', async () => {
    await liveThrough({
      what: 'PostgreSQL, half-open connections',
      banks,
      storeTimeout: STORE_TIMEOUT,
      begin: async () => proxy.cutSilently(),
      end: async () => undefined,
      failures: 2,
    });
  });

  it.each(['fast', 'immediate'] as const)('loses nothing when it is stopped and started again: %s', async (mode) => {
    await liveThrough({
      what: `PostgreSQL, stopped (${mode}) and started`,
      banks,
      storeTimeout: STORE_TIMEOUT,
      begin: () => server.stop(mode),
      end: () => server.start(),
    });
  });

  it('does not end a node by its last word on a connection that just came up', async () => {
    const bank = banks[0]!;
    const alice = bank.client();
    await alice.login('alice');
    proxy.reset();
    // whoever connects is told that the server is ready in the same piece as that it goes
    proxy.holdFrom(READY_FOR_QUERY);
    const asked = alice.get('/api/me');
    await untilTrue('a connection comes up', () => Promise.resolve(proxy.held > 0));
    await run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test%'`);
    expect((await asked).status).toBe(503);
    await proxy.heal();
    expect(await alice.isSignedIn()).toBe(true);
  });

  it('gets 503 while the application holds every connection of the pool', async () => {
    const held = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const runner = backend.dataSource!.createQueryRunner();
        await runner.connect();
        return runner;
      }),
    );
    const alice = banks[0]!.client();
    const bank = banks[0]!;
    try {
      const refused = await bank.client().tryLogin('alice');
      expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1']);
    } finally {
      for (const runner of held) await runner.release();
    }
    await alice.login('alice');
    expect(await alice.isSignedIn()).toBe(true);
  });
});
