import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { io, type Socket } from 'socket.io-client';
import { WebSocket } from 'ws';
import { send } from './bank-client.js';

export const SOCKETS = ['socket.io', 'ws'] as const;
export type SocketsName = (typeof SOCKETS)[number];

/** What a server answers instead of opening a connection. */
export interface Refused {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** One connection of a client, of either library. */
export interface SocketClient {
  /** Resolves with the data of what comes back, whatever event carries it; rejects when the connection is closed. */
  ask(event: string, data?: unknown): Promise<unknown>;
  /** Resolves with the data of the next message; rejects when the connection is closed. */
  next(): Promise<unknown>;
  send(event: string, data?: unknown): void;
  /** Resolves when the server has closed it: with code and reason of `ws`, or the reason that socket.io gives. */
  readonly closed: Promise<{ readonly code?: number; readonly reason: string }>;
  readonly isOpen: boolean;
  close(): void;
}

/** Opens a connection; rejects with {@link Refused} when the server does not. */
export function connect(
  sockets: SocketsName,
  port: number,
  headers: Readonly<Record<string, string>>,
  transports: ('websocket' | 'polling')[] = ['websocket'],
): Promise<SocketClient> {
  return sockets === 'ws' ? connectWs(port, headers) : connectIo(port, headers, transports);
}

async function connectWs(port: number, headers: Readonly<Record<string, string>>): Promise<SocketClient> {
  const client = new WebSocket(`ws://127.0.0.1:${port}/`, { headers });
  client.on('error', () => undefined);
  await new Promise<void>((resolve, reject) => {
    client.once('open', resolve);
    client.once('error', reject);
    client.once('unexpected-response', (_: ClientRequest, response: IncomingMessage) => {
      void bodyOf(response).then((body) => {
        const { statusCode: status = 0, headers: given } = response;
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- it is what was answered
        reject({ status, headers: given, body } satisfies Refused);
      });
    });
  });
  const send = (event: string, data: unknown = {}): void => client.send(JSON.stringify({ event, data }));
  const closed = once(client, 'close').then(([code, reason]) => ({ code: code as number, reason: String(reason) }));
  const next = async (): Promise<unknown> => {
    const [received] = (await Promise.race([once(client, 'message'), failWith(closed)])) as [Buffer];
    return (JSON.parse(received.toString()) as { data: unknown }).data;
  };
  return {
    send,
    next,
    ask: (event, data) => {
      send(event, data);
      return next();
    },
    closed,
    get isOpen() {
      return client.readyState === WebSocket.OPEN;
    },
    close: () => client.terminate(),
  };
}

async function connectIo(
  port: number,
  headers: Readonly<Record<string, string>>,
  transports: ('websocket' | 'polling')[],
): Promise<SocketClient> {
  const client: Socket = io(`http://127.0.0.1:${port}`, {
    extraHeaders: { ...headers },
    transports,
    forceNew: true,
    reconnection: true,
    reconnectionDelay: 20,
  });
  try {
    await new Promise<void>((resolve, reject) => {
      client.once('connect', resolve);
      client.once('connect_error', (error: Error & { context?: unknown }) => reject(error));
    });
  } catch (error) {
    client.disconnect();
    throw error;
  }
  const closed = new Promise<{ reason: string }>((resolve) =>
    client.once('disconnect', (reason) => resolve({ reason })),
  );
  const next = (): Promise<unknown> => {
    const received = new Promise((resolve) => client.onAny((_: string, data: unknown) => resolve(data)));
    return Promise.race([received, failWith(closed)]).finally(() => client.offAny());
  };
  return {
    send: (event, data = {}) => void client.emit(event, data),
    next,
    ask: (event, data = {}) => {
      const answer = next();
      client.emit(event, data);
      return answer;
    },
    closed,
    get isOpen() {
      return client.connected;
    },
    close: () => void client.disconnect(),
  };
}

/** Rejects when a connection is closed: its message will not come. */
async function failWith(closed: SocketClient['closed']): Promise<never> {
  throw new Error(`the connection was closed: ${JSON.stringify(await closed)}`);
}

/** The ways in: by an upgrade to either library, and by polling, which is plain HTTP. */
export const WAYS = ['ws', 'socket.io', 'polling'] as const;
export type Way = (typeof WAYS)[number];

/** The library behind a way in. */
export const socketsOf = (way: Way): SocketsName => (way === 'ws' ? 'ws' : 'socket.io');

/**
 * What a server answers to a request that opens a connection: status 101, or 200 to polling, where it does open one.
 */
export async function opening(way: Way, port: number, headers: Readonly<Record<string, string>>): Promise<Refused> {
  if (way === 'polling') {
    const {
      status,
      headers: given,
      text,
    } = await send(port, 'GET', '/socket.io/?EIO=4&transport=polling', { headers });
    return { status, headers: given, body: text };
  }
  const path = way === 'ws' ? '/' : '/socket.io/?EIO=4&transport=websocket';
  const client = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers });
  client.on('error', () => undefined);
  return new Promise((resolve, reject) => {
    client.once('open', () => {
      resolve({ status: 101, headers: {}, body: '' });
      client.terminate();
    });
    client.once('error', reject);
    client.once('unexpected-response', (_: ClientRequest, response: IncomingMessage) => {
      const { statusCode: status = 0, headers: given } = response;
      void bodyOf(response).then((body) => resolve({ status, headers: given, body }));
    });
  });
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
