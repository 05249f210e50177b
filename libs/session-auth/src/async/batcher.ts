import { setImmediate } from 'node:timers';

/** Collects the items that are added within one turn of the event loop and hands them over together, in their order. */
export class Batcher<Item> {
  #items: Item[] = [];

  /** @param run takes a batch, never an empty one; must not throw */
  constructor(private readonly run: (items: readonly Item[]) => void) {}

  add(item: Item): void {
    // immediates run once all requests that have arrived are taken in
    if (this.#items.push(item) === 1) setImmediate(() => this.#runBatch());
  }

  #runBatch(): void {
    const items = this.#items;
    this.#items = [];
    this.run(items);
  }
}
