import { afterAll, beforeAll, describe } from '@jest/globals';
import type { RedisClient } from 'nestjs-session-auth/redis';
import { startLocalRedis, type LocalRedis } from '../../../src/local-services/local-redis.js';
import {
  CLIENTS,
  OTHER_CLIENTS,
  PREFIXED,
  type ClientCase,
  type ConnectedClient,
} from '../../support/redis-clients.js';
import { redisContracts } from '../../support/redis-contracts.js';

let server: LocalRedis;

beforeAll(async () => {
  server = await startLocalRedis();
});

afterAll(() => server.stop());

/** Two nodes, each by the next of these clients. */
function nodesBy(...cases: readonly ClientCase<string>[]): () => readonly RedisClient[] {
  const connected: ConnectedClient[] = [];

  beforeAll(async () => {
    for (const node of [0, 1]) connected.push(await cases[node % cases.length]!.connect(server.url));
  });

  afterAll(() => {
    for (const each of connected) each.close();
  });

  return () => connected.map(({ client }) => client);
}

// ioredis 5 has files of its own
describe.each([...CLIENTS.slice(1), ...OTHER_CLIENTS])('$name', (each) => {
  redisContracts(each.name, nodesBy(each));
});

describe('nodes on different clients share one Redis', () => {
  redisContracts('ioredis 6 and redis 5', nodesBy(CLIENTS[1]!, CLIENTS[3]!));
  redisContracts('ioredis 5 and redis 6, with a prefix', nodesBy(...PREFIXED));
});
