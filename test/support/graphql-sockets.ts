import { connectSession, sessionContext, type ConnectionOptions } from 'nestjs-session-auth/graphql';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { until } from './patience.js';
import { GraphApp, GRAPHS, type GraphAnswer, type GraphName, type GraphSetup } from './graphql-app.js';
import { DoorResolver, RealmDoorResolver, TYPE_DEFS } from './graphql-doors.js';
import { FEED_TYPE_DEFS, FeedResolver, Feeds } from './graphql-feeds.js';

/** The options of the GraphQLModule by which operations over WebSockets have sessions. */
export function withSessions(graph: GraphName, options?: ConnectionOptions): Record<string, unknown> {
  return GRAPHS[graph].driver === 'apollo'
    ? { subscriptions: { 'graphql-ws': { onConnect: connectSession(options) } } }
    : { subscription: { fullWsTransport: true, context: sessionContext(options) } };
}

/** A running application of all doors and feeds, whose operations over WebSockets have sessions. */
export interface FeedApp extends GraphApp {
  readonly feeds: Feeds;
}

/** Starts one. @param connections of `connectSession` and `sessionContext` */
export async function startFeeds(setup: GraphSetup, connections?: ConnectionOptions): Promise<FeedApp> {
  const feeds = new Feeds();
  const running = await GraphApp.start({
    typeDefs: [TYPE_DEFS, FEED_TYPE_DEFS],
    ...setup,
    config: { ...withSessions(setup.graph, connections), ...setup.config },
    resolvers: [DoorResolver, RealmDoorResolver, FeedResolver, { provide: Feeds, useValue: feeds }],
  });
  return Object.assign(running, { feeds });
}

/** How a server closed a WebSocket. */
export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** A message of the protocol graphql-transport-ws. */
export interface Message {
  readonly type: string;
  readonly id?: string;
  readonly payload?: unknown;
}

/** How a WebSocket is opened. */
export interface Opening {
  readonly port: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of `connection_init`. */
  readonly payload?: unknown;
  /** Over TLS. @default false */
  readonly secure?: boolean;
}

/** A WebSocket that speaks graphql-transport-ws as the test says, right or wrong. */
export class GraphSocket {
  /** Every message that has come and was not taken yet. */
  readonly inbox: Message[] = [];
  readonly closed: Promise<Closed>;
  #lastId = 0;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => void this.inbox.push(JSON.parse(data.toString()) as Message));
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
  }

  /** Opens one and says nothing. */
  static async dial({ port, headers, secure = false }: Opening): Promise<GraphSocket> {
    const url = `${secure ? 'wss' : 'ws'}://127.0.0.1:${port}/graphql`;
    const socket = new WebSocket(url, 'graphql-transport-ws', { headers: { ...headers }, rejectUnauthorized: false });
    const opened = new GraphSocket(socket);
    socket.on('error', () => undefined);
    await once(socket, 'open');
    sockets.push(socket);
    return opened;
  }

  /** Opens one as clients do. Rejects with {@link Closed} where the server refuses it. */
  static async open(opening: Opening): Promise<GraphSocket> {
    const opened = await GraphSocket.dial(opening);
    opened.send({ type: 'connection_init', payload: opening.payload });
    const closed = await Promise.race([opened.take(({ type }) => type === 'connection_ack'), opened.closed]);
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- it is what was answered
    if ('code' in closed) throw closed;
    return opened;
  }

  send(message: Message): void {
    this.socket.send(JSON.stringify(message));
  }

  /** Sends an operation. Returns its id. */
  start(query: string, id = String((this.#lastId += 1))): string {
    this.send({ id, type: 'subscribe', payload: { query } });
    return id;
  }

  /** What an operation that is no subscription is answered, or a subscription that is refused. */
  async ask(query: string): Promise<GraphAnswer> {
    const id = this.start(query);
    return this.next(id);
  }

  /** The next event of an operation, or what it is refused with. */
  async next(id: string): Promise<GraphAnswer> {
    const isNext = (message: Message): boolean => message.id === id && ['next', 'error'].includes(message.type);
    const { type, payload } = await this.take(isNext);
    return type === 'error' ? { errors: payload as GraphAnswer['errors'] } : (payload as GraphAnswer);
  }

  /** Waits for what the server does, which may refuse or close instead. */
  async until(holds: () => boolean): Promise<void> {
    await until(() => holds() || this.socket.readyState !== WebSocket.OPEN);
  }

  /** Takes the first message of a kind out of the inbox, now or when it comes. */
  async take(isWanted: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const place = this.inbox.findIndex(isWanted);
      if (place >= 0) return this.inbox.splice(place, 1)[0]!;
      await once(this.socket, 'message');
    }
  }
}

const sockets: WebSocket[] = [];

/** For `afterEach`: closes what is open. */
export function closeSockets(): void {
  for (const socket of sockets.splice(0)) socket.terminate();
}
