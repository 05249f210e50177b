/** The same text on its own: a part of a header would keep the whole header in memory. */
export function copyOf(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}

/** A text, cut at a number of characters. What was cut off is not kept in memory. */
export function beginningOf(text: string, length: number): string {
  return text.length <= length ? text : copyOf(text.slice(0, length));
}
