import { Inject, Injectable } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { STORE_TIMEOUT } from './store-timeout.options.js';

/** An operation that has not been answered yet. */
interface Waiting {
  readonly since: number;
  readonly reject: (error: SessionAuthError) => void;
}

/**
 * Waits for a store's answers, but no longer than `timeout` milliseconds for each: fail closed, and say so (ASVS
 * 16.5.3).
 *
 * All that wait share a timer, since a timer of its own costs an operation more than all else here; it does not keep
 * the process alive.
 */
@Injectable()
export class StoreDeadline {
  // in the order in which they began, which is that of their ends
  readonly #waiting = new Set<Waiting>();
  #isTimed = false;

  /** @param timeout in milliseconds */
  constructor(@Inject(STORE_TIMEOUT) private readonly timeout: number) {}

  /**
   * Runs an operation and waits for it.
   *
   * Time in which this process could not run, and so hear no answer either (a blocked event loop, a machine that stood
   * still), is not held against the store: it gets as much again, once, and no more than `timeout`.
   *
   * Whatever the store throws becomes `session_store_unavailable` with the failure as cause, except the library's own
   * errors. An answer that comes too late is dropped; the operation itself may still have taken place.
   *
   * @throws SessionAuthError `session_store_unavailable`
   */
  run<T>(operation: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const waiting = { since: performance.now(), reject };
      const fail = (error: unknown): void => {
        this.#waiting.delete(waiting);
        reject(error instanceof SessionAuthError ? error : unavailable('the session store failed', error));
      };
      try {
        operation().then((answer) => {
          this.#waiting.delete(waiting);
          resolve(answer);
        }, fail);
      } catch (error) {
        fail(error);
        return;
      }
      this.#waiting.add(waiting);
      if (!this.#isTimed) this.#lookIn(this.timeout);
    });
  }

  #lookIn(milliseconds: number): void {
    this.#isTimed = true;
    setTimeout(() => this.#look(), milliseconds).unref();
  }

  #look(): void {
    this.#isTimed = false;
    const now = performance.now();
    for (const waiting of this.#waiting) {
      const late = now - waiting.since - this.timeout;
      if (late < 0) {
        this.#lookIn(-late);
        return;
      }
      this.#waiting.delete(waiting);
      setTimeout(() => this.#giveUp(waiting), Math.min(late, this.timeout));
    }
  }

  #giveUp({ reject }: Waiting): void {
    reject(unavailable(`the session store did not answer within ${this.timeout} ms`));
  }
}

/** Whether an error says that a store failed or did not answer in time. */
export function isStoreUnavailable(error: unknown): boolean {
  return error instanceof SessionAuthError && error.code === 'session_store_unavailable';
}

function unavailable(message: string, cause?: unknown): SessionAuthError {
  return new SessionAuthError('session_store_unavailable', message, { cause });
}
