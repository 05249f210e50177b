import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { SessionAuthService } from 'nestjs-session-auth';
import { startLocalRedis } from '../../src/local-services/local-redis.js';
import { openBackend } from '../support/bank.js';
import { BankClient } from '../support/bank-client.js';
import { countCommands } from '../support/command-count.js';
import { until } from '../support/patience.js';
import { ALICE, startNode, type SocketNode, type SocketSetup } from '../support/socket-app.js';
import { connect, type SocketClient } from '../support/socket-client.js';
import { steadyLink } from '../support/steady-link.js';

type Count = (run: () => Promise<unknown>) => Promise<number>;

/** A node, and what counts what it asks the store for. */
interface Counted {
  readonly node: SocketNode;
  readonly count: Count;
  close(): Promise<void>;
}

async function onRedis(setup: SocketSetup): Promise<Counted> {
  const server = await startLocalRedis();
  const backend = await openBackend('redis', server.url);
  // a lost link would cost reads
  const linkedStorage = steadyLink(backend.linkedStorage!);
  const node = await startNode({ ...setup, backend: { ...backend, linkedStorage } });
  return {
    node,
    count: async (run) => (await countCommands(backend.redis!, run)).sent,
    close: async () => {
      await node.app.close();
      await backend.close();
      await server.stop();
    },
  };
}

async function onPostgres(setup: SocketSetup): Promise<Counted> {
  const backend = await openBackend('postgres');
  const node = await startNode({ ...setup, backend });
  return {
    node,
    count: async (run) => {
      const sent = jest.spyOn(backend.dataSource!.logger, 'logQuery');
      await run();
      // and not what the audit log is told
      const { length } = sent.mock.calls.filter(([text]) => !text.includes('audit'));
      sent.mockRestore();
      return length;
    },
    close: async () => {
      await node.app.close();
      await backend.close();
    },
  };
}

const MINUTE = 60_000;

describe.each([
  { store: 'Redis', start: onRedis, touch: 1, sockets: 'ws' },
  { store: 'Redis', start: onRedis, touch: 1, sockets: 'socket.io' },
  { store: 'PostgreSQL', start: onPostgres, touch: 2, sockets: 'socket.io' },
  { store: 'PostgreSQL', start: onPostgres, touch: 2, sockets: 'ws' },
] as const)('what sockets of $sockets cost $store', ({ start, sockets, touch }) => {
  let counted: Counted | undefined;
  const clients: SocketClient[] = [];

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await counted?.close();
  });

  const open = async (browser: BankClient): Promise<SocketClient> => {
    const client = await connect(sockets, counted!.node.port, { cookie: browser.cookie });
    clients.push(client);
    return client;
  };

  const signIn = async (): Promise<BankClient> => {
    const browser = new BankClient(counted!.node.port);
    await browser.get('/over-http/login');
    return browser;
  };

  it('is one command to open one, two with a token that is used for the first time, and none for messages', async () => {
    counted = await start({ sockets: sockets });
    const { count, node } = counted;
    const browser = await signIn();
    let client!: SocketClient;
    // Redis gets to know a script by its first use
    await open(browser);
    expect(await count(async () => (client = await open(browser)))).toBe(1);
    const messages = async (): Promise<void> => {
      for (let sent = 0; sent < 50; sent += 1) {
        expect(await client.ask(sent % 2 === 0 ? 'public' : 'user')).toBe('alice');
      }
    };
    expect(await count(messages)).toBe(0);
    await browser.get('/over-http/rotate');
    expect(await count(() => open(browser))).toBe(2);
    expect(await count(messages)).toBe(0);
    // what has changed is read once
    await node.app.get(SessionAuthService).rolesChanged(ALICE.id, ['boss']);
    await until(async () => (await client.ask('roles')) === 'roles');
    expect(await count(messages)).toBe(0);
    // one that is refused for its origin or without a cookie is looked for by nobody
    const refused = connect(sockets, node.port, { cookie: browser.cookie, origin: 'null' });
    expect(await count(() => expect(refused).rejects.toBeDefined())).toBe(0);
  });

  it('is activity only if requested, at most once in the touch interval, also after the token was replaced', async () => {
    counted = await start({ sockets: sockets, connections: { activity: 'touch' } });
    const { count, node } = counted;
    const { clock } = node;
    const browser = await signIn();
    const client = await open(browser);
    const ask = async (): Promise<void> => {
      for (let sent = 0; sent < 20; sent += 1) await client.ask('guarded');
      // no message waits for what is written of it
      await until(async () => clock.now() - Number(await client.ask('last-activity')) < 20 * MINUTE);
    };
    expect(await count(ask)).toBe(0);
    for (let times = 0; times < 2; times += 1) {
      clock.advance(45 * MINUTE);
      // what it is over HTTP
      expect(await count(ask)).toBe(touch);
    }
    for (const path of ['rotate', 'guarded']) await browser.get(`/over-http/${path}`);
    for (let times = 0; times < 2; times += 1) {
      clock.advance(45 * MINUTE);
      await ask();
    }
    expect((await browser.get('/over-http/guarded')).status).toBe(200);
    expect(client.isOpen).toBe(true);
  });
});

describe.each(['ws', 'socket.io'] as const)('activity over %s', (sockets) => {
  it.each([
    ['none', false],
    ['touch', true],
  ] as const)('of kind %s: a session that is used by nothing else lives on: %s', async (activity, livesOn) => {
    const node = await startNode({ sockets, connections: { activity } });
    const browser = new BankClient(node.port);
    await browser.get('/over-http/login');
    // the handshake counts as a message does
    node.clock.advance(40 * MINUTE);
    const client = await connect(sockets, node.port, { cookie: browser.cookie });
    node.clock.advance(40 * MINUTE);
    if (livesOn) {
      await client.ask('guarded');
      node.clock.advance(40 * MINUTE);
      expect(await client.ask('guarded')).toMatchObject({ userId: 'alice' });
    } else await client.closed;
    expect(client.isOpen).toBe(livesOn);
    client.close();
    await node.app.close();
  });
});
