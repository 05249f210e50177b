/**
 * A cache by text that drops the least recently used values. It keeps between `size` and twice `size` values, and no
 * text longer than `longest` characters.
 *
 * It holds two generations instead of an order of use. When the young generation is full it becomes the old one. The
 * next change drops the old values that were not read in between. So a look-up writes nothing.
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

  /** Returns the value of a text. Makes and keeps it if it is missing. */
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

/** Copies a text: a slice of a header would keep the whole header in memory. */
function copyOf(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}

/** Returns the first characters of a text. The rest is not kept in memory. */
export function beginningOf(text: string, length: number): string {
  return text.length <= length ? text : copyOf(text.slice(0, length));
}
