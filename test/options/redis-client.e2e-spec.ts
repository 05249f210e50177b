import { afterEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { Redis as Redis6 } from 'ioredis-6';
import { Redis as Valkey } from 'iovalkey';
import { redisStorage, RedisSessionStore } from 'nestjs-session-auth/redis';
import { createClient, createClientPool, createCluster, createSentinel } from 'redis';
import { createClient as createClient5 } from 'redis-5';
import { closeApps, forRoot, start } from '../support/door-app.js';
import { CLIENTS, OTHER_CLIENTS } from '../support/redis-clients.js';
import { untilTrue } from '../support/redis-processes.js';

const ALLOWED = 'allowed is a client of ioredis 5 or 6, redis (node-redis) 5 or 6, or iovalkey';
const URL = process.env['TEST_REDIS_URL']!;
const nodes = [{ host: '127.0.0.1', port: 1 }];
const opened: { close(): unknown }[] = [];

afterEach(async () => {
  await closeApps();
  for (const each of opened.splice(0)) each.close();
});

const boot = (client: unknown): Promise<unknown> =>
  (async () => start(forRoot({ storage: redisStorage({ client: client as Redis }) })))();

/** A provider of another module is the client. */
const bootInjecting = (client: unknown): Promise<unknown> => {
  const CLIENT = Symbol('a client of Redis');
  class Settings {}
  const imports = [
    { module: Settings, providers: [{ provide: CLIENT, useValue: client }], exports: [CLIENT], global: true },
  ];
  return (async () => start(forRoot({ storage: redisStorage({ inject: CLIENT }), imports })))();
};

const refusal = (given: string, allowed = ALLOWED): object => ({
  name: 'SessionAuthError',
  code: 'invalid_configuration',
  message: expect.stringMatching(new RegExp(`^redisStorage\\.client: given ${escape(given)}.*; ${escape(allowed)}`)),
});

const escape = (text: string): string => text.replace(/[()]/g, '\\$&');

/** Subscribes to a channel, and waits until the client knows. */
async function subscribed<T extends Redis | Redis6 | Valkey>(client: T): Promise<T> {
  opened.push({ close: () => client.disconnect() });
  await (client as Redis).subscribe('news');
  return client;
}

describe('what is no client of Redis', () => {
  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'undefined'],
    ['null', null, 'null'],
    ['an address, which is not repeated', 'redis://:a-password@localhost', 'a string'],
    ['options', { host: 'localhost' }, 'an object'],
    ['an object without a prototype', Object.create(null), 'an object'],
    ['another object', new Map(), 'an object of class Map'],
    ['the library', Redis, 'a function'],
    ['a transaction of ioredis', new Redis({ lazyConnect: true }).multi(), 'an object of class Pipeline'],
    ['a transaction of redis', createClient().multi(), 'an object of class'],
    ['callbacks of redis', createClient().legacy(), 'an object of class RedisLegacyClient'],
  ])('does not boot: %s', async (_what, client, given) => {
    const expected = refusal(given);
    await expect(boot(client)).rejects.toMatchObject(expected);
    await expect(bootInjecting(client)).rejects.toMatchObject(expected);
    expect(() => new RedisSessionStore(client as Redis)).toThrow(expect.objectContaining(expected));
  });

  it('does not boot: a client that nobody waited for', async () => {
    await expect(boot(Promise.resolve(new Redis({ lazyConnect: true })))).rejects.toMatchObject(refusal('a promise'));
  });

  it('gets an error with the allowed clients, and never with the address', async () => {
    const failure = await boot('redis://:a-password@localhost').catch((error: unknown) => error);
    expect(failure).toMatchObject(refusal('a string'));
    expect((failure as Error).message).not.toContain('a-password');
    expect(() => redisStorage({} as never)).toThrow(expect.objectContaining(refusal('undefined')));
  });
});

describe('a client of redis that nobody has connected', () => {
  it.each([
    ['createClient of 5', () => createClient5()],
    ['createClient', () => createClient()],
    ['createClientPool', () => createClientPool()],
    ['createSentinel', () => createSentinel({ name: 'bank', sentinelRootNodes: nodes })],
    ['createCluster', () => createCluster({ rootNodes: [] })],
  ])('does not boot, and is told what to call: %s', async (_name, make) => {
    const expected = refusal(
      'a client of redis that is not connected',
      'allowed is a client whose connect() has been called',
    );
    await expect(boot(make())).rejects.toMatchObject(expected);
    await expect(bootInjecting(make())).rejects.toMatchObject(expected);
  });

  it('boots while it connects, whether or not the server is there', async () => {
    const client = createClient({ url: 'redis://127.0.0.1:1' }).on('error', () => undefined);
    opened.push({ close: () => client.destroy() });
    void client.connect().catch(() => undefined);
    await expect(boot(client)).resolves.toBeDefined();
  });
});

describe('a client in subscriber mode', () => {
  it.each([
    ['ioredis 5', 'ioredis', () => subscribed(new Redis(URL))],
    ['ioredis 6', 'ioredis', () => subscribed(new Redis6(URL))],
    ['ioredis 6 by RESP2', 'ioredis', () => subscribed(new Redis6(URL, { protocol: 2 }))],
    ['iovalkey', 'ioredis', () => subscribed(new Valkey(URL))],
    ...[createClient5({ url: URL }), createClient({ url: URL }), createClient({ url: URL, RESP: 2 })].map(
      (client, i) =>
        [
          ['redis 5', 'redis 6', 'redis 6 by RESP2'][i]!,
          'redis',
          async () => {
            await client.connect();
            opened.push({ close: () => void client.destroy() });
            await client.subscribe('news', () => undefined);
            return client;
          },
        ] as const,
    ),
  ])('does not boot, and is told what to do: %s', async (_name, library, connect) => {
    const client = await connect();
    const expected = refusal(`a client of ${library} in subscriber mode`, 'allowed is a client that runs commands');
    await expect(boot(client)).rejects.toMatchObject(expected);
    await expect(bootInjecting(client)).rejects.toMatchObject(expected);
  });

  it('does not boot either where it monitors', async () => {
    const client = new Redis(URL);
    const monitor = await client.monitor();
    opened.push({ close: () => [client, monitor].forEach((each) => each.disconnect()) });
    await untilTrue('it monitors', () => Promise.resolve(monitor.mode === 'monitor'));
    await expect(boot(monitor)).rejects.toMatchObject({ code: 'invalid_configuration' });
  });
});

describe.each([...CLIENTS, ...OTHER_CLIENTS])('$name', (each) => {
  it('boots, given and injected', async () => {
    const connected = await each.connect(URL);
    opened.push(connected);
    await expect(boot(connected.client)).resolves.toBeDefined();
    await expect(bootInjecting(connected.client)).resolves.toBeDefined();
  });
});

it('a client of ioredis boots before it connects', async () => {
  await expect(boot(new Redis({ lazyConnect: true }))).resolves.toBeDefined();
});
