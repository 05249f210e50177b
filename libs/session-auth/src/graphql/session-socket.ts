import { IncomingMessage } from 'node:http';
import type { ConnectionHook } from '../connections/connection-hook.js';
import { refusedWith } from '../connections/refused-connection.js';
import { handshakesFor } from '../connections/upgrade-handshakes.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { connectionOf, messageIn } from '../http/connection.js';
import { messageFor } from '../http/http-exception.js';

/** The part of a `WebSocket` of `ws` that is used. */
export interface OpenSocket {
  readonly readyState: number;
  close(code: number, reason: string): void;
  terminate(): void;
  once(event: 'close', listener: () => void): unknown;
}

const OPEN = 1;

/** The close codes of graphql-ws, by the matching HTTP status: its clients try again only after 1013. */
const CLOSE_CODES: Readonly<Record<number, number>> = { 401: 4401, 403: 4403, 503: 1013 };
const INTERNAL_ERROR = 1011;

/** Milliseconds after which a client that does not confirm the close is disconnected. */
const PATIENCE = 1000;

/** Whether these are a WebSocket and the request that opened it, which no client can fake. */
export function isOpening(socket: unknown, request: unknown): boolean {
  const isObject = typeof request === 'object' && request !== null;
  return socket !== undefined && isObject && messageIn(request) instanceof IncomingMessage;
}

/**
 * Checks the request that opened a WebSocket, and closes a refused one with the error's code as the reason.
 *
 * @param end called when the session ends, before the WebSocket is closed
 * @throws SessionAuthError when it is refused, as in {@link Handshake.open}, and `session_required` for a WebSocket
 *   that was closed meanwhile
 */
export async function openSocket(
  hook: ConnectionHook,
  socket: OpenSocket,
  request: object,
  end?: () => void,
): Promise<void> {
  // Mercurius calls this again for each connection_init
  if (connectionOf(request) !== undefined) return;
  try {
    const connection = await handshakesFor(request)
      .of(hook)
      .open(request as IncomingMessage);
    socket.once('close', () => connection.release());
    connection.attach(() => {
      closeEnded(socket);
      end?.();
    });
    if (socket.readyState === OPEN) return;
    connection.release();
  } catch (error) {
    throw refuse(socket, error);
  }
  throw new SessionAuthError('session_required', 'the connection was closed before its session was read');
}

/**
 * Returns the error of code `not_configured` for a hook that was given to the wrong library, which may send the message
 * to its client.
 */
export function misplaced(what: string): SessionAuthError {
  const error = new SessionAuthError('not_configured', what);
  return new SessionAuthError('not_configured', messageFor(error), { cause: error });
}

function closeEnded(socket: OpenSocket): void {
  socket.close(CLOSE_CODES[401]!, 'session_ended');
  const timer = setTimeout(() => socket.terminate(), PATIENCE).unref();
  socket.once('close', () => clearTimeout(timer));
}

function refuse(socket: OpenSocket, cause: unknown): SessionAuthError {
  const error = refusedWith(cause);
  // logs failures of the server
  messageFor(error);
  socket.close(CLOSE_CODES[error.statusCode] ?? INTERNAL_ERROR, error.code);
  return error;
}
