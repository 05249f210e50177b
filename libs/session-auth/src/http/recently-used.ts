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
