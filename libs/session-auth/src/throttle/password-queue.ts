import { Inject, Injectable } from '@nestjs/common';
import { clientNetwork, siteOf } from '../users/client.js';
import { PASSWORD_QUEUE_SETTINGS, type PasswordQueueSettings } from './password-queue.options.js';

/** The limits of a {@link FairQueue}. */
export interface FairQueueLimits {
  /** Tasks that run at a time. */
  readonly running: number;
  /** Tasks of one key that wait. */
  readonly waitingPerKey: number;
  /** Tasks that wait in total. */
  readonly waiting: number;
}

/** Why a task was refused: too many tasks of its key, or of all keys together, are waiting. */
export class QueueFullError extends Error {
  constructor(readonly limit: 'key' | 'all') {
    super(limit === 'key' ? 'too much work of one key waits' : 'too much work waits');
  }
}

interface Waiting {
  readonly start: () => void;
  readonly refuse: (error: QueueFullError) => void;
}

/**
 * Runs a limited number of tasks at a time; the rest wait. Keys take turns, one task each, so that many tasks of one
 * key never delay a single one of another. Within a key, the first task runs first.
 */
export class FairQueue {
  /** By key, in the order of their turns; no list is empty. */
  readonly #waiting = new Map<string, Waiting[]>();
  #waitingInAll = 0;
  #running = 0;

  constructor(private readonly limits: FairQueueLimits) {}

  /**
   * Runs a task when its turn comes, and returns its outcome.
   *
   * When all places are taken, the key with the most waiting tasks gives up its latest one for a key that has fewer. To
   * keep a key out, an attacker needs as many keys as there are places.
   *
   * @throws QueueFullError
   */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    if (this.#running < this.limits.running) this.#running += 1;
    else await this.#wait(key);
    try {
      return await work();
    } finally {
      this.#startNext();
    }
  }

  /** @throws QueueFullError when the key has no free place */
  requireRoom(key: string): void {
    if ((this.#waiting.get(key)?.length ?? 0) >= this.limits.waitingPerKey) throw new QueueFullError('key');
  }

  #wait(key: string): Promise<void> {
    this.requireRoom(key);
    if (this.#waitingInAll >= this.limits.waiting) this.#makeRoom(this.#waiting.get(key)?.length ?? 0);
    return new Promise<void>((start, refuse) => {
      const waiting = this.#waiting.get(key);
      if (waiting === undefined) this.#waiting.set(key, [{ start, refuse }]);
      else waiting.push({ start, refuse });
      this.#waitingInAll += 1;
    });
  }

  #makeRoom(own: number): void {
    let longest: [string, Waiting[]] | undefined;
    for (const each of this.#waiting) if (each[1].length > (longest?.[1].length ?? 0)) longest = each;
    const full = new QueueFullError('all');
    // the exchange must leave the new key with fewer tasks than the longest one
    if (longest === undefined || longest[1].length <= own + 1) throw full;
    this.#waitingInAll -= 1;
    longest[1].pop()!.refuse(full);
  }

  /** Gives the free place to the next task. */
  #startNext(): void {
    const next = this.#waiting.entries().next();
    if (next.done === true) {
      this.#running -= 1;
      return;
    }
    const [key, waiting] = next.value;
    this.#waiting.delete(key);
    this.#waitingInAll -= 1;
    const { start } = waiting.shift()!;
    // after the others: this key has had its turn
    if (waiting.length > 0) this.#waiting.set(key, waiting);
    start();
  }
}

/** Node's pool has four threads, so more checks at a time would gain nothing. */
const PARALLEL_CHECKS = 4;

/**
 * Where passwords wait to be checked, which takes longer than everything else in a request. Addresses take turns, so
 * that a flood from one of them delays only itself.
 */
@Injectable()
export class PasswordQueue {
  readonly #queue: FairQueue;

  constructor(@Inject(PASSWORD_QUEUE_SETTINGS) { perAddress, total }: PasswordQueueSettings) {
    this.#queue = new FairQueue({ running: PARALLEL_CHECKS, waitingPerKey: perAddress, waiting: total });
  }

  /**
   * Runs a check when the address's turn comes, and returns its outcome.
   *
   * @throws QueueFullError
   */
  run<T>(ip: string | undefined, check: () => Promise<T>): Promise<T> {
    return this.#queue.run(keyOf(ip), check);
  }

  /** @throws QueueFullError when a check of this address would be refused */
  requireRoom(ip: string | undefined): void {
    this.#queue.requireRoom(keyOf(ip));
  }
}

function keyOf(ip = ''): string {
  const network = clientNetwork(ip);
  return siteOf(network) ?? network;
}
