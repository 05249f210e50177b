import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { signInAs } from 'nestjs-session-auth/testing';
import { on, once } from 'node:events';
import { WebSocket } from 'ws';
import { closeApps } from '../support/door-app.js';
import { GRAPHS, GraphApp, type GraphAnswer, type GraphName } from '../support/graphql-app.js';
import { ran } from '../support/graphql-doors.js';

const GRAPH_NAMES: GraphName[] = ['Apollo on Express', 'Apollo on Fastify', 'Mercurius'];

interface Connection {
  readonly ask: (query: string) => Promise<GraphAnswer>;
  readonly close: () => void;
}

/** Opens a connection of the protocol graphql-transport-ws. */
async function connect(port: number, cookie: string): Promise<Connection> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws', { headers: { cookie } });
  const messages = on(socket, 'message') as AsyncIterableIterator<[Buffer]>;
  const receive = async (): Promise<{ type: string; payload: unknown }> => {
    const { value } = (await messages.next()) as { value: [Buffer] };
    return JSON.parse(value[0].toString()) as { type: string; payload: unknown };
  };
  await once(socket, 'open');
  // what a client says of headers must count for nothing
  const payload = { headers: { cookie }, cookie };
  socket.send(JSON.stringify({ type: 'connection_init', payload }));
  expect(await receive()).toMatchObject({ type: 'connection_ack' });
  let id = 0;
  const ask = async (query: string): Promise<GraphAnswer> => {
    id += 1;
    socket.send(JSON.stringify({ id: String(id), type: 'subscribe', payload: { query } }));
    const { type, payload: answer } = await receive();
    // what follows is the completion of the same operation
    if (type === 'next') await receive();
    return answer as GraphAnswer;
  };
  return { ask, close: () => socket.close() };
}

describe.each(GRAPH_NAMES)('operations over a WebSocket on %s, whose opening request nobody has checked,', (graph) => {
  let ask: Connection['ask'];
  let close: Connection['close'];

  beforeAll(async () => {
    const isApollo = GRAPHS[graph].driver === 'apollo';
    const config = isApollo ? { subscriptions: { 'graphql-ws': true } } : { subscription: { fullWsTransport: true } };
    const running = await GraphApp.start({ graph, config, realms: { default: { csrf: { global: true } } } });
    const { cookie } = await signInAs(running.app, { id: 'alice', roles: [] });
    ({ ask, close } = await connect(running.port, cookie));
  });
  afterAll(async () => {
    close();
    await closeApps();
  });
  beforeEach(() => void ran.splice(0));

  it('are refused if a session or a CSRF token is required, and run no resolver', async () => {
    for (const operation of ['{ guarded }', '{ open }', 'mutation { act }', 'mutation { actUnmarked }']) {
      expect(await ask(operation)).toMatchObject({ errors: [{ extensions: { reason: 'request_not_bound' } }] });
    }
    expect(ran).toEqual([]);
  });

  it('run if nothing is required', async () => {
    expect(await ask('{ unmarked }')).toEqual({ data: { unmarked: 'anybody' } });
  });
});
