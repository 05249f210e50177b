import { Inject, Injectable } from '@nestjs/common';
import { clientNetwork, siteOf } from '../users/client.js';
import { PASSWORD_QUEUE_SETTINGS, type PasswordQueueSettings } from './password-queue.options.js';

/** How much a {@link FairQueue} takes in. */
export interface FairQueueLimits {
  /** Pieces of work that run at a time. */
  readonly running: number;
  /** Pieces of one key that wait. */
  readonly waitingPerKey: number;
  /** Pieces that wait in all. */
  readonly waiting: number;
}

/** Why a piece of work was not taken in: its key has as many waiting as it may, or all together have. */
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
 * Lets a bounded number of pieces of work run at a time; the rest wait. Keys take turns, one piece each, so that many of
 * one key never stand before a single one of another. Within a key: first come, first served.
 */
export class FairQueue {
  /** By key, in the order of their turns; none is empty. */
  readonly #waiting = new Map<string, Waiting[]>();
  #waitingInAll = 0;
  #running = 0;

  constructor(private readonly limits: FairQueueLimits) {}

  /**
   * Runs a piece of work when it is its turn, and returns its outcome.
   *
   * Where all places to wait are taken, the key with the most of them gives its latest up to a key that has fewer: it
   * takes as many keys as there are places to keep another one out.
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

  /** @throws QueueFullError where the key has as many waiting as it may */
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
    // with as many as it would have itself, nobody gains by it
    if (longest === undefined || longest[1].length <= own + 1) throw full;
    this.#waitingInAll -= 1;
    longest[1].pop()!.refuse(full);
  }

  /** The place that has become free is the next one's. */
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
    // behind the others: this key has had its turn
    if (waiting.length > 0) this.#waiting.set(key, waiting);
    start();
  }
}

/** Node's pool has four threads: more checks at a time would gain nothing. */
const PARALLEL_CHECKS = 4;

/**
 * Where passwords wait to be checked, since that takes longer than everything else a request does. Addresses take turns,
 * so that a flood from one of them holds up itself and nobody else.
 */
@Injectable()
export class PasswordQueue {
  readonly #queue: FairQueue;

  constructor(@Inject(PASSWORD_QUEUE_SETTINGS) { perAddress, total }: PasswordQueueSettings) {
    this.#queue = new FairQueue({ running: PARALLEL_CHECKS, waitingPerKey: perAddress, waiting: total });
  }

  /**
   * Runs a check when it is the address's turn, and returns its outcome.
   *
   * @throws QueueFullError
   */
  run<T>(ip: string | undefined, check: () => Promise<T>): Promise<T> {
    return this.#queue.run(keyOf(ip), check);
  }

  /** @throws QueueFullError where so many of the address wait that a check would be refused */
  requireRoom(ip: string | undefined): void {
    this.#queue.requireRoom(keyOf(ip));
  }
}

function keyOf(ip = ''): string {
  const network = clientNetwork(ip);
  return siteOf(network) ?? network;
}
