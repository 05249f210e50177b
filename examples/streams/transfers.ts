import { Injectable } from '@nestjs/common';
import { EventEmitter, once } from 'node:events';
import { fromEvent, type Observable } from 'rxjs';

export interface Transfer {
  readonly to: string;
  readonly amount: number;
}

/** Publishes transfers. */
@Injectable()
export class Transfers {
  readonly #emitter = new EventEmitter();
  readonly all = fromEvent(this.#emitter, 'transfer') as Observable<Transfer>;

  /** The number of requests that wait for a transfer to a user. */
  waitingFor(userId: string): number {
    return this.#emitter.listenerCount(`to ${userId}`);
  }

  add(transfer: Transfer): void {
    this.#emitter.emit('transfer', transfer);
    this.#emitter.emit(`to ${transfer.to}`, transfer);
  }

  async next(userId: string, signal: AbortSignal): Promise<Transfer> {
    try {
      const [transfer] = (await once(this.#emitter, `to ${userId}`, { signal })) as [Transfer];
      return transfer;
    } catch (error) {
      // functions of Node.js throw an AbortError: this throws the reason instead
      signal.throwIfAborted();
      throw error;
    }
  }
}
