/** How {@link WriteBehind} goes about it. */
export interface WriteBehindOptions<T> {
  /** Writes some items, in order. Called for one batch at a time. */
  readonly write: (items: readonly T[]) => Promise<void>;
  /**
   * The most items kept while the sink is slow or down. More are dropped: those that matter less first, else the newest.
   */
  readonly capacity: number;
  /** Whether an item matters less than others. @default none does */
  readonly mattersLess?: (item: T) => boolean;
  /** The most items of one write. */
  readonly batch: number;
  /** Milliseconds until a failed write is tried again. */
  readonly retryAfter: number;
  /** Told once when writing begins to fail, however long that lasts. */
  readonly onFailure: (error: unknown) => void;
  /** Told once writing works again after items were dropped. */
  readonly onDropped: (count: number) => void;
}

/**
 * Writes items behind the back of who adds them: adding takes no time and never fails, and however slow or dead the sink
 * is, memory stays bounded.
 */
export class WriteBehind<T> {
  readonly #waiting: T[] = [];
  /** How many of them are being written. */
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
    // those at the front are being written
    const place = this.#waiting.findLastIndex((each, index) => index >= this.#inHand && mattersLess(each));
    if (place < 0) return;
    this.#waiting.splice(place, 1);
    this.#waiting.push(item);
  }

  /** Resolves when what was added has been written, or writing it has failed, or after `timeout` milliseconds. */
  async flush(timeout: number): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const written = (this.#writing ??= this.#writeAll());
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([written, new Promise<void>((resolve) => (timer = setTimeout(resolve, timeout)))]);
    clearTimeout(timer);
    // a retry after the end would keep nothing but itself
    clearTimeout(this.#timer);
  }

  /** Resolves when everything that was added has been written; rejects with what keeps it from that. */
  async written(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#waiting.length > 0) {
      await (this.#writing ??= this.#writeAll());
      if (this.#isFailing) throw this.#failure;
    }
  }

  async #writeAll(): Promise<void> {
    // what is added in the same turn goes along
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
