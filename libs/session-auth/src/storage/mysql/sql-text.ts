/** Text of a statement, in ASCII, with its values in it as literals. */
export class SqlText {
  constructor(readonly text: string) {}
}

/** What can stand in a statement: text and bytes as bytes, whole numbers, NULL, lists, and parts of a statement. */
export type SqlValue = string | number | Buffer | null | SqlText | readonly SqlValue[];

/**
 * Makes a statement of a template: sql`SELECT 1 FROM t WHERE name = ${name}`.
 *
 * Values become literals of digits and hexadecimal bytes (`x'61'`), and nothing else. Such a literal means the same under
 * every `sql_mode` (ANSI_QUOTES, NO_BACKSLASH_ESCAPES), character set and option of a pool (`queryFormat`,
 * `namedPlaceholders`, `timezone`), and there is no character in it that could end it. The driver's prepared statements
 * would send numbers as floating point, cost a round trip more on each new connection and count against the server's
 * `max_prepared_stmt_count`; a pooler that hands transactions to changing connections would have to follow them.
 */
export function sql(parts: TemplateStringsArray, ...values: readonly SqlValue[]): SqlText {
  return new SqlText(parts.reduce((text, part, index) => text + literalOf(values[index - 1]!) + part));
}

/** Joins parts of a statement with commas. */
export function commaList(parts: readonly SqlText[]): SqlText {
  return new SqlText(parts.map(({ text }) => text).join(', '));
}

/** Returns a list of names of columns, which must be names of this library's. */
export function columnList(columns: readonly string[]): SqlText {
  return new SqlText(columns.join(', '));
}

function literalOf(value: SqlValue): string {
  if (value === null) return 'NULL';
  if (value instanceof SqlText) return value.text;
  if (typeof value === 'string') return literalOf(Buffer.from(value));
  if (Buffer.isBuffer(value)) return `x'${value.toString('hex')}'`;
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new RangeError(`no whole number that a statement can hold: ${value}`);
    return String(value);
  }
  // IN (NULL) finds nothing
  return value.length === 0 ? 'NULL' : value.map(literalOf).join(', ');
}
