import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { RedisLoginThrottleStore, RedisRememberMeTokenStore, RedisSessionStore } from 'nestjs-session-auth/redis';
import {
  loginThrottleStoreContract,
  rememberMeTokenStoreContract,
  sessionStoreContract,
} from 'nestjs-session-auth/testing';
import { SessionAuthService } from 'nestjs-session-auth';
import { ADAPTERS, openBackend, startBank, type Backend, type Bank } from '../../support/bank.js';
import { FaultProxy } from '../../support/fault-proxy.js';
import { RedisCluster } from '../../support/redis-cluster.js';
import { untilTrue } from '../../support/redis-processes.js';

/** Options of ioredis that change how commands are sent, or what answers look like. */
const OPTIONS: Readonly<Record<string, RedisOptions>> = {
  stringNumbers: { stringNumbers: true },
  'a keyPrefix with braces, and commands that are not pipelined': {
    keyPrefix: 'app:{x}:',
    enableAutoPipelining: true,
    autoPipeliningIgnoredCommands: ['evalsha'],
  },
  'all of them': {
    stringNumbers: true,
    keyPrefix: 'all:',
    enableAutoPipelining: true,
    showFriendlyErrorStack: true,
    enableReadyCheck: false,
    commandTimeout: 60_000,
    maxRetriesPerRequest: null,
    scripts: { own: { lua: 'return 1', numberOfKeys: 0, readOnly: true } },
    db: 7,
  },
};

describe.each(Object.entries(OPTIONS))('a client with %s', (name, options) => {
  const clients: Redis[] = [];
  const namespace = `o${randomUUID()}:`;

  beforeAll(() => {
    for (let node = 0; node < 2; node += 1) clients.push(new Redis(process.env['TEST_REDIS_URL']!, options));
  });

  afterAll(async () => {
    const [client] = clients as [Redis];
    const prefix = String(client.options.keyPrefix ?? '');
    const keys = await client.keys(`${prefix}${namespace}*`);
    for (const key of keys) await client.del(key.slice(prefix.length));
    for (const each of clients) each.disconnect();
  });

  sessionStoreContract(name, () => {
    const own = { namespace: namespace + randomUUID() };
    return Promise.resolve({
      store: new RedisSessionStore(clients[0]!, own),
      another: () => Promise.resolve(new RedisSessionStore(clients[1]!, own)),
      close: () => Promise.resolve(),
    });
  });

  rememberMeTokenStoreContract(name, () => {
    const own = { namespace: namespace + randomUUID() };
    return Promise.resolve({
      store: new RedisRememberMeTokenStore(clients[0]!, own),
      another: () => Promise.resolve(new RedisRememberMeTokenStore(clients[1]!, own)),
      close: () => Promise.resolve(),
    });
  });

  loginThrottleStoreContract(name, () => {
    const own = namespace + randomUUID();
    return Promise.resolve({
      store: new RedisLoginThrottleStore(clients[0]!, own),
      another: () => Promise.resolve(new RedisLoginThrottleStore(clients[1]!, own)),
      close: () => Promise.resolve(),
    });
  });
});

describe('a client of a Cluster with enableAutoPipelining', () => {
  let cluster: RedisCluster;
  let client: Cluster;

  beforeAll(async () => {
    cluster = await RedisCluster.start();
    const nodes = cluster.processes.map(({ port }) => ({ host: '127.0.0.1', port }));
    // with stringNumbers a client of ioredis finds no slot of a cluster at all
    client = new Cluster(nodes, { enableAutoPipelining: true, showFriendlyErrorStack: true });
    await client.get('ready?');
  });

  afterAll(async () => {
    client.disconnect();
    await cluster.close();
  });

  sessionStoreContract('Cluster', () => {
    const own = { namespace: `${randomUUID()}:` };
    const store = (): Promise<RedisSessionStore> => Promise.resolve(new RedisSessionStore(client, own));
    return Promise.resolve({
      store: new RedisSessionStore(client, own),
      another: store,
      close: () => Promise.resolve(),
    });
  });

  rememberMeTokenStoreContract('Cluster', () => {
    const own = { namespace: `${randomUUID()}:` };
    const store = new RedisRememberMeTokenStore(client, own);
    return Promise.resolve({ store, close: () => Promise.resolve() });
  });

  loginThrottleStoreContract('Cluster', () => {
    const store = new RedisLoginThrottleStore(client, randomUUID());
    return Promise.resolve({ store, close: () => Promise.resolve() });
  });
});

describe.each(ADAPTERS)('over HTTP on %s', (adapter) => {
  let backend: Backend;
  let bank: Bank;
  let proxy: FaultProxy;

  beforeEach(async () => {
    const url = process.env['TEST_REDIS_URL']!;
    proxy = await FaultProxy.start(Number(new URL(url).port));
    backend = await openBackend('redis', proxy.through(url), {
      stringNumbers: true,
      autoResendUnfulfilledCommands: true,
    });
    bank = await startBank({ adapter, backend });
  });

  afterEach(async () => {
    await bank.close();
    await backend.close();
    await proxy.close();
  });

  it('counts are numbers, with any settings of the client', async () => {
    const clients = [bank.client(), bank.client(), bank.client()];
    for (const client of clients) await client.login('alice', { rememberMe: true });
    const auth = bank.app.get(SessionAuthService);
    expect(await auth.rolesChanged('alice', ['customer', 'editor'])).toEqual({ sessions: 3 });
    expect((await clients[0]!.ask('DELETE', '/auth/sessions')).json).toEqual({ revoked: 2 });
    expect(await auth.credentialsChanged('alice')).toEqual({ revokedSessions: 1 });
  });

  /** Lets Redis do what it is asked, loses its answer with the connection, and lets the client ask again. */
  const losingTheAnswer = async <T>(ask: () => Promise<T>, answer: string): Promise<T> => {
    proxy.holdFrom(Buffer.from(answer));
    const asked = ask();
    await untilTrue('the answer is held', () => Promise.resolve(proxy.held > 0));
    await proxy.heal();
    proxy.reset();
    return asked;
  };

  it('a session that ended is returned as ended when the client had to send the command again', async () => {
    const [desk, phone] = [bank.client(), bank.client()];
    await desk.login('alice');
    phone.headers['user-agent'] = 'a-phone/1.0';
    const { id } = await phone.login('alice');
    // the answer holds the session that ended, and no other answer of this request does
    const ended = await losingTheAnswer(() => desk.ask('DELETE', `/auth/sessions/${id}`), 'a-phone/1.0');
    expect(ended.status).toBe(204);
    expect(await phone.isSignedIn()).toBe(false);
    expect((await desk.ask('DELETE', `/auth/sessions/${id}`)).status).toBe(404);
  });

  it('sessions that ended are counted when the client had to ask again', async () => {
    const [desk, phone] = [bank.client(), bank.client()];
    await desk.login('alice');
    const { id } = await phone.login('alice');
    const { json } = await losingTheAnswer(() => desk.ask('DELETE', '/auth/sessions'), `end ${id}`);
    expect(json).toEqual({ revoked: 1 });
    expect([await desk.isSignedIn(), await phone.isSignedIn()]).toEqual([true, false]);
  });
});
