import { Logger } from '@nestjs/common';
import type { SessionSignal, WatchOptions } from '../session/session-link.js';

type Listener = (signal: SessionSignal) => void;

/** The listeners of each realm. */
export class SignalListeners {
  readonly #logger = new Logger('SessionAuth');
  readonly #listeners = new Set<{ readonly realm: string; readonly listener: Listener }>();
  #needy = 0;

  /** How many listeners there are. */
  get size(): number {
    return this.#listeners.size;
  }

  /** Whether a listener needs to know when signals may be missed. */
  get needHeartbeat(): boolean {
    return this.#needy > 0;
  }

  /** Returns a function that removes the listener. A listener that is added twice is called twice. */
  add(realm: string, listener: Listener, { heartbeat = true }: WatchOptions = {}): () => void {
    const added = { realm, listener };
    this.#listeners.add(added);
    if (heartbeat) this.#needy += 1;
    return () => {
      if (this.#listeners.delete(added) && heartbeat) this.#needy -= 1;
    };
  }

  /** Calls the listeners of a signal's realm. A listener that throws does not stop the others. */
  tell(signal: SessionSignal): void {
    for (const { realm, listener } of this.#listeners) {
      if (realm !== signal.realm) continue;
      try {
        listener(signal);
      } catch (error) {
        this.#logger.error('a listener of the session link failed', error);
      }
    }
  }
}
