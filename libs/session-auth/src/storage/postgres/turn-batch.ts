import { setImmediate } from 'node:timers';

/** Gathers what is asked within one turn of the event loop, and has it sent in steps of a few. */
export class TurnBatch<T> {
  #gathered: T[] = [];

  /** @param send must not throw */
  constructor(
    private readonly step: number,
    private readonly send: (some: readonly T[]) => void,
  ) {}

  add(asked: T): void {
    // immediates run once all requests that have arrived are taken in
    if (this.#gathered.push(asked) === 1) setImmediate(() => this.#sendAll());
  }

  #sendAll(): void {
    const all = this.#gathered;
    this.#gathered = [];
    for (let at = 0; at < all.length; at += this.step) this.send(all.slice(at, at + this.step));
  }
}
