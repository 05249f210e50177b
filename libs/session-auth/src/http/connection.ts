import { IncomingMessage } from 'node:http';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { SessionFollower } from '../link/live-session.js';
import { sessionRequired } from '../session/session-required.js';
import type { ConnectionSession } from './connection-session.js';
import type { RequestServices } from './request-services.js';

/**
 * An open connection, such as a WebSocket, whose opening request was checked. It lives as long as the sessions that it
 * was opened with: when one of them ends, it is closed.
 */
export class Connection implements SessionFollower {
  /** One a realm. */
  #sessions: readonly ConnectionSession[] = [];
  #close: (() => void) | undefined;
  #isOver = false;
  #hasLostSession = false;

  /** Whether a session has ended that it was opened with, or it was released: no message counts any more. */
  get hasEnded(): boolean {
    return this.#isOver;
  }

  /** Whether there is something to close. */
  get isAttached(): boolean {
    return this.#close !== undefined;
  }

  add(session: ConnectionSession): void {
    // an array that has been pushed to holds room for sixteen more
    this.#sessions = this.#sessions.concat(session);
  }

  /**
   * Its session in a realm.
   *
   * @throws SessionAuthError `session_required` once a session has ended that it was opened with, `not_configured` for
   *   a realm that it was not opened for
   */
  inRealm({ realm }: RequestServices): ConnectionSession {
    // what is under way when its client leaves may go on
    if (this.#hasLostSession) throw sessionRequired();
    const session = this.#sessions.find((each) => each.realm === realm);
    if (session !== undefined) return session;
    throw new SessionAuthError(
      'not_configured',
      `this connection was opened for realm '${this.#sessions.map((each) => each.realm).join("', '")}', and not for '${realm}'`,
    );
  }

  /** Has it closed when a session ends; at once where it is over already. */
  attach(close: () => void): void {
    this.#close = close;
    if (this.#isOver) close();
  }

  ended(): void {
    if (this.#isOver) return;
    this.#hasLostSession = true;
    this.release();
    this.#close?.();
  }

  /** A message has come. */
  noteActivity(): void {
    for (const session of this.#sessions) session.noteActivity();
  }

  /** It is closed, and follows no session any more. */
  release(): void {
    this.#isOver = true;
    for (const session of this.#sessions) session.release(this);
  }
}

/** By what stands for it in handlers: the client of a message, or the request that opened it. */
const CONNECTIONS = new WeakMap<object, Connection>();

/** Lets handlers find the connection by this. */
export function keepConnection(owner: object, connection: Connection): void {
  CONNECTIONS.set(messageIn(owner), connection);
}

/**
 * The connection that something stands for: the request that opened it, or the client of a gateway. Socket.io's client
 * holds that request, the one of ws does not.
 */
export function connectionOf(owner: object): Connection | undefined {
  const { request } = owner as { readonly request?: unknown };
  const opening = typeof request === 'object' && request !== null ? request : owner;
  return CONNECTIONS.get(messageIn(owner)) ?? CONNECTIONS.get(messageIn(opening));
}

/** The message that a request of Fastify is a wrapper of; anything else as it is. */
export function messageIn(owner: object): object {
  const { raw } = owner as { readonly raw?: unknown };
  return raw instanceof IncomingMessage ? raw : owner;
}
