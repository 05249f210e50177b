import { SignalListeners } from '../../link/signal-listeners.js';
import { SessionLink, type SessionEnd, type SessionSignal } from '../../session/session-link.js';
import type { EndedSession } from '../../session/session-store.js';

/**
 * Reports the ends and changes of sessions in memory: synchronously, and to this process only. It cannot lose a signal.
 */
export class MemorySessionLink extends SessionLink {
  readonly #listeners = new SignalListeners();

  constructor(private readonly realm: string) {
    super();
  }

  override get isHealthy(): boolean {
    return true;
  }

  override open(): Promise<void> {
    return Promise.resolve();
  }

  override watch(listener: (signal: SessionSignal) => void): () => void {
    return this.#listeners.add(this.realm, listener);
  }

  override observe(): () => void {
    return () => undefined;
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }

  ended({ id, userId }: EndedSession, reason: SessionEnd): void {
    if (this.#listeners.size > 0) this.#listeners.tell({ type: 'ended', realm: this.realm, id, userId, reason });
  }

  allEnded(reason: SessionEnd): void {
    if (this.#listeners.size > 0) this.#listeners.tell({ type: 'all_ended', realm: this.realm, reason });
  }

  changed({ id, userId }: EndedSession): void {
    if (this.#listeners.size > 0) this.#listeners.tell({ type: 'changed', realm: this.realm, id, userId });
  }
}
