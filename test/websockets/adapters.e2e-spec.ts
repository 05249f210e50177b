import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { INestApplication, WebSocketAdapter } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { UseGuards } from '@nestjs/common';
import { SubscribeMessage, WebSocketGateway, type WsResponse } from '@nestjs/websockets';
import { SessionAuthGuard, SessionLifecycleService } from 'nestjs-session-auth';
import { signInAs } from 'nestjs-session-auth/testing';
import { once } from 'node:events';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import { findFreePort } from '../../src/local-services/free-port.js';
import { log } from '../support/door-app.js';
import { ADAPTERS } from '../support/http-server.js';
import { watchesOf } from '../support/live-watches.js';
import { until } from '../support/patience.js';
import { ALICE, startNode, type SocketNode } from '../support/socket-app.js';
import { connect, opening, SOCKETS } from '../support/socket-client.js';
import { handled, note } from '../support/socket-gateway.js';

class OwnIoAdapter extends IoAdapter {
  override createIOServer(port: number, options?: object): ReturnType<IoAdapter['createIOServer']> {
    return super.createIOServer(port, { ...options, maxHttpBufferSize: 1000 } as never);
  }
}

class OwnWsAdapter extends WsAdapter {
  override create(port: number, options?: object): unknown {
    return super.create(port, { ...options, maxPayload: 1000 } as never);
  }
}

/** Those that lose what their servers were to be told. */
class ForgetfulIoAdapter extends IoAdapter {
  override createIOServer(port: number): ReturnType<IoAdapter['createIOServer']> {
    return super.createIOServer(port, { allowRequest: undefined } as never);
  }
}

class ForgetfulWsAdapter extends WsAdapter {
  override create(port: number, options: object): unknown {
    return super.create(port, { ...options, verifyClient: undefined } as never);
  }
}

const OWN = { ws: OwnWsAdapter, 'socket.io': OwnIoAdapter } as const;
const FORGETFUL = { ws: ForgetfulWsAdapter, 'socket.io': ForgetfulIoAdapter } as const;

/** What sends a message and resolves with what comes back, whatever the library. */
type Ask = (event: string) => Promise<unknown>;

