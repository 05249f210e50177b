/**
 * Values by text, of which the least recently used are dropped: it keeps the last `size` texts at least and twice as
 * many at most, and none longer than `longest` characters.
 *
 * It holds two generations instead of an order of use. When the young one is full it becomes the old one, whose texts
 * are dropped at the next change unless they are asked for in between. So a look-up writes nothing.
 */
export class LruCache<T> {
  #young = new Map<string, T>();
  #old = new Map<string, T>();

  constructor(
    private readonly size: number,
    private readonly longest: number,
  ) {}

  get(text: string): T | undefined {
    const value = this.#young.get(text);
    if (value !== undefined) return value;
    const old = this.#old.get(text);
    if (old !== undefined) this.set(text, old);
    return old;
  }

  /** The value of a text; made by `make`, and kept, where it is not known. */
  of(text: string, make: (text: string) => T): T {
    const known = this.get(text);
    if (known !== undefined) return known;
    const made = make(text);
    this.set(text, made);
    return made;
  }

  set(text: string, value: T): void {
    if (text.length > this.longest) return;
    if (this.#young.size >= this.size) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(copyOf(text), value);
  }
}

/** The same text on its own: a part of a header would keep the whole header in memory. */
function copyOf(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}

/** A text, cut at a number of characters. What was cut off is not kept in memory. */
export function beginningOf(text: string, length: number): string {
  return text.length <= length ? text : copyOf(text.slice(0, length));
}
