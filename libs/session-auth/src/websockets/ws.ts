import type { IncomingMessage } from 'node:http';
import type { Handshake } from '../connections/handshake.js';
import { connectionOf, keepConnection } from '../http/connection.js';
import { judge } from './opening.js';
import { POLICY_VIOLATION } from './refusal.js';

/** The part of `ws`'s `WebSocketServer` that is used. */
export interface WsServer {
  on(event: 'connection', listener: (client: WsClient, request: IncomingMessage) => void): unknown;
}

interface WsClient {
  on(event: 'close', listener: () => void): unknown;
  close(code: number, reason: string): void;
}

type Decide = (isAllowed: boolean, code?: number, message?: string, headers?: Readonly<Record<string, string>>) => void;

interface ClientInfo {
  readonly req: IncomingMessage;
}

/** An application's own check: with one parameter it returns, with two it calls back. */
type VerifyClient = ((info: ClientInfo) => boolean) | ((info: ClientInfo, decide: Decide) => void);

/** Returns options for a `WebSocketServer` that let the handshake check first, and then the check in `given`. */
export function refusingWs(
  handshake: Handshake,
  { verifyClient: theirs }: { readonly verifyClient?: VerifyClient | null },
): object {
  const verifyClient = (info: ClientInfo, decide: Decide): void =>
    void judge(handshake, {
      request: info.req,
      answer: info.req.socket,
      refuse: ({ statusCode, body, headers }) => decide(false, statusCode, body, headers),
      proceed: (admit) => {
        const decideNow: Decide = (isAllowed, ...refusal) => {
          if (isAllowed) admit(() => decide(true));
          else decide(false, ...refusal);
        };
        if (theirs == null) decideNow(true);
        else if (theirs.length === 2) theirs(info, decideNow);
        else decideNow((theirs as (info: ClientInfo) => boolean)(info), 401);
      },
    });
  return { verifyClient };
}

/**
 * Closes the clients of a server when their session ends.
 *
 * @param unchecked called for a client that bypassed the handshake, which is closed
 */
export function followWs(server: WsServer, unchecked: () => void): void {
  server.on('connection', (client, request) => {
    const connection = connectionOf(request);
    if (connection === undefined) {
      unchecked();
      client.close(POLICY_VIOLATION, 'request_not_bound');
      return;
    }
    keepConnection(client, connection);
    // not when its TCP connection closes: earlier messages may still be unread then
    client.on('close', () => connection.release());
    connection.attach(() => client.close(POLICY_VIOLATION, 'session_ended'));
  });
}
