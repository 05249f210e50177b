/**
 * What was worked out lately, by the text it was worked out from: the last `size` texts at least, twice as many at
 * most, and none that is longer than `longest`.
 */
export class RecentlyUsed<T> {
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

  /** What is known of a text, else what `make` says of it, which is known from then on. */
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
