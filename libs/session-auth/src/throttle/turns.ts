/** Lets at most so many pieces of work of one key run at a time; the rest wait, first come, first served. */
export class Turns {
  readonly #running = new Map<string, { count: number; readonly waiting: (() => void)[] }>();

  constructor(private readonly max: number) {}

  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const running = this.#running.get(key) ?? { count: 0, waiting: [] };
    this.#running.set(key, running);
    if (running.count < this.max) running.count += 1;
    else await new Promise<void>((resolve) => running.waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = running.waiting.shift();
      if (next !== undefined) next();
      else if ((running.count -= 1) === 0) this.#running.delete(key);
    }
  }
}
