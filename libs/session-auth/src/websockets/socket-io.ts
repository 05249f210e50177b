import { Logger } from '@nestjs/common';
import type { EventEmitter } from 'node:events';
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Handshake } from '../connections/handshake.js';
import { connectionOf } from '../http/connection.js';
import { judge } from './opening.js';
import { POLICY_VIOLATION, type Refusal } from './refusal.js';

/** The request as engine.io has it: with the response, unless it is an upgrade. */
type EngineRequest = IncomingMessage & { readonly res?: ServerResponse };

type AllowRequest = (
  request: EngineRequest,
  decide: (error: string | null | undefined, isAllowed: boolean) => void,
) => void;

/** The connection of a client, below its sockets of all namespaces. */
interface EngineSocket extends EventEmitter {
  readonly request: IncomingMessage | null;
  readonly transport: EngineTransport;
  close(): void;
}

/** How a connection is carried at present: that of a WebSocket has one. */
interface EngineTransport {
  readonly socket?: { close?(code?: number, reason?: string): void };
}

/** A server, or a namespace of one. */
interface SocketIoServer {
  readonly engine?: EventEmitter;
  readonly server?: { readonly engine: EventEmitter };
}

/** What gateways have for a client. */
interface SocketIoSocket {
  readonly conn: EngineSocket;
  once(event: 'disconnect', listener: () => void): unknown;
  disconnect(closesConnection: boolean): void;
}

const logger = new Logger('SessionAuth');

/** The sockets of each connection that are in a namespace now: any of them has all of them told to disconnect. */
const SOCKETS = new WeakMap<EngineSocket, Set<SocketIoSocket>>();

export function isSocketIo(server: object): server is SocketIoServer {
  return 'engine' in server || 'sockets' in server;
}

/** Options of a server by which it asks the handshake first, and what `given` asks for after that. */
export function refusingSocketIo(
  handshake: Handshake,
  { allowRequest: theirs }: { readonly allowRequest?: AllowRequest | null },
): object {
  const allowRequest: AllowRequest = (request, decide) => {
    // nobody listens to the socket of an upgrade until it is decided: a client that resets it would end this process
    if (request.res === undefined) request.socket.on('error', ignore);
    void judge(handshake, {
      request,
      answer: request.res ?? request.socket,
      // the server would say 400 or 403 by itself
      refuse: (refusal) => send(request, refusal),
      proceed: (admit) => {
        if (theirs == null) admit(() => decide(null, true));
        else
          theirs(request, (error, isAllowed) => {
            if (isAllowed) admit(() => decide(error, true));
            else decide(error, false);
          });
      },
    });
  };
  return { allowRequest };
}

/** What tells of the connections of a server, whichever of its namespaces it is. */
export function engineOf({ engine, server }: SocketIoServer): EventEmitter {
  return (engine ?? server?.engine)!;
}

/**
 * Has the clients of a server closed when their session ends.
 *
 * @param unchecked called for a client that was opened past the handshake, which is closed
 */
export function followSocketIo(engine: EventEmitter, unchecked: () => void): void {
  engine.on('connection', (socket: EngineSocket) => {
    const connection = socket.request === null ? undefined : connectionOf(socket.request);
    if (connection === undefined) {
      unchecked();
      socket.close();
      return;
    }
    socket.once('close', () => connection.release());
    connection.attach(() => end(socket));
  });
}

/** Keeps a client of a gateway, by which all sockets of its connection can be told to disconnect. */
export function keepSocket(client: object): void {
  if (!('conn' in client)) return;
  const socket = client as SocketIoSocket;
  const sockets = SOCKETS.get(socket.conn) ?? new Set();
  if (sockets.has(socket)) return;
  SOCKETS.set(socket.conn, sockets.add(socket));
  // one that has left its namespace would tell nobody
  socket.once('disconnect', () => sockets.delete(socket));
}

/**
 * Tells the client to disconnect, and closes its connection once that is sent: a client that is not told connects
 * again.
 */
function end(socket: EngineSocket): void {
  closeWithCode(socket.transport);
  // of a client that is in the middle of leaving polling
  socket.once('upgrade', closeWithCode);
  for (const client of [...(SOCKETS.get(socket) ?? [])]) {
    try {
      client.disconnect(true);
    } catch (error) {
      // the others are told all the same, and the connection is closed
      logger.error('a listener of the application failed when its socket was disconnected', error);
    }
  }
  // where nothing has joined a namespace
  socket.close();
}

/** The engine closes a WebSocket without a code. */
function closeWithCode({ socket }: EngineTransport): void {
  const close = socket?.close?.bind(socket);
  if (socket !== undefined && close !== undefined) socket.close = () => close(POLICY_VIOLATION, 'session_ended');
}

function send(request: EngineRequest, { statusCode, headers, body }: Refusal): void {
  if (request.res !== undefined) {
    request.res.writeHead(statusCode, headers).end(body);
    return;
  }
  const { socket } = request;
  const lines = Object.entries({ ...headers, Connection: 'close' });
  const head = [`HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode]}`, ...lines.map((line) => line.join(': '))];
  socket.once('finish', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function ignore(): void {
  // the socket is destroyed by itself
}