async function openWs(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<readonly [Ask, Promise<unknown>]> {
  const client = new WebSocket(url, { headers });
  await once(client, 'open');
  const closed = once(client, 'close').then(([code]) => code as unknown);
  const ask: Ask = async (event) => {
    client.send(JSON.stringify({ event, data: {} }));
    const [data] = (await once(client, 'message')) as [Buffer];
    return (JSON.parse(data.toString()) as { data: unknown }).data;
  };
  return [ask, closed];
}

async function openIo(
  url: string,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<readonly [Ask, Promise<unknown>]> {
  const client = io(url, { path, extraHeaders: { ...headers }, transports: ['websocket'], forceNew: true });
  await new Promise<void>((resolve, reject) => {
    client.once('connect', resolve);
    client.once('connect_error', reject);
  }).catch((error: unknown) => {
    client.disconnect();
    throw error;
  });
  const closed = new Promise<unknown>((resolve) => client.once('disconnect', resolve));
  const ask: Ask = (event) =>
    new Promise((resolve) => {
      client.once('done', resolve);
      client.emit(event, {});
    });
  return [ask, closed];
}

describe.each(ADAPTERS.flatMap((adapter) => SOCKETS.map((sockets) => ({ adapter, sockets }))))(
  'sockets of $sockets on $adapter',
  ({ adapter, sockets }) => {
    let node: SocketNode | undefined;

    beforeEach(() => void [handled, log].forEach((each) => each.splice(0)));
    afterEach(() => node?.app.close());

    const endAll = ({ app }: SocketNode): Promise<number> => app.get(SessionLifecycleService).revokeAll('alice');

    it('are opened and closed by their session with an adapter of the application’s own', async () => {
      const make = (app: INestApplication): WebSocketAdapter => new OWN[sockets](app);
      node = await startNode({ adapter, sockets, make });
      expect((await opening(sockets, node.port, {})).status).toBe(401);
      const client = await connect(sockets, node.port, (await signInAs(node.app, ALICE)).headers);
      expect(await client.ask('guarded')).toMatchObject({ userId: 'alice' });
      await endAll(node);
      expect(await client.closed).toMatchObject({
        reason: sockets === 'ws' ? 'session_ended' : 'io server disconnect',
      });
      client.close();
    });

    it('are closed, and the log says so, with an adapter that loses the options of its server', async () => {
      const make = (app: INestApplication): WebSocketAdapter => new FORGETFUL[sockets](app);
      node = await startNode({ adapter, sockets, make });
      const watches = watchesOf(node.app);
      const { cookie } = await signInAs(node.app, ALICE);
      const path = sockets === 'ws' ? '/' : '/socket.io/?EIO=4&transport=websocket';
      const client = new WebSocket(`ws://127.0.0.1:${node.port}${path}`, { headers: { cookie } });
      client.once('open', () => {
        for (const frame of [JSON.stringify({ event: 'unmarked' }), '40', '42["unmarked"]']) client.send(frame);
      });
      await once(client, 'close');
      expect([handled, watches.count]).toEqual([[], 0]);
      const said = log.filter(({ level, text }) => level === 'error' && text.includes('bypassed withSessions'));
      expect(said).toHaveLength(1);
    });

    it('of gateways on a port and under paths of their own are opened and closed alike', async () => {
      const port = await findFreePort();
      const gatewayAt = (path: string): new () => object => {
        @WebSocketGateway(port, { path })
        class PathGateway {
          @UseGuards(SessionAuthGuard)
          @SubscribeMessage('where')
          where(): WsResponse {
            return note(path);
          }
        }
        return PathGateway;
      };
      const paths = sockets === 'ws' ? ['/one', '/two'] : ['/one'];
      node = await startNode({ adapter, sockets, gateways: paths.map(gatewayAt) });
      const { app, port: ownPort } = node;
      const open = (path: string, headers: Readonly<Record<string, string>>): ReturnType<typeof openWs> =>
        sockets === 'ws'
          ? openWs(`ws://127.0.0.1:${port}${path}`, headers)
          : openIo(`http://127.0.0.1:${port}`, path, headers);
      const bob = await signInAs(app, { ...ALICE, id: 'bob' });
      for (const path of paths) {
        const { cookie, session } = await signInAs(app, ALICE);
        // a page of the application is of another origin than this port
        const page = { cookie, origin: `http://127.0.0.1:${ownPort}` };
        for (const headers of [{}, page]) await expect(open(path, headers)).rejects.toThrow();
        const [ask, closed] = await open(path, { cookie, origin: `http://127.0.0.1:${port}` });
        expect(await ask('where')).toBe(path);
        const [askOther] = await open(path, bob.headers);
        await app.get(SessionLifecycleService).revoke('alice', session.id);
        expect(await closed).toBe(sockets === 'ws' ? 1008 : 'io server disconnect');
        expect(await askOther('where')).toBe(path);
      }
    });

    it('that are open when the application is closed keep no process alive', async () => {
      const running = (): number[] => {
        const all = process.getActiveResourcesInfo();
        return ['Timeout', 'TCPSocketWrap', 'TCPServerWrap'].map((kind) => all.filter((each) => each === kind).length);
      };
      const intervals = new Set<unknown>();
      const { setInterval: begin, clearInterval: end } = globalThis;
      const counting = (callback: () => void, milliseconds?: number): NodeJS.Timeout => {
        const timer = begin(callback, milliseconds);
        if (milliseconds === 250) intervals.add(timer);
        return timer;
      };
      Object.assign(globalThis, {
        setInterval: counting,
        clearInterval: (timer?: NodeJS.Timeout) => {
          intervals.delete(timer);
          end(timer);
        },
      });
      try {
        const before = running();
        const closing = await startNode({ adapter, sockets });
        const watches = watchesOf(closing.app);
        const clients = [];
        for (const transport of ['websocket', 'polling'] as const) {
          for (let count = 0; count < 10; count += 1) {
            const { headers } = await signInAs(closing.app, { ...ALICE, id: `user${count}` });
            clients.push(await connect(sockets, closing.port, headers, [transport]));
          }
        }
        expect([watches.count, intervals.size]).toEqual([20, 1]);
        // one timer for all, and none when nobody is left
        for (const client of clients.splice(0, 10)) client.close();
        await until(() => watches.count === 10);
        expect(intervals.size).toBe(1);
        const closed = closing.app.close();
        for (const client of clients) await client.closed;
        for (const client of clients) client.close();
        await closed;
        expect([watches.count, intervals.size]).toEqual([0, 0]);
        await until(() => running().every((count, kind) => count <= before[kind]!));
      } finally {
        Object.assign(globalThis, { setInterval: begin, clearInterval: end });
      }
    });
  },
);
