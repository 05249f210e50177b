import { SessionAuthError } from '../errors/session-auth.error.js';
import type { SessionSignal } from '../session/session-link.js';
import type { NodeMessage, NodeRegistry } from './node-registry.js';

/** Carries signals from the backend to this node. */
export interface LinkTransport {
  /**
   * Why a heartbeat does not prove that everything published before has been heard; undefined where it does. What only
   * the backend knows is included after the first connection.
   */
  readonly unprovable?: string | undefined;
  /**
   * Connects. Once it resolves, everything that is published reaches the receiver; a test message, published the way
   * the stores publish, has arrived. It rejects when that takes too long. When it rejects, nothing stays open.
   *
   * @param realms the realms whose signals are received
   * @throws SessionAuthError `invalid_configuration` when trying again would be useless; any other error means that the
   *   backend cannot be reached
   */
  connect(realms: readonly string[], receiver: LinkReceiver): Promise<LinkConnection>;
  /** Returns the registry of the nodes of a realm; undefined if the backend has none. */
  registryOf?(realm: string): NodeRegistry | undefined;
}

/** Receives the messages of a transport. */
export interface LinkReceiver {
  readonly heard: (signal: SessionSignal) => void;
  /** A node of a realm has sent a message to the others, and to itself. */
  readonly spoken: (realm: string, message: NodeMessage) => void;
  /** The connection has ended by itself. */
  readonly closed: (error: unknown) => void;
}

/** An open connection. */
export interface LinkConnection {
  /** Resolves when everything published before the call has arrived. */
  beat(): Promise<unknown>;
  close(): void;
}

/** How long each step of connecting may take, in milliseconds. */
export const CONNECT_TIMEOUT = 2000;

/**
 * Settles like a promise, but rejects after this many milliseconds.
 *
 * Messages that arrived while this process was busy are read before the time counts as over.
 */
export function within<T>(milliseconds: number, what: string, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(unavailable(`${what} took longer than ${milliseconds} ms`));
    // Node reads sockets between timers and immediates
    const timer = setTimeout(() => setImmediate(() => setImmediate(giveUp)), milliseconds).unref();
    promise.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error instanceof Error ? error : asLinkError(error));
      },
    );
  });
}

/** Returns the link's error for a failure of a transport, which may be an error of a driver. */
export function asLinkError(error: unknown): SessionAuthError {
  if (error instanceof SessionAuthError) return error;
  return unavailable(`the backend cannot be reached: ${String(error)}`, error);
}

/** Returns the error for a link whose backend cannot be reached. */
export function unavailable(message: string, cause?: unknown): SessionAuthError {
  return new SessionAuthError('session_store_unavailable', `the session link: ${message}`, { cause });
}
