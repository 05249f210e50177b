import ts from 'typescript';

/**
 * Reduces the reports of API Extractor to what users can rely on: the exports, and the declarations and imports that
 * these name, directly or through others. Types that only constructors name are left out, but for imports: Nest calls
 * most constructors, and their parameters lead to everything that is internal.
 *
 * @param {ReadonlyMap<string, string>} codeBySpecifier
 */
export function contractsOf(codeBySpecifier) {
  const statements = [...codeBySpecifier].map(([specifier, code]) => [specifier, statementsOf(specifier, code)]);
  return new Map(
    statements.map(([specifier, own]) => {
      const others = statements.filter(([other]) => other !== specifier);
      return [specifier, contractOf(own.map((statement) => importInstead(statement, others)))];
    }),
  );
}

function contractOf(statements) {
  const named = (name) => statements.filter((statement) => statement.names.includes(name));
  const reached = new Set(statements.filter((statement) => statement.isExported));
  const hidden = new Set();
  // The loop also visits the statements that it adds to the set.
  for (const { mentions, constructorMentions } of reached) {
    for (const statement of mentions.flatMap(named)) reached.add(statement);
    for (const statement of constructorMentions.flatMap(named)) {
      if (statement.isImport) reached.add(statement);
      else hidden.add(statement);
    }
  }
  const texts = (isImport) => [...reached].filter((each) => each.isImport === isImport).map(({ text }) => text);
  return {
    imports: sorted(texts(true)),
    declarations: statements.filter((each) => reached.has(each) && !each.isImport).map(({ text }) => text),
    hidden: sorted([...hidden].filter((each) => !reached.has(each)).flatMap(({ names }) => names)),
  };
}

/** Replaces a declaration that another entry point exports by an import from there. */
function importInstead(statement, others) {
  if (statement.isExported || statement.isImport) return statement;
  const isIt = ({ isExported, text }) => isExported && text.replace(/^export /m, '') === statement.text;
  const [home] = others.find(([, theirs]) => theirs.some(isIt)) ?? [];
  if (home === undefined) return statement;
  return asStatement(`import { ${statement.names.join(', ')} } from '${home}';`);
}

function statementsOf(specifier, code) {
  const source = ts.createSourceFile(specifier, withoutDocumentation(code), ts.ScriptTarget.Latest, true);
  return source.statements.map(describe);
}

function asStatement(text) {
  const [statement] = ts.createSourceFile('', text, ts.ScriptTarget.Latest, true).statements;
  return describe(statement);
}

function describe(statement) {
  return {
    text: statement
      .getFullText()
      .trim()
      .replace(/^import type /, 'import '),
    names: namesOf(statement),
    isImport: ts.isImportDeclaration(statement),
    isExported:
      ts.isExportDeclaration(statement) ||
      ts.isExportAssignment(statement) ||
      (statement.modifiers ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword),
    ...mentionsOf(statement),
  };
}

/** Removes doc comments, the marks of members without one, and the release tag that everything has. */
function withoutDocumentation(code) {
  return code
    .replaceAll(/\/\*\*.*?\*\/\s*/gs, '')
    .replaceAll(/^ *\/\/.*$/gm, (line) => line.replace(' @public', '').replace(' (undocumented)', ''))
    .replaceAll(/^ *\/\/\n/gm, '');
}

function namesOf(statement) {
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations.map(({ name }) => name.text);
  if (!ts.isImportDeclaration(statement)) return statement.name === undefined ? [] : [statement.name.text];

  const { name, namedBindings } = statement.importClause ?? {};
  const bound = namedBindings === undefined ? [] : (namedBindings.elements ?? [namedBindings]);
  return [name, ...bound.map((each) => each.name)].filter((each) => each !== undefined).map(({ text }) => text);
}

function mentionsOf(statement) {
  const mentions = [];
  const constructorMentions = [];
  const visit = (node, into) => {
    if (ts.isIdentifier(node)) into.push(node.text);
    ts.forEachChild(node, (child) => visit(child, ts.isConstructorDeclaration(child) ? constructorMentions : into));
  };
  visit(statement, mentions);
  return { mentions, constructorMentions };
}

function sorted(texts) {
  return [...new Set(texts)].sort();
}
