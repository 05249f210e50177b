/** The options of {@link WriteBehind}. */
export interface WriteBehindOptions<T> {
  /** Writes some items, in order. Called for one batch at a time. */
  readonly write: (items: readonly T[]) => Promise<void>;
  /**
   * The most items kept while the sink is slow or down. Beyond that, less important items are dropped first, then the
   * newest.
   */
  readonly capacity: number;
  /** Whether an item is less important than others. @default no item is */
  readonly mattersLess?: (item: T) => boolean;
  /** The most items of one write. */
  readonly batch: number;
  /** Milliseconds until a failed write is tried again. */
  readonly retryAfter: number;
  /** Called once when writing begins to fail, not again until it has worked. */
  readonly onFailure: (error: unknown) => void;
  /** Called once when writing works again after items were dropped. */
  readonly onDropped: (count: number) => void;
}

/**
 * Writes items in the background. Adding an item takes no time and never fails. Memory stays bounded even when the sink
 * is slow or down.
 */
export class WriteBehind<T> {
  readonly #waiting: T[] = [];
  /** How many items are being written. */
  #inHand = 0;
  #dropped = 0;
  #isFailing = false;
  #failure: unknown;
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: WriteBehindOptions<T>) {}

  add(item: T): void {
    if (this.#waiting.length < this.options.capacity) this.#waiting.push(item);
    else this.#addToFull(item);
    if (this.#timer === undefined) this.#writing ??= this.#writeAll();
  }

  #addToFull(item: T): void {
    const { mattersLess = () => false } = this.options;
    this.#dropped += 1;
    if (mattersLess(item)) return;
    // the first items are being written, and cannot be dropped
    const place = this.#waiting.findLastIndex((each, index) => index >= this.#inHand && mattersLess(each));
    if (place < 0) return;
    this.#waiting.splice(place, 1);
    this.#waiting.push(item);
  }

  /** Resolves when all added items have been written, when writing has failed, or after `timeout` milliseconds. */
  async flush(timeout: number): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const written = (this.#writing ??= this.#writeAll());
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([written, new Promise<void>((resolve) => (timer = setTimeout(resolve, timeout)))]);
    clearTimeout(timer);
    // after the end, a retry would only keep the process alive
    clearTimeout(this.#timer);
  }

  /** Resolves when all added items have been written. Rejects with the error of the sink. */
  async written(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#waiting.length > 0) {
      await (this.#writing ??= this.#writeAll());
      if (this.#isFailing) throw this.#failure;
    }
  }

  async #writeAll(): Promise<void> {
    // items added in the same turn are written together
    await Promise.resolve();
    const { write, batch, retryAfter, onFailure, onDropped } = this.options;
    try {
      while (this.#waiting.length > 0) {
        const items = this.#waiting.slice(0, batch);
        this.#inHand = items.length;
        await write(items);
        this.#waiting.splice(0, items.length);
        this.#isFailing = false;
        if (this.#dropped > 0) onDropped(this.#dropped);
        this.#dropped = 0;
      }
    } catch (error) {
      if (!this.#isFailing) onFailure(error);
      this.#isFailing = true;
      this.#failure = error;
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#writing ??= this.#writeAll();
      }, retryAfter);
      this.#timer.unref();
    } finally {
      this.#inHand = 0;
      this.#writing = undefined;
    }
  }
}
