import { Inject, Injectable } from '@nestjs/common';
import { FairQueue } from '../async/fair-queue.js';
import { clientNetwork, siteOf } from '../users/client-network.js';
import { PASSWORD_QUEUE_SETTINGS, type PasswordQueueSettings } from './password-queue.options.js';

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
