import type { IncomingMessage } from 'node:http';
import type { Writable } from 'node:stream';
import type { Connection } from '../http/connection.js';
import type { Handshake } from '../connections/handshake.js';
import { sessionRequired } from '../session/session-required.js';
import { refusalOf, type Refusal } from './refusal.js';

/** A request that opens a connection, and who says what becomes of it. */
export interface Opening {
  readonly request: IncomingMessage;
  /** Closed when the client has gone: the socket of an upgrade, the response to a poll. */
  readonly answer: Writable;
  readonly refuse: (refusal: Refusal) => void;
  /**
   * Asked once the handshake has found nothing against the request.
   *
   * @param admit opens the connection by calling what it is given, unless the session has ended meanwhile
   */
  readonly proceed: (admit: (open: () => void) => void) => void;
}

/** Asks the handshake about a request, and the application's own check after that. */
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
  // the client has left in the meantime, and no event will tell
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
 * Of a connection that comes about, its client tells the end. On its own, so that nothing keeps the request.
 *
 * @returns to be called when it may have come about
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
