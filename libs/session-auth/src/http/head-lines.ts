/** The value of a header, in the forms that Node accepts. */
export type HeaderValue = number | string | readonly string[];

/** `*` means all names (RFC 9110 12.5.5). Of two spellings of a name, the first stays. */
export function mergedVary(present: readonly HeaderValue[], added: readonly string[]): string {
  const byKey = new Map<string, string>();
  for (const name of [...present.join().split(','), ...added]) {
    const plain = name.trim();
    if (plain !== '' && !byKey.has(plain.toLowerCase())) byKey.set(plain.toLowerCase(), plain);
  }
  return byKey.has('*') ? '*' : [...byKey.values()].join(', ');
}

/**
 * Returns the headers of a `writeHead` call that were given as an array: of pairs, or of alternating names and values.
 */
export function objectOf(given: readonly unknown[]): Record<string, HeaderValue> {
  const flat: unknown[] = Array.isArray(given[0]) ? given.flat(1) : [...given];
  const headers: Record<string, HeaderValue> = {};
  for (let at = 0; at < flat.length; at += 2) {
    const [name, value] = [String(flat[at]), flat[at + 1] as HeaderValue];
    const known = Object.keys(headers).find((each) => each.toLowerCase() === name.toLowerCase());
    headers[known ?? name] = known === undefined ? value : [headers[known], value].flat().map(String);
  }
  return headers;
}
