/**
 * What has no parameter in it though it may look so: comments, texts (those of `E'…'` with backslashes, those between
 * dollar signs) and quoted names. Then a parameter, and a question mark of an operator.
 */
const PART =
  /--[^\n]*|\/\*[^]*?\*\/|\b[eE]'(?:[^'\\]|\\[^]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|(\$(?:[A-Za-z_]\w*)?\$)[^]*?\1|(?<![\w$])\$(\d+)|\?/g;

/**
 * Returns a statement with `?` for each of its parameters, and the values in the order of these, for an ORM that knows
 * no `$1`. A parameter that is used several times gets as many values.
 *
 * What is within quotes or a comment stays as it is, but for its question marks: they, and those of operators, are
 * escaped as `\?`, as Knex and MikroORM want it.
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
