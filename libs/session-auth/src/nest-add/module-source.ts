import type TypeScript from 'typescript';

/** Names to be imported from a module. */
export interface NamedImport {
  readonly names: readonly string[];
  readonly from: string;
}

/** One change of a text: it replaces the characters between two positions. */
interface Change {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Returns the source of a Nest module with additional imports of names, and additional elements in
 * `@Module({ imports })`.
 *
 * @param elements expressions, indented as if they began in the first column
 * @throws Error if the source has no `@Module({ … })`
 */
export function addToModule(
  ts: typeof TypeScript,
  text: string,
  { imports, elements }: { readonly imports: readonly NamedImport[]; readonly elements: readonly string[] },
): string {
  const source = ts.createSourceFile('module.ts', text, ts.ScriptTarget.Latest, true);
  const metadata = findMetadata(ts, source);
  if (metadata === undefined) throw new Error('it has no @Module({ … })');
  const changes = [...importChanges(ts, source, imports), elementChange(ts, source, metadata, elements)];
  const changed = changes
    .sort((a, b) => b.start - a.start)
    .reduce((result, { start, end, text: added }) => result.slice(0, start) + added + result.slice(end), text);
  return text.includes('\r\n') ? changed.replace(/\r?\n/g, '\r\n') : changed;
}

function findMetadata(
  ts: typeof TypeScript,
  source: TypeScript.SourceFile,
): TypeScript.ObjectLiteralExpression | undefined {
  for (const statement of source.statements) {
    if (!ts.isClassDeclaration(statement)) continue;
    for (const { expression } of ts.getDecorators(statement) ?? []) {
      if (!ts.isCallExpression(expression) || expression.expression.getText(source) !== 'Module') continue;
      const [metadata] = expression.arguments;
      if (metadata !== undefined && ts.isObjectLiteralExpression(metadata)) return metadata;
    }
  }
  return undefined;
}

function importChanges(
  ts: typeof TypeScript,
  source: TypeScript.SourceFile,
  imports: readonly NamedImport[],
): Change[] {
  const declarations = source.statements.filter(ts.isImportDeclaration);
  const quote = declarations[0]?.moduleSpecifier.getText(source)[0] ?? "'";
  const changes: Change[] = [];
  const lines: string[] = [];
  for (const { names, from } of imports) {
    const present = declarations.flatMap(({ importClause, moduleSpecifier }) => {
      const bindings = importClause?.namedBindings;
      const isIt = ts.isStringLiteral(moduleSpecifier) && moduleSpecifier.text === from;
      return isIt && !importClause!.isTypeOnly && bindings !== undefined && ts.isNamedImports(bindings)
        ? [bindings]
        : [];
    })[0];
    const known = present?.elements.map(({ name }) => name.text) ?? [];
    const missing = names.filter((name) => !known.includes(name));
    if (missing.length === 0) continue;
    if (present === undefined) lines.push(`import { ${missing.join(', ')} } from ${quote}${from}${quote};`);
    else changes.push({ start: present.elements.end, end: present.elements.end, text: `, ${missing.join(', ')}` });
  }
  const last = declarations.at(-1);
  const at = last?.end ?? 0;
  const added = last === undefined ? `${lines.join('\n')}\n\n` : lines.map((line) => `\n${line}`).join('');
  return lines.length === 0 ? changes : [...changes, { start: at, end: at, text: added }];
}

function elementChange(
  ts: typeof TypeScript,
  source: TypeScript.SourceFile,
  metadata: TypeScript.ObjectLiteralExpression,
  elements: readonly string[],
): Change {
  const property = metadata.properties
    .filter(ts.isPropertyAssignment)
    .find(({ name }) => (ts.isIdentifier(name) || ts.isStringLiteral(name)) && name.text === 'imports');
  const indented = (depth: string): string => elements.map((each) => `${depth}${indent(each, depth)},\n`).join('');
  if (property === undefined) {
    const isOnLines = metadata.properties.length === 0 || metadata.getText(source).includes('\n');
    const start = metadata.getStart(source) + 1;
    const rest = isOnLines && metadata.properties.length > 0 ? '' : '\n';
    return { start, end: start, text: `\n  imports: [\n${indented('    ')}  ],${rest}` };
  }
  const { initializer } = property;
  if (!ts.isArrayLiteralExpression(initializer)) {
    const spread = `    ...(${indent(initializer.getText(source), '    ')}),\n`;
    return { start: initializer.getStart(source), end: initializer.end, text: `[\n${spread}${indented('    ')}  ]` };
  }
  const inside = source.text.slice(initializer.getStart(source) + 1, initializer.end - 1);
  const last = initializer.elements.at(-1);
  if (last === undefined || !inside.includes('\n')) {
    const kept = inside.trim().replace(/,$/, '');
    const before = kept === '' ? '' : `    ${kept},\n`;
    return { start: initializer.getStart(source), end: initializer.end, text: `[\n${before}${indented('    ')}  ]` };
  }
  const depth = /\n([\t ]*)$/.exec(source.text.slice(0, last.getStart(source)))?.[1] ?? '    ';
  const comma = initializer.elements.hasTrailingComma ? '' : ',';
  // a comment may follow the last element, so the addition goes before the line of the bracket
  const end = initializer.end - 1;
  const start = source.text.slice(0, end).trimEnd().length;
  const tail = /\n([\t ]*)$/.exec(source.text.slice(start, end))?.[1] ?? '  ';
  const between = source.text.slice(last.end, start);
  return { start: last.end, end, text: `${comma}${between}\n${indented(depth)}${tail}` };
}

/** Indents the lines of a text after the first one. */
function indent(text: string, depth: string): string {
  return text.replace(/\n(?=.)/g, `\n${depth}`);
}
