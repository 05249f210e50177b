const TICK = 10;
const LONGEST_TICK = 5 * TICK;

/**
 * A stopwatch that stands still while this process does: on a machine that stops for seconds, what a test expects to be
 * over within one has not had that second.
 */
export class RunningTime {
  readonly #timer = setInterval(() => this.#tick(), TICK).unref();
  #last = performance.now();
  #elapsed = 0;

  /** Milliseconds since the start. */
  get elapsed(): number {
    this.#tick();
    return this.#elapsed;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const now = performance.now();
    this.#elapsed += Math.min(now - this.#last, LONGEST_TICK);
    this.#last = now;
  }
}
