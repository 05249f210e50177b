import { SessionAuthError } from '../errors/session-auth.error.js';
import type { SessionSignal } from '../session/session-link.js';

/** How signals get from the backend to this node. */
export interface LinkTransport {
  /** Why a heartbeat does not prove that everything published before has been heard; undefined where it does. */
  readonly unprovable?: string | undefined;
  /**
   * Connects. When it resolves, everything that is published from then on is heard, and a message that was published as
   * the stores do it has been. It rejects when that takes too long. When it rejects, nothing stays open.
   *
   * @param realms those whose signals are wanted
   * @throws SessionAuthError `invalid_configuration` when trying again is of no use; any other error is taken as a
   *   backend that is out of reach
   */
  connect(realms: readonly string[], receiver: LinkReceiver): Promise<LinkConnection>;
}

/** What a transport tells the node. */
export interface LinkReceiver {
  readonly heard: (signal: SessionSignal) => void;
  /** The connection has ended by itself. */
  readonly closed: (error: unknown) => void;
}

/** An open connection. */
export interface LinkConnection {
  /** Resolves when everything that was published before the call has been heard. */
  beat(): Promise<unknown>;
  close(): void;
}

/** How long each step may take until a connection is there, in milliseconds. */
export const CONNECT_TIMEOUT = 2000;

/**
 * Settles as a promise does, and rejects when that takes longer than so many milliseconds.
 *
 * What has arrived while this process was busy is read first, before the time is found to be over.
 */
export function within<T>(milliseconds: number, what: string, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(unavailable(`${what} took longer than ${milliseconds} ms`));
    // what came over a socket is handed out between timers and immediates
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

/** Returns the error of a link for what a transport failed with, which may be an error of a driver. */
export function asLinkError(error: unknown): SessionAuthError {
  if (error instanceof SessionAuthError) return error;
  return unavailable(`the backend cannot be reached: ${String(error)}`, error);
}

/** The error of a link whose backend is out of reach. */
export function unavailable(message: string, cause?: unknown): SessionAuthError {
  return new SessionAuthError('session_store_unavailable', `the session link: ${message}`, { cause });
}
