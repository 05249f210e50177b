import { setImmediate } from 'node:timers';

/** Collects the requests of one turn of the event loop, and sends them in small steps. */
export class TurnBatch<T> {
  #gathered: T[] = [];

  /** @param send must not throw */
  constructor(
    private readonly step: number,
    private readonly send: (some: readonly T[]) => void,
  ) {}

  add(asked: T): void {
    // immediates run after all requests that have arrived are read
    if (this.#gathered.push(asked) === 1) setImmediate(() => this.#sendAll());
  }

  #sendAll(): void {
    const all = this.#gathered;
    this.#gathered = [];
    for (let at = 0; at < all.length; at += this.step) this.send(all.slice(at, at + this.step));
  }
}
