import { Logger } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { SessionLinkObserver, SessionSignal, WatchOptions } from '../session/session-link.js';
import { Heartbeat, OVERDUE } from './heartbeat.js';
import type { NodeMessage, NodeRegistry } from './node-registry.js';
import { asLinkError, unavailable, within, type LinkConnection, type LinkTransport } from './link-transport.js';
import { SignalListeners } from './signal-listeners.js';

/** Milliseconds between two attempts to connect: the shortest and the longest pause. */
const RETRY = { first: 50, longest: 500 };

/**
 * The one connection of a node to a backend, which the links of all its realms share. It connects again when it is
 * lost.
 */
export class LinkHub {
  readonly #logger = new Logger('SessionAuth');
  readonly #listeners = new SignalListeners();
  readonly #observers = new Set<SessionLinkObserver>();
  readonly #attendants = new Set<{ readonly realm: string; readonly listener: (message: NodeMessage) => void }>();
  readonly #realms = new Set<string>();
  #users = 0;
  /** The present attempt; undefined while nothing should be open. */
  #attempt: Attempt | undefined;
  #isHealthy = false;
  #hasWorked = false;
  #pause = RETRY.first;
  #retry: NodeJS.Timeout | undefined;

  constructor(private readonly transport: LinkTransport) {}

  get isHealthy(): boolean {
    return this.#isHealthy;
  }

  /** As {@link SessionLink.unprovable}. */
  get unprovable(): string | undefined {
    return this.transport.unprovable;
  }

  /** Receives the signals of a realm too. */
  join(realm: string): void {
    if (this.#realms.has(realm)) return;
    this.#realms.add(realm);
    this.#attempt?.lose(unavailable(`subscribing to realm '${realm}'`));
  }

  /** A further link uses the connection. */
  acquire(): void {
    this.#users += 1;
  }

  /** A link stops using the connection; the last one closes it. */
  release(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#close();
  }

  /** Resolves when the connection is healthy; rejects when the present attempt fails. */
  async open(): Promise<void> {
    if (this.#isHealthy) return;
    clearTimeout(this.#retry);
    this.#attempt ??= this.#connect();
    await this.#attempt.outcome;
  }

  /** Sends a heartbeat besides the hub's own: see {@link SessionLink.prove}. */
  async prove(): Promise<void> {
    const attempt = this.#attempt;
    if (!this.#isHealthy || attempt?.connection === undefined) throw unavailable('is away');
    try {
      await within(OVERDUE, 'a heartbeat', attempt.connection.beat());
    } catch (error) {
      attempt.lose(error);
      throw error;
    }
  }

  watch(realm: string, listener: (signal: SessionSignal) => void, options?: WatchOptions): () => void {
    const unwatch = this.#listeners.add(realm, listener, options);
    this.#attempt?.heartbeat?.wake();
    return unwatch;
  }

  /** As {@link LinkTransport.registryOf}. */
  registryOf(realm: string): NodeRegistry | undefined {
    return this.transport.registryOf?.(realm);
  }

  /** Calls a listener with each message of the nodes of a realm, until the returned function is called. */
  attend(realm: string, listener: (message: NodeMessage) => void): () => void {
    const attendant = { realm, listener };
    this.#attendants.add(attendant);
    return () => void this.#attendants.delete(attendant);
  }

  observe(observer: SessionLinkObserver): () => void {
    const own: SessionLinkObserver = { lost: () => observer.lost?.(), restored: () => observer.restored?.() };
    this.#observers.add(own);
    return () => void this.#observers.delete(own);
  }

  #connect(): Attempt {
    const attempt: Attempt = {
      outcome: Promise.resolve(),
      connection: undefined,
      heartbeat: undefined,
      lose: (error) => {
        attempt.heartbeat?.stop();
        attempt.connection?.close();
        if (this.#attempt === attempt) this.#lost(error);
      },
    };
    const connecting = this.transport
      .connect([...this.#realms], {
        heard: (signal) => this.#listeners.tell(signal),
        spoken: (realm, message) => {
          for (const attendant of this.#attendants) if (attendant.realm === realm) attendant.listener(message);
        },
        closed: (error) => attempt.lose(error),
      })
      .then((opened) => {
        attempt.connection = opened;
        // it was given up meanwhile
        if (this.#attempt !== attempt) opened.close();
      });
    attempt.outcome = connecting
      .catch((error: unknown) => {
        const failure = asLinkError(error);
        attempt.lose(failure);
        throw failure;
      })
      .then(() => {
        if (this.#attempt !== attempt) throw unavailable('the connection was closed before it was used');
        attempt.heartbeat = new Heartbeat(attempt.connection!, () => this.#listeners.needHeartbeat, attempt.lose);
        attempt.heartbeat.start();
        this.#restored();
      });
    // `open` rejects for its caller; later attempts have no caller
    attempt.outcome.catch(() => undefined);
    return attempt;
  }

  #restored(): void {
    this.#isHealthy = true;
    this.#pause = RETRY.first;
    this.#hasWorked = true;
    for (const observer of [...this.#observers]) observer.restored?.();
  }

  #lost(error: unknown): void {
    this.#attempt = undefined;
    const wasHealthy = this.#isHealthy;
    this.#isHealthy = false;
    const isHopeless = error instanceof SessionAuthError && error.code === 'invalid_configuration' && !this.#hasWorked;
    if (isHopeless) {
      // code that watches a session has no other way to learn of it
      this.#logger.error('the session link is refused: ends of sessions on other nodes go unnoticed', error);
    } else {
      this.#retry = setTimeout(() => (this.#attempt ??= this.#connect()), this.#pause).unref();
      this.#pause = Math.min(2 * this.#pause, RETRY.longest);
    }
    if (wasHealthy) for (const observer of [...this.#observers]) observer.lost?.();
  }

  #close(): void {
    clearTimeout(this.#retry);
    const attempt = this.#attempt;
    this.#attempt = undefined;
    this.#isHealthy = false;
    attempt?.lose(unavailable('closed'));
  }
}

/** One connection, from the attempt to open it until it is lost. */
interface Attempt {
  outcome: Promise<void>;
  connection: LinkConnection | undefined;
  heartbeat: Heartbeat | undefined;
  readonly lose: (error: unknown) => void;
}
