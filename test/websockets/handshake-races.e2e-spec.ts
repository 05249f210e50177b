import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocketGateway } from '@nestjs/websockets';
import { SessionLifecycleService } from 'nestjs-session-auth';
import { signInAs } from 'nestjs-session-auth/testing';
import type { IncomingMessage, Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { ADAPTERS } from '../support/http-server.js';
import { watchesOf, type LiveWatches } from '../support/live-watches.js';
import { until } from '../support/patience.js';
import { ALICE, startNode, type SocketNode } from '../support/socket-app.js';
import { opening, socketsOf, WAYS } from '../support/socket-client.js';
import { SteeredStore } from '../support/steered-store.js';

/** How many connections a gateway was told of. */
let connected = 0;

/** The application's own check. */
type Check = (request: IncomingMessage) => boolean | Promise<boolean>;

/** A gateway whose options have the application's own check, in the terms of either library. */
function gatewayWith(check?: Check): new () => object {
  const ask = (request: IncomingMessage, decide: (isAllowed: boolean) => void): void => {
    const answer = check!(request);
    if (typeof answer === 'boolean') decide(answer);
    else void answer.then(decide);
  };
  const options = check && {
    verifyClient: (info: { req: IncomingMessage }, decide: (isAllowed: boolean, code?: number) => void): void =>
      ask(info.req, (isAllowed) => decide(isAllowed, 418)),
    allowRequest: (request: IncomingMessage, decide: (error: string | null, isAllowed: boolean) => void): void =>
      ask(request, (isAllowed) => decide(isAllowed ? null : 'not now', isAllowed)),
  };

  @WebSocketGateway(options)
  class CheckingGateway {
    handleConnection(): void {
      connected += 1;
    }
  }
  return CheckingGateway;
}

const EVERY = ADAPTERS.flatMap((adapter) => WAYS.map((way) => ({ adapter, way })));

describe.each(EVERY)('a handshake by $way on $adapter', ({ adapter, way }) => {
  let node: SocketNode | undefined;
  let store: SteeredStore;
  let watches: LiveWatches;
  let alice: Awaited<ReturnType<typeof signInAs>>;

  afterEach(() => node?.app.close());

  const start = async (check?: Check): Promise<SocketNode> => {
    connected = 0;
    store = new SteeredStore();
    node = await startNode({
      adapter: adapter,
      sockets: socketsOf(way),
      options: { storage: { sessions: { useValue: store } } },
      gateways: [gatewayWith(check)],
    });
    watches = watchesOf(node.app);
    alice = await signInAs(node.app, ALICE);
    return node;
  };

  const OPENED = way === 'polling' ? 200 : 101;
  const open = (): Promise<number> => opening(way, node!.port, { cookie: alice.cookie }).then(({ status }) => status);
  const end = (): Promise<boolean> => node!.app.get(SessionLifecycleService).revoke('alice', alice.session.id);

  it.each(['before', 'after'] as const)('opens nothing where the session ends right %s it is read', async (moment) => {
    await start();
    store[moment] = async () => {
      store[moment] = undefined;
      await end();
    };
    expect(await open()).toBe(401);
    expect([connected, watches.count]).toEqual([0, 0]);
  });

  it('opens nothing where the session ends while the check of the application takes its time', async () => {
    await start(() => end());
    expect(await open()).toBe(401);
    expect([connected, watches.count]).toEqual([0, 0]);
  });

  it('leaves the decision to the check of the application, which runs for nobody else', async () => {
    let [asked, isAllowed] = [0, false];
    await start(() => {
      asked += 1;
      return isAllowed;
    });
    expect((await opening(way, node!.port, {})).status).toBe(401);
    expect(asked).toBe(0);
    // each library refuses in its own way
    expect(await open()).toBe({ ws: 418, 'socket.io': 400, polling: 403 }[way]);
    await until(() => watches.count === 0);
    isAllowed = true;
    expect(await open()).toBe(OPENED);
    expect(asked).toBe(2);
  });

  it('responds 500 if the check of the application fails, and follows nothing', async () => {
    await start(() => {
      throw new Error('a defect of the application');
    });
    expect(await open()).toBe(500);
    await until(() => watches.count === 0);
  });

  /** Sends what opens a connection by hand, to leave when it suits. */
  const openByHand = (): Socket => {
    const path = way === 'ws' ? '/' : `/socket.io/?EIO=4&transport=${way === 'polling' ? 'polling' : 'websocket'}`;
    const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
    const lines = [
      `GET ${path} HTTP/1.1`,
      'Host: bank.example',
      `Cookie: ${alice.cookie}`,
      ...(way === 'polling' ? [] : [...upgrade, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']),
    ];
    const socket = connect(node!.port, '127.0.0.1').on('error', () => undefined);
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    return socket;
  };

  const connections = (): Promise<number> =>
    new Promise((resolve, reject) => {
      const server = node!.app.getHttpServer() as Server;
      server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
    });

  /** A client that leaves while something is going on, which goes on when the server knows that it has left. */
  const leaveDuring = async (begin: (during: () => Promise<void>) => void): Promise<void> => {
    let go: () => void = () => undefined;
    let hasBegun = false;
    const gate = new Promise<void>((resolve) => (go = resolve));
    begin(() => {
      hasBegun = true;
      return gate;
    });
    const socket = openByHand();
    await until(() => hasBegun);
    expect(watches.count).toBe(1);
    socket.resetAndDestroy();
    await until(async () => (await connections()) === 0);
    go();
    await until(() => watches.count === 0);
    expect(connected).toBe(0);
  };

  it('leaves nothing behind of a client that goes while its session is read', async () => {
    await start();
    await leaveDuring((during) => (store.before = during));
  });

  it('leaves nothing behind of a client that goes while the check of the application takes its time', async () => {
    let during = (): Promise<void> => Promise.resolve();
    await start(() => during().then(() => true));
    await leaveDuring((given) => (during = given));
  });

  it('of one that is refused or closed follows nothing any more', async () => {
    await start();
    const statuses = [await open(), (await opening(way, node!.port, { origin: 'null' })).status];
    expect(statuses).toEqual([OPENED, 403]);
    if (way === 'polling') await end();
    await until(() => watches.count === 0);
  });
});
