import { afterEach, describe, expect, it } from '@jest/globals';
import { Inject } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { SessionAuthService } from 'nestjs-session-auth';
import { signInAs } from 'nestjs-session-auth/testing';
import { NewsGateway } from '../../examples/websockets/news.gateway.js';
import { ADAPTERS } from '../support/http-server.js';
import { until } from '../support/patience.js';
import { ALICE, startNode, type SocketNode } from '../support/socket-app.js';
import { connect, SOCKETS, type SocketClient } from '../support/socket-client.js';

/** Whom a gateway saw at each connection: asked by its client at once, and once more when it has waited. */
let seen: (readonly [atOnce: string | undefined, later: string | undefined])[] = [];

@WebSocketGateway()
class RoomsGateway {
  constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

  async handleConnection(client: object): Promise<void> {
    const atOnce = await this.auth.current(client);
    await new Promise(setImmediate);
    const later = await this.auth.current(client);
    seen.push([atOnce?.userId, later?.userId]);
  }
}

const EVERY = ADAPTERS.flatMap((adapter) => SOCKETS.map((sockets) => ({ adapter, sockets })));

describe.each(EVERY)('handleConnection of $sockets on $adapter', ({ adapter, sockets }) => {
  let node: SocketNode;
  const clients: SocketClient[] = [];

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await node.app.close();
    seen = [];
  });

  it('finds the user whose session opened the socket', async () => {
    node = await startNode({ adapter, sockets, gateways: [RoomsGateway] });
    const { headers } = await signInAs(node.app, ALICE);
    clients.push(await connect(sockets, node.port, headers));
    await until(() => seen.length === 1);
    expect(seen).toEqual([['alice', 'alice']]);
  });

  it('finds nobody on a socket without a session', async () => {
    node = await startNode({ adapter, sockets, gateways: [RoomsGateway], connections: { anonymous: 'allow' } });
    clients.push(await connect(sockets, node.port, {}));
    await until(() => seen.length === 1);
    expect(seen).toEqual([[undefined, undefined]]);
  });
});

it('the example has a room for each user', async () => {
  const node = await startNode({ sockets: 'socket.io', gateways: [NewsGateway] });
  const clients: SocketClient[] = [];
  try {
    for (const id of ['alice', 'bob', 'alice']) {
      const { headers } = await signInAs(node.app, { ...ALICE, id });
      clients.push(await connect('socket.io', node.port, headers));
    }
    const { rooms } = node.app.get(NewsGateway)['server'].sockets.adapter;
    await until(() => rooms.get('user:alice')?.size === 2 && rooms.get('user:bob')?.size === 1);
    const heard = clients.map((client) => client.next());
    const news = node.app.get(NewsGateway);
    news.tell('alice', 'a parcel has come');
    news.tell('bob', 'nothing new');
    expect(await Promise.all(heard)).toEqual(['a parcel has come', 'nothing new', 'a parcel has come']);
  } finally {
    for (const client of clients) client.close();
    await node.app.close();
  }
});
