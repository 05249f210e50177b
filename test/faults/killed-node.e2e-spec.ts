import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { startLocalRedis, type LocalRedis } from '../../src/local-services/local-redis.js';
import { BankClient } from '../support/bank-client.js';
import { buildDemo } from '../support/build.js';
import { startDemo } from '../support/demo-process.js';
import { PATIENCE } from '../support/patience.js';

const USERS = ['alice', 'bob', 'admin'];

let server: LocalRedis;

beforeAll(async () => {
  await buildDemo();
  server = await startLocalRedis();
}, PATIENCE);

afterAll(() => server.stop());

it('a process that is killed in the middle of logins leaves their users to the next one', async () => {
  const env = {
    SESSION_STORE: 'redis',
    REDIS_URL: server.url,
    SESSION_SECRET: 'a secret for the demo that everybody may know',
  };
  const [doomed, next] = await Promise.all([startDemo(env), startDemo(env)]);
  const clients = Array.from({ length: 9 }, () => new BankClient(doomed.port));
  const exited = once(doomed.child, 'exit');
  let acknowledged = 0;
  const logins = clients.map(async (client, i) => {
    const answer = await client.tryLogin(USERS[i % 3]!, { rememberMe: true }).catch(() => undefined);
    // the first answers are out, the rest is under way
    if (answer?.status === 200 && (acknowledged += 1) === 3) doomed.child.kill('SIGKILL');
    return answer?.status === 200;
  });
  const signedIn = await Promise.all(logins);
  await exited;
  for (const [i, client] of clients.entries()) {
    client.port = next.port;
    const { status, json } = await client.get('/api/me');
    if (signedIn[i]!) expect([status, json]).toMatchObject([200, { userId: USERS[i % 3] }]);
    else expect(status).toBe(401);
  }
  const redis = new Redis(server.url);
  for (const key of await redis.keys('*')) expect(await redis.pttl(key)).toBeGreaterThan(0);
  redis.disconnect();
  for (const name of USERS) {
    const client = new BankClient(next.port);
    await client.login(name);
    const list = (await client.get('/auth/sessions')).json as object[];
    expect(list.length).toBeLessThanOrEqual(3);
    const answer = await client.ask('DELETE', '/auth/sessions?include=current');
    expect(answer.json).toEqual({ revoked: list.length });
  }
  expect(await next.stop()).toBe(0);
});
