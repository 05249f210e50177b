import { Inject, Injectable } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { STORE_TIMEOUT } from './store-timeout.options.js';

/** Of operations that take longer than the store: the promise of the store's answer. */
const answers = new WeakMap<Promise<unknown>, Promise<unknown>>();

/** Returns the promise of an operation, which {@link StoreDeadline} only times until the store has answered. */
export function timedUntil<T>(answer: Promise<unknown>, operation: Promise<T>): Promise<T> {
  answers.set(operation, answer);
  return operation;
}

/**
 * Waits for a store, but at most `timeout` milliseconds for each operation. Beyond that the operation fails (ASVS
 * 16.5.3).
 */
@Injectable()
export class StoreDeadline {
  /** @param timeout in milliseconds */
  constructor(@Inject(STORE_TIMEOUT) private readonly timeout: number) {}

  /**
   * Runs an operation and waits for it.
   *
   * If this process could not run in the meantime (a blocked event loop, a suspended machine), it may have missed the
   * result. The operation then gets that time again, once, and at most `timeout` more.
   *
   * Any error of the store becomes `session_store_unavailable` with the original as cause; the library's own errors
   * pass unchanged. A result that comes too late is dropped, but the operation itself may have taken place.
   *
   * @throws SessionAuthError `session_store_unavailable`
   */
  run<T>(operation: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const since = performance.now();
      const giveUp = (): void => reject(unavailable(`the session store did not respond within ${this.timeout} ms`));
      const extend = (): void => {
        const late = performance.now() - since - this.timeout;
        timer = setTimeout(giveUp, Math.min(Math.max(late, 0), this.timeout));
      };
      let timer = setTimeout(extend, this.timeout).unref();
      const fail = (error: unknown): void => {
        clearTimeout(timer);
        reject(error instanceof SessionAuthError ? error : unavailable('the session store failed', error));
      };
      try {
        const whole = operation();
        answers.get(whole)?.then(() => clearTimeout(timer), fail);
        whole.then((outcome) => {
          clearTimeout(timer);
          resolve(outcome);
        }, fail);
      } catch (error) {
        fail(error);
      }
    });
  }
}

/** Whether an error says that a store failed or was too slow. */
export function isStoreUnavailable(error: unknown): boolean {
  return error instanceof SessionAuthError && error.code === 'session_store_unavailable';
}

function unavailable(message: string, cause?: unknown): SessionAuthError {
  return new SessionAuthError('session_store_unavailable', message, { cause });
}
