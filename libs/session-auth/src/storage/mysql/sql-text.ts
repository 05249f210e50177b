/** The text of a statement, in ASCII, including its values as literals. */
export class SqlText {
  constructor(readonly text: string) {}
}

/** A value in a statement: text and bytes as bytes, whole numbers, NULL, lists, and parts of a statement. */
export type SqlValue = string | number | Buffer | null | SqlText | readonly SqlValue[];

/**
 * Makes a statement from a template: sql`SELECT 1 FROM t WHERE name = ${name}`.
 *
 * Values become literals of digits and hexadecimal bytes (`x'61'`) only. Such a literal means the same under every
 * `sql_mode` (ANSI_QUOTES, NO_BACKSLASH_ESCAPES), character set and option of a pool (`queryFormat`,
 * `namedPlaceholders`, `timezone`), and contains no character that could end it. The driver's prepared statements would
 * send numbers as floating point, cost another round trip on each new connection and count against the server's
 * `max_prepared_stmt_count`. A pooler that assigns transactions to changing connections would have to track them.
 */
export function sql(parts: TemplateStringsArray, ...values: readonly SqlValue[]): SqlText {
  return new SqlText(parts.reduce((text, part, index) => text + literalOf(values[index - 1]!) + part));
}

/** Joins parts of a statement with commas. */
export function commaList(parts: readonly SqlText[]): SqlText {
  return new SqlText(parts.map(({ text }) => text).join(', '));
}

/** Returns a list of column names, which must come from this library. */
export function columnList(columns: readonly string[]): SqlText {
  return new SqlText(columns.join(', '));
}

function literalOf(value: SqlValue): string {
  if (value === null) return 'NULL';
  if (value instanceof SqlText) return value.text;
  if (typeof value === 'string') return literalOf(Buffer.from(value));
  if (Buffer.isBuffer(value)) return `x'${value.toString('hex')}'`;
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new RangeError(`not a whole number that a statement can hold: ${value}`);
    return String(value);
  }
  // IN (NULL) matches nothing
  return value.length === 0 ? 'NULL' : value.map(literalOf).join(', ');
}
