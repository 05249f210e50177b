import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { SessionLifecycleService } from 'nestjs-session-auth';
import { connectSession, sessionContext, type ConnectionOptions } from 'nestjs-session-auth/graphql';
import { signInAs } from 'nestjs-session-auth/testing';
import { withSessions } from 'nestjs-session-auth/websockets';
import { send } from '../support/bank-client.js';
import { openBackend } from '../support/bank.js';
import { closeApps, log } from '../support/door-app.js';
import { GRAPH_NAMES, GraphApp, GRAPHS, type GraphName } from '../support/graphql-app.js';
import { closeSockets, GraphSocket, startFeeds, withSessions as sessionsOf } from '../support/graphql-sockets.js';
import { makeSelfSignedCertificate, type Certificate } from '../support/self-signed-certificate.js';
import { connect } from '../support/socket-client.js';
import { DoorGateway } from '../support/socket-gateway.js';

const NAMES: GraphName[] = ['Apollo on Express', 'Apollo on Fastify', 'Mercurius'];
const ALICE = { id: 'alice', roles: [] };
const GUARDED = { data: { guarded: 'alice' } };

afterEach(async () => {
  closeSockets();
  await closeApps();
});

describe.each(NAMES)('a WebSocket to %s finds its application', (graph) => {
  let certificate: Certificate;

  beforeAll(() => {
    certificate = makeSelfSignedCertificate();
  });

  it('over TLS, where a page over plain HTTP is one of another origin', async () => {
    const { app, port } = await startFeeds({ graph, certificate });
    const { cookie } = await signInAs(app, ALICE);
    const open = (scheme: string): Promise<GraphSocket> =>
      GraphSocket.open({ port, secure: true, headers: { cookie, origin: `${scheme}://127.0.0.1:${port}` } });
    expect(await (await open('https')).ask('{ guarded }')).toEqual(GUARDED);
    await expect(open('http')).rejects.toEqual({ code: 4403, reason: 'csrf_failed' });
  });

  it('at another server that hands its upgrades on, as Fastify has one for each address of a host', async () => {
    const { app } = await startFeeds({ graph });
    const main = app.getHttpServer() as Server;
    const other = createServer().on('upgrade', main.emit.bind(main, 'upgrade'));
    await once(other.listen(0, '127.0.0.1'), 'listening');
    const { port } = other.address() as AddressInfo;
    const { cookie } = await signInAs(app, ALICE);
    const socket = await GraphSocket.open({ port, headers: { cookie } });
    expect(await socket.ask('{ guarded }')).toEqual(GUARDED);
    closeSockets();
    other.close();
  });

  it('among several in a process that are given the same options', async () => {
    const config = sessionsOf(graph);
    const [one, other] = [await startFeeds({ graph, config }), await startFeeds({ graph, config })];
    const { cookie } = await signInAs(one.app, ALICE);
    const socket = await GraphSocket.open({ port: one.port, headers: { cookie } });
    expect(await socket.ask('{ guarded }')).toEqual(GUARDED);
    const elsewhere = GraphSocket.open({ port: other.port, headers: { cookie } });
    await expect(elsewhere).rejects.toEqual({ code: 4401, reason: 'session_required' });
  });

  it('in a function of the application that calls this one', async () => {
    const { app, port } = await startFeeds({ graph, config: wrapped(graph, {}) });
    const { cookie } = await signInAs(app, ALICE);
    const socket = await GraphSocket.open({ port, headers: { cookie } });
    expect(await socket.ask('{ guarded }')).toEqual(GUARDED);
  });
});

