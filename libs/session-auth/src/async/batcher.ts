import { setImmediate } from 'node:timers';

/** Hands over together what is added within one turn of the event loop. */
export class SameTurn<Item> {
  #items: Item[] = [];

  constructor(private readonly take: (items: readonly Item[]) => void) {}

  add(item: Item): void {
    // immediates run once all requests that have arrived are taken in
    if (this.#items.push(item) === 1) setImmediate(() => this.#handOver());
  }

  #handOver(): void {
    const items = this.#items;
    this.#items = [];
    this.take(items);
  }
}
