import { describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { startLocalRedis } from '../../src/local-services/local-redis.js';
import type { BankClient } from '../support/bank-client.js';
import { openBackend, type Backend } from '../support/bank.js';
import { clientAt, startNearNode, untilCached, type NearNode } from '../support/near-nodes.js';

const MINUTES = 10;
const SECONDS = 60 * MINUTES;

/** Two nodes, and sessions of three users who send one request a second to each node. */
async function useForTenMinutes(nodes: readonly NearNode[], atBegin: () => Promise<unknown>): Promise<number> {
  const users: BankClient[] = [];
  for (const name of ['alice', 'bob', 'admin']) {
    const client = nodes[0]!.client();
    await client.login(name);
    users.push(client);
  }
  const clients = users.flatMap((user) => nodes.map((node) => clientAt(node, user)));
  // what follows is counted, with the first read of each session at each node
  await atBegin();
  for (let second = 0; second < SECONDS; second += 1) {
    for (const client of clients) expect((await client.get('/api/me')).status).toBe(200);
    // a heartbeat may not be back yet
    if (second === 0) for (const [place, client] of clients.entries()) await untilCached(nodes[place % 2]!, client);
    for (const { clock } of nodes) clock.advance(1000);
  }
  return SECONDS * clients.length;
}

describe('the commands that two nodes send, for a request a second of each session to each node in ten minutes', () => {
  it('on Redis, by its own count: for at most one read in twenty', async () => {
    const server = await startLocalRedis();
    const backend = await openBackend('redis', server.url);
    const nodes = [await startNearNode(backend), await startNearNode(backend)];
    const operator = new Redis(server.url);
    const reads = await useForTenMinutes(nodes, () => operator.config('RESETSTAT'));
    const calls = await callsOf(operator);
    const sent = calls('evalsha') + calls('eval');
    const part = ((100 * (reads - sent)) / reads).toFixed(1);
    console.log(
      `near-cache on Redis: ${reads} reads, ${sent} commands (${part} % without), ${calls('ping')} heartbeats`,
    );
    expect(sent).toBeLessThanOrEqual(reads / 20);
    await close(nodes, backend);
    operator.disconnect();
    await server.stop();
  });

  it('on PostgreSQL: for at most one read in twenty', async () => {
    const backend = await openBackend('postgres');
    const nodes = [await startNearNode(backend), await startNearNode(backend)];
    const forget = (): Promise<void> => {
      for (const { calls } of nodes) calls.length = 0;
      return Promise.resolve();
    };
    const reads = await useForTenMinutes(nodes, forget);
    const asked = nodes.reduce((sum, { calls }) => sum + calls.length, 0);
    const part = ((100 * (reads - asked)) / reads).toFixed(1);
    console.log(`near-cache on PostgreSQL: ${reads} reads, the store was asked ${asked} times (${part} % without)`);
    expect(asked).toBeLessThanOrEqual(reads / 20);
    await close(nodes, backend);
  });
});

async function callsOf(operator: Redis): Promise<(name: string) => number> {
  const stats = await operator.info('commandstats');
  return (name) => Number(new RegExp(`^cmdstat_${name}:calls=(\\d+)`, 'm').exec(stats)?.[1] ?? 0);
}

async function close(nodes: readonly NearNode[], backend: Backend): Promise<void> {
  for (const node of nodes) await node.close();
  await backend.close();
}
