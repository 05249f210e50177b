/**
 * Matches text without parameters: comments, strings (including `E'…'` and dollar quotes) and quoted names. Then a
 * parameter, and an operator's question mark.
 */
const PART =
  /--[^\n]*|\/\*[^]*?\*\/|\b[eE]'(?:[^'\\]|\\[^]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|(\$(?:[A-Za-z_]\w*)?\$)[^]*?\1|(?<![\w$])\$(\d+)|\?/g;

/**
 * Returns a statement with `?` for each of its parameters, and the values in matching order, for an ORM that does not
 * support `$1`. A parameter that is used several times is repeated.
 *
 * Text within quotes or a comment stays unchanged except for its question marks. These, and those of operators, are
 * escaped as `\?`, as Knex and MikroORM require.
 *
 * @param text with `$1`, `$2`, …
 * @param values that of `$1` first
 */
export function questionMarks(text: string, values: readonly unknown[]): { text: string; values: unknown[] } {
  const inOrder: unknown[] = [];
  const replaced = text.replace(PART, (part: string, _tag: string | undefined, number: string | undefined) => {
    if (number === undefined) return part.replaceAll('?', '\\?');
    inOrder.push(values[Number(number) - 1]);
    return '?';
  });
  return { text: replaced, values: inOrder };
}
