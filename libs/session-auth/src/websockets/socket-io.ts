import { Logger } from '@nestjs/common';
import type { EventEmitter } from 'node:events';
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Handshake } from '../connections/handshake.js';
import { connectionOf } from '../http/connection.js';
import { judge } from './opening.js';
import { POLICY_VIOLATION, type Refusal } from './refusal.js';

/** A request of engine.io: with the response, unless it is an upgrade. */
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

/** The present transport of a connection; that of a WebSocket has a socket. */
interface EngineTransport {
  readonly socket?: { close?(code?: number, reason?: string): void };
}

/** A server, or a namespace of one. */
interface SocketIoServer {
  readonly engine?: EventEmitter;
  readonly server?: { readonly engine: EventEmitter };
}

/** The client object of gateways. */
interface SocketIoSocket {
  readonly conn: EngineSocket;
  once(event: 'disconnect', listener: () => void): unknown;
  disconnect(closesConnection: boolean): void;
}

const logger = new Logger('SessionAuth');

/** The sockets of each connection that are in a namespace now: any of them can disconnect all of them. */
const SOCKETS = new WeakMap<EngineSocket, Set<SocketIoSocket>>();

export function isSocketIo(server: object): server is SocketIoServer {
  return 'engine' in server || 'sockets' in server;
}

/** Returns options for a server that let the handshake check first, and then the check in `given`. */
export function refusingSocketIo(
  handshake: Handshake,
  { allowRequest: theirs }: { readonly allowRequest?: AllowRequest | null },
): object {
  const allowRequest: AllowRequest = (request, decide) => {
    // nobody else listens to the socket of an upgrade yet, so a client that resets it would end this process
    if (request.res === undefined) request.socket.on('error', ignore);
    void judge(handshake, {
      request,
      answer: request.res ?? request.socket,
      // the server by itself would send 400 or 403
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

/** Returns the emitter of a server's connections, given any of its namespaces. */
export function engineOf({ engine, server }: SocketIoServer): EventEmitter {
  return (engine ?? server?.engine)!;
}

/**
 * Closes the clients of a server when their session ends.
 *
 * @param unchecked called for a client that bypassed the handshake, which is closed
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

/** Records a client of a gateway, through which all sockets of its connection can be disconnected. */
export function keepSocket(client: object): void {
  if (!('conn' in client)) return;
  const socket = client as SocketIoSocket;
  const sockets = SOCKETS.get(socket.conn) ?? new Set();
  if (sockets.has(socket)) return;
  SOCKETS.set(socket.conn, sockets.add(socket));
  // a socket that has left its namespace would reach nobody
  socket.once('disconnect', () => sockets.delete(socket));
}

/**
 * Disconnects the client, and closes its connection once that message is sent: otherwise the client would connect
 * again.
 */
function end(socket: EngineSocket): void {
  closeWithCode(socket.transport);
  // for a client that is just changing from polling to a WebSocket
  socket.once('upgrade', closeWithCode);
  for (const client of [...(SOCKETS.get(socket) ?? [])]) {
    try {
      client.disconnect(true);
    } catch (error) {
      // the other sockets are still disconnected, and the connection is closed
      logger.error('a listener of the application failed on the disconnection of its socket', error);
    }
  }
  // no socket has joined a namespace
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
  // the socket is destroyed anyway
}
