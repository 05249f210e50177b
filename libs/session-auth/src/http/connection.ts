import { IncomingMessage } from 'node:http';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { SessionFollower } from '../link/live-session.js';
import { sessionRequired } from '../session/session-required.js';
import type { ConnectionSession } from './connection-session.js';
import type { RequestServices } from './request-services.js';

/**
 * An open connection, such as a WebSocket, whose opening request was checked. It is closed when one of the sessions
 * that it was opened with ends.
 */
export class Connection implements SessionFollower {
  /** One for each realm. */
  #sessions: readonly ConnectionSession[] = [];
  #close: (() => void) | undefined;
  #isOver = false;
  #hasLostSession = false;

  /** Whether one of its sessions has ended, or it was released: further messages are refused. */
  get hasEnded(): boolean {
    return this.#isOver;
  }

  /** Whether there is something to close. */
  get isAttached(): boolean {
    return this.#close !== undefined;
  }

  add(session: ConnectionSession): void {
    // not with `push`, which reserves memory for sixteen more items
    this.#sessions = this.#sessions.concat(session);
  }

  /**
   * Returns its session in a realm.
   *
   * @throws SessionAuthError `session_required` after one of its sessions has ended, `not_configured` for a realm that
   *   it was not opened for
   */
  inRealm({ realm }: RequestServices): ConnectionSession {
    // work under way when its client leaves may go on
    if (this.#hasLostSession) throw sessionRequired();
    const session = this.#sessions.find((each) => each.realm === realm);
    if (session !== undefined) return session;
    throw new SessionAuthError(
      'not_configured',
      `this connection was opened for realm '${this.#sessions.map((each) => each.realm).join("', '")}', not for '${realm}'`,
    );
  }

  /** Sets the function that closes it when a session ends; calls it at once if one has ended. */
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

  /** Called for each message. */
  noteActivity(): void {
    for (const session of this.#sessions) session.noteActivity();
  }

  /** Called when it is closed: stops following its sessions. */
  release(): void {
    this.#isOver = true;
    for (const session of this.#sessions) session.release(this);
  }
}

/** By the object that handlers know it by: the client of a message, or the request that opened it. */
const CONNECTIONS = new WeakMap<object, Connection>();

/** Lets handlers find the connection by this object. */
export function keepConnection(owner: object, connection: Connection): void {
  CONNECTIONS.set(messageIn(owner), connection);
}

/**
 * Returns the connection of the request that opened it, or of a gateway's client. Clients of Socket.io hold that
 * request, those of ws do not.
 */
export function connectionOf(owner: object): Connection | undefined {
  const { request } = owner as { readonly request?: unknown };
  const opening = typeof request === 'object' && request !== null ? request : owner;
  return CONNECTIONS.get(messageIn(owner)) ?? CONNECTIONS.get(messageIn(opening));
}

/** Returns the message inside a request of Fastify; any other object unchanged. */
export function messageIn(owner: object): object {
  const { raw } = owner as { readonly raw?: unknown };
  return raw instanceof IncomingMessage ? raw : owner;
}
