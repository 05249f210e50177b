import type { SessionEndReason } from '../events/session-event.js';

/** Why a session ended, as {@link SessionLink} reports it. */
export type SessionEnd =
  | SessionEndReason
  /** Evicted because of the limit. */
  | 'evicted'
  /** Expired, which an operation of the store found. */
  | 'expired';

/** A message of {@link SessionLink}. Never holds a token or a digest. */
export type SessionSignal = SessionEnded | SessionChanged | AllSessionsEnded;

interface SignalFields {
  readonly realm: string;
  /** The session's public handle. */
  readonly id: string;
  /** Absent for an anonymous session, and when the id is too long for the backend's messages. */
  readonly userId?: string;
}

/** A session has ended on some node. */
export interface SessionEnded extends SignalFields {
  readonly type: 'ended';
  readonly reason: SessionEnd;
}

/** Roles, e-mail, factors or the authentication of a live session have changed: read the session again. */
export interface SessionChanged extends SignalFields {
  readonly type: 'changed';
}

/**
 * All sessions of the realm have ended, or all that were created before a time. Sessions that were created since have
 * not: read a session again to learn whether it is one of them.
 */
export interface AllSessionsEnded {
  readonly type: 'all_ended';
  readonly realm: string;
  readonly reason: SessionEnd;
  /** It is not about one session. */
  readonly id?: undefined;
  readonly userId?: undefined;
}

/** Options of {@link SessionLink.watch}. */
export interface WatchOptions {
  /** Whether the link has to notice by itself that it is down. Without it the listener calls `prove`. @default true */
  readonly heartbeat?: boolean;
}

/** Receives changes in the state of the link. */
export interface SessionLinkObserver {
  /** The link is down. A signal may have been missed already. */
  lost?(): void;
  /**
   * The link works again. Signals before this call may have been missed: read the store. Also called when the link
   * opens.
   */
  restored?(): void;
}

/**
 * Tells this node about sessions that end or change on any node. A store with a link returns it from
 * {@link SessionStore.link}.
 *
 * The contract:
 *
 * - **In the same step.** The step of the store that ends or changes a session publishes the signal. Nothing is
 *   published for a step that failed or rolled back. When an operation has returned, its signal is on its way.
 * - **Which changes**: ends of all kinds (one `all_ended` when the sessions of a realm end), and changes of roles,
 *   e-mail, factors and authentication. Changes of data and routine replacements of tokens are published only if the
 *   caller of the store requests it, as a near-cache does. Touches publish nothing. A backend that removes expired
 *   records by itself publishes nothing for them, so listeners must also check `expiresAt`.
 * - **At least once.** A signal may arrive twice. While the link is healthy, it always arrives.
 * - **A lost link is noticed** within 250 ms while somebody watches. A heartbeat travels the same way as the signals:
 *   when a beat is back, everything published before it has arrived.
 * - **Realms are separate.** A link reports only sessions of its realm.
 */
export abstract class SessionLink {
  /** Whether the last heartbeat has arrived, or is not overdue. */
  abstract readonly isHealthy: boolean;

  /**
   * Opens the connection of this node if it is not open yet. Resolves when the link is healthy. When it rejects, the
   * link keeps trying, unless the configuration is wrong.
   *
   * @throws SessionAuthError `invalid_configuration` when the backend refuses or lacks what the link needs,
   *   `session_store_unavailable` when it cannot be reached
   */
  abstract open(): Promise<void>;

  /**
   * Calls a listener with each signal of the realm, until the returned function is called. Opens the connection when it
   * is not open yet. To miss no end, watch first and then read the session. The listener is called synchronously for
   * every session that ends or changes on any node, so it must be quick.
   */
  abstract watch(listener: (signal: SessionSignal) => void, options?: WatchOptions): () => void;

  /**
   * Sends a heartbeat. Resolves when everything published before the call has arrived. Rejects when the link is down or
   * the heartbeat is overdue. Optional: without it a near-cache is refused at boot.
   */
  prove?(): Promise<void>;

  /**
   * The reason why {@link prove} is not reliable with this backend, to follow `given`; undefined if it is. Some reasons
   * are known only after the link was healthy once.
   */
  get unprovable(): string | undefined {
    return undefined;
  }

  /** Calls an observer when the link is lost or restored, until the returned function is called. */
  abstract observe(observer: SessionLinkObserver): () => void;

  /** Closes the connection of this node when no other realm uses it. Does nothing when it is closed. */
  abstract close(): Promise<void>;

  /** Nest calls it when the application is closed. */
  onApplicationShutdown(): Promise<void> {
    return this.close();
  }
}