describe.each(NAMES.filter((name) => GRAPHS[name].driver === 'apollo'))('a WebSocket to %s', (graph) => {
  it('is beside the sockets of socket.io on the same port', async () => {
    const configure = (app: INestApplication): void => {
      app.useWebSocketAdapter(withSessions(new IoAdapter(app), app));
    };
    const { app, port } = await startFeeds({ graph, configure, providers: [DoorGateway] });
    const { cookie, session } = await signInAs(app, ALICE);
    const socket = await GraphSocket.open({ port, headers: { cookie } });
    const client = await connect('socket.io', port, { cookie });
    expect(await client.ask('guarded')).toEqual({ userId: 'alice', roles: [] });
    expect(await socket.ask('{ guarded }')).toEqual(GUARDED);
    await app.get(SessionLifecycleService).revoke('alice', session.id);
    expect(await socket.closed).toEqual({ code: 4401, reason: 'session_ended' });
    expect(await client.closed).toEqual({ reason: 'io server disconnect' });
    client.close();
  });
});

describe.each(NAMES)('options of a WebSocket to %s', (graph) => {
  const wrong = { anonymous: 'maybe' } as unknown as ConnectionOptions;

  it('are refused at boot when they are wrong', async () => {
    const owner = GRAPHS[graph].driver === 'apollo' ? 'connectSession' : 'sessionContext';
    await expect(startFeeds({ graph }, wrong)).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: expect.stringContaining(`${owner}: anonymous`),
    });
    await expect(startFeeds({ graph }, { realm: 'nobodys' })).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: expect.stringContaining(`${owner}: realm`),
    });
  });

  it('are refused at boot where the storage was not told to have the link', async () => {
    const backend = await openBackend('redis');
    await expect(startFeeds({ graph, realms: { default: { storage: backend.storage } } })).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: expect.stringContaining('link: true'),
    });
    await closeApps();
    await backend.close();
  });

  it('close every WebSocket, and the log says why, where boot could not find them', async () => {
    const { app, port } = await startFeeds({ graph, config: wrapped(graph, wrong) });
    const { cookie } = await signInAs(app, ALICE);
    const opened = GraphSocket.open({ port, headers: { cookie } });
    await expect(opened).rejects.toEqual({ code: 1011, reason: 'invalid_configuration' });
    expect(log.map(({ text }) => text).join()).toContain('anonymous');
  });
});

describe.each(GRAPH_NAMES)('%s without WebSockets', (graph) => {
  it('responds to requests with an upgrade header as to any others', async () => {
    const { port } = await GraphApp.start({ graph });
    const headers = { connection: 'Upgrade', upgrade: 'websocket' };
    expect((await send(port, 'GET', '/auth/csrf', { headers })).status).toBe(200);
  });
});

describe('connectSession() and sessionContext()', () => {
  const message = { headers: {}, rawHeaders: [] } as unknown as IncomingMessage;
  const forged = { extra: { socket: { close: () => undefined }, request: message } };

  it('refuse with a code what another library calls them with', async () => {
    const refused = { code: 'not_configured', message: 'Internal server error' };
    const [onConnect, context] = [connectSession(), sessionContext()] as unknown as ((...args: unknown[]) => unknown)[];
    // subscriptions-transport-ws: what the client sends, its socket, and what opened that
    for (const parameters of [undefined, {}, forged]) {
      await expect(onConnect!(parameters, {}, { request: message })).rejects.toMatchObject(refused);
    }
    await expect(context!({ payload: forged })).rejects.toMatchObject(refused);
    await expect(context!({}, message)).rejects.toMatchObject(refused);
  });
});

/** The options of the GraphQLModule with a function of the application around ours. */
function wrapped(graph: GraphName, options: ConnectionOptions): Record<string, unknown> {
  const [onConnect, context] = [connectSession(options), sessionContext(options)];
  return GRAPHS[graph].driver === 'apollo'
    ? { subscriptions: { 'graphql-ws': { onConnect: (given: Parameters<typeof onConnect>[0]) => onConnect(given) } } }
    : {
        subscription: {
          fullWsTransport: true,
          context: async (...given: Parameters<typeof context>) => ({ ...(await context(...given)), more: true }),
        },
      };
}
