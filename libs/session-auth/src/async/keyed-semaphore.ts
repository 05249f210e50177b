interface Waiting {
  readonly start: () => void;
  readonly fail: (error: unknown) => void;
}

/** Lets at most `max` pieces of work of one key run at a time; the rest wait, first come, first served. */
export class KeyedSemaphore {
  readonly #running = new Map<string, { count: number; readonly waiting: Waiting[] }>();

  /**
   * @param failsAll whether an error of one piece of work also fails all that wait behind it: they would only run into
   *   the same error, one after the other
   */
  constructor(
    private readonly max: number,
    private readonly failsAll: (error: unknown) => boolean = () => false,
  ) {}

  /** Runs a piece of work when a place of its key is free, and returns its outcome. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const running = this.#running.get(key) ?? { count: 0, waiting: [] };
    this.#running.set(key, running);
    if (running.count < this.max) running.count += 1;
    else await new Promise<void>((start, fail) => running.waiting.push({ start, fail }));
    try {
      return await work();
    } catch (error) {
      if (this.failsAll(error)) for (const { fail } of running.waiting.splice(0)) fail(error);
      throw error;
    } finally {
      const next = running.waiting.shift();
      if (next !== undefined) next.start();
      else if ((running.count -= 1) === 0) this.#running.delete(key);
    }
  }
}
