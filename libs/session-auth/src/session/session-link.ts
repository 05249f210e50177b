import type { SessionEndReason } from '../events/session-event.js';

/** Why a session ended, as {@link SessionLink} tells it. */
export type SessionEnd =
  | SessionEndReason
  /** It had to leave because of the limit. */
  | 'evicted'
  /** Its time was over, which an operation of the store found out. */
  | 'expired';

/** What {@link SessionLink} tells of a session. Never a token or a digest. */
export type SessionSignal = SessionEnded | SessionChanged;

interface SignalFields {
  readonly realm: string;
  /** The session's public handle. */
  readonly id: string;
  /** Absent for an anonymous session, and where the id is too long for the backend to tell. */
  readonly userId?: string;
}

/** A session has ended, on whichever node. */
export interface SessionEnded extends SignalFields {
  readonly type: 'ended';
  readonly reason: SessionEnd;
}

/** Roles, e-mail, factors or the authentication of a live session have changed: read it again. */
export interface SessionChanged extends SignalFields {
  readonly type: 'changed';
}

/** How a listener of {@link SessionLink.watch} wants to be served. */
export interface WatchOptions {
  /** Whether the link has to notice by itself when it drops. Without it the listener calls `prove`. @default true */
  readonly heartbeat?: boolean;
}

/** What is told of the link itself. */
export interface SessionLinkObserver {
  /** Nothing can be relied on from now on: a signal may have been missed already. */
  lost?(): void;
  /**
   * Signals are heard from now on. Those before may have been missed: look at the store. Also told when the link opens.
   */
  restored?(): void;
}

/**
 * Tells this node of sessions that end or change, whichever node ended or changed them. A store that has one returns it
 * from {@link SessionStore.link}.
 *
 * The contract:
 *
 * - **In the same step.** The step of the store that ends or changes a session publishes it. What rolled back or failed
 *   is not told, and when an operation has returned, its signal is on its way.
 * - **What is told**: ends of all kinds, and changes of roles, e-mail, factors and authentication. Changes of data and
 *   tokens that are replaced in passing are told where the caller of the store asks for it, which a near-cache does;
 *   touches are not. A backend that removes expired records by itself tells
 *   nothing of them: whoever goes by `expiresAt` looks at the clock.
 * - **At least once.** A signal may come twice, while the link is healthy never not at all.
 * - **A link that drops is noticed** within 250 ms while somebody watches, by a heartbeat that takes the way of the
 *   signals: all that was published before a beat has been heard when the beat is back.
 * - **Realms are apart.** A link tells of the sessions of its realm only.
 */
export abstract class SessionLink {
  /** Whether the last heartbeat has come back, or is not overdue. */
  abstract readonly isHealthy: boolean;

  /**
   * Opens the connection of this node if it is not open yet. Resolves when the link is healthy. When it rejects, the
   * link goes on trying, unless the configuration is at fault.
   *
   * @throws SessionAuthError `invalid_configuration` when the backend refuses or cannot do what the link needs,
   *   `session_store_unavailable` when it cannot be reached
   */
  abstract open(): Promise<void>;

  /**
   * Has a listener called with each signal of the realm, until the function that it returns is called. Opens the
   * connection when it is not open yet. Watch first and read a session afterwards: then no end is missed. A listener is
   * called in the step that hears the signal, for every session that ends or changes anywhere: it must be quick.
   */
  abstract watch(listener: (signal: SessionSignal) => void, options?: WatchOptions): () => void;

  /**
   * Sends a heartbeat. Resolves when all that was published before the call has been heard; rejects when the link is
   * away, or the heartbeat is overdue. Optional: without it a near-cache is refused at boot.
   */
  prove?(): Promise<void>;

  /** Why {@link prove} cannot be relied on with this backend, for a sentence `given …`; undefined where it can. */
  get unprovable(): string | undefined {
    return undefined;
  }

  /** Has an observer told when the link is lost and restored, until the function that it returns is called. */
  abstract observe(observer: SessionLinkObserver): () => void;

  /** Closes the connection of this node when no other realm uses it. Harmless when it is closed. */
  abstract close(): Promise<void>;

  /** Nest calls it when the application is closed. */
  onApplicationShutdown(): Promise<void> {
    return this.close();
  }
}
