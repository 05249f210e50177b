import type { IncomingMessage } from 'node:http';
import type { Writable } from 'node:stream';
import type { Connection } from '../http/connection.js';
import type { Handshake } from '../connections/handshake.js';
import { sessionRequired } from '../session/session-required.js';
import { refusalOf, type Refusal } from './refusal.js';

/** A request that opens a connection, and the functions that decide it. */
export interface Opening {
  readonly request: IncomingMessage;
  /** Closes when the client leaves: the socket of an upgrade, or the response to a poll. */
  readonly answer: Writable;
  readonly refuse: (refusal: Refusal) => void;
  /**
   * Called once the handshake has accepted the request.
   *
   * @param admit opens the connection by calling its argument, unless the session has ended meanwhile
   */
  readonly proceed: (admit: (open: () => void) => void) => void;
}

/** Lets the handshake check a request, and then the application's own check. */
export async function judge(handshake: Handshake, { request, answer, refuse, proceed }: Opening): Promise<void> {
  const realm = handshake.settings.realms[0]!;
  let connection: Connection;
  try {
    connection = await handshake.open(request);
  } catch (error) {
    refuse(refusalOf(error, realm));
    return;
  }
  const opened = releaseUnlessOpened(connection, answer);
  // the client has left in the meantime, and no further event will come
  if (answer.destroyed) {
    connection.release();
    return;
  }
  try {
    proceed((open) => {
      if (connection.hasEnded) refuse(refusalOf(sessionRequired(), realm));
      else {
        open();
        opened();
      }
    });
  } catch (error) {
    connection.release();
    refuse(refusalOf(error, realm));
  }
}

/**
 * Releases a connection that never opens; an open one is released by its client. A separate function, so that nothing
 * keeps the request in memory.
 *
 * @returns call it when the connection may have opened
 */
function releaseUnlessOpened(connection: Connection, answer: Writable): () => void {
  const release = (): void => {
    if (!connection.isAttached) connection.release();
  };
  answer.on('close', release);
  return () => {
    if (connection.isAttached) answer.off('close', release);
  };
}
