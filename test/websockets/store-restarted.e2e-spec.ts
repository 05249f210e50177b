import { afterEach, describe, expect, it } from '@jest/globals';
import { SessionLifecycleService, SessionLink } from 'nestjs-session-auth';
import { signInAs } from 'nestjs-session-auth/testing';
import { REDIS_OPTIONS } from '../../src/storage/redis-options.js';
import { openBackend, type Backend } from '../support/bank.js';
import { until } from '../support/patience.js';
import { PostgresServer } from '../support/postgres-server.js';
import { startRedisProcess } from '../support/redis-processes.js';
import { startNode, type SocketNode } from '../support/socket-app.js';
import { connect, type SocketClient } from '../support/socket-client.js';

/** A server of the test's own, which keeps on disk what it has acknowledged. */
interface OwnServer {
  readonly backend: Backend;
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

const onRedis = (store: 'redis' | 'node-redis') => async (): Promise<OwnServer> => {
  const server = await startRedisProcess(['appendonly yes', 'appendfsync always']);
  const backend = await openBackend(store, `redis://127.0.0.1:${server.port}`, REDIS_OPTIONS);
  return { backend, kill: () => server.kill(), start: () => server.restart(), close: () => server.close() };
};

async function onPostgres(): Promise<OwnServer> {
  const server = await PostgresServer.launch();
  const backend = await openBackend('postgres', server.url);
  return { backend, kill: () => server.stop('immediate'), start: () => server.start(), close: () => server.close() };
}

describe.each([
  { store: 'Redis by ioredis', start: onRedis('redis'), sockets: 'ws' },
  { store: 'Redis by node-redis', start: onRedis('node-redis'), sockets: 'socket.io' },
  { store: 'PostgreSQL', start: onPostgres, sockets: 'ws' },
] as const)('sockets of $sockets while $store is killed and started again', ({ start, sockets }) => {
  let server: OwnServer | undefined;
  const nodes: SocketNode[] = [];
  const clients: SocketClient[] = [];

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    for (const { app } of nodes.splice(0)) await app.close();
    await server?.backend.close();
    await server?.close();
  });

  it('stay open, and are closed by the first end after that', async () => {
    server = await start();
    for (const adapter of ['express', 'fastify'] as const) {
      nodes.push(await startNode({ adapter, sockets, backend: server.backend }));
    }
    const [here, there] = nodes as [SocketNode, SocketNode];
    const link = there.app.get(SessionLink);
    const { session, headers } = await signInAs(here.app, { id: 'alice', roles: [] });
    const client = await connect(sockets, there.port, headers);
    clients.push(client);
    for (let round = 0; round < 2; round += 1) {
      await until(() => link.isHealthy);
      await server.kill();
      await until(() => !link.isHealthy);
      expect(await client.ask('guarded')).toMatchObject({ code: 'session_store_unavailable' });
      await server.start();
      await until(() => link.isHealthy);
      await until(async () => ((await client.ask('guarded')) as { userId?: string }).userId === 'alice');
      expect(client.isOpen).toBe(true);
    }
    await until(() => here.app.get(SessionLink).isHealthy);
    await here.app.get(SessionLifecycleService).revoke('alice', session.id);
    const ended = sockets === 'ws' ? { code: 1008, reason: 'session_ended' } : { reason: 'io server disconnect' };
    expect(await client.closed).toEqual(ended);
  });
});
