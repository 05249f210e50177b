import { basename, dirname, extname, join, resolve } from 'node:path';
import ts from 'typescript';

/** A block of code that claims to be a whole file. */
export interface Snippet {
  /** Where the block stands. */
  readonly place: string;
  /** The file that it claims to be: its relative imports are resolved from there. */
  readonly path: string;
  readonly code: string;
}

/** Types of scripts for pages are not declared in them: here only names, imports and exports must be right. */
const OF_SCRIPTS = [
  2304, // cannot find name
  2305, // module has no exported member
  2307, // cannot find module
  2552, // cannot find name, did you mean
  2614, // module has no exported member, did you mean a default import
  2724, // module has no exported member, did you mean
];

/**
 * Compiles each snippet as a file that stands alone, in one program with the settings of the repository. Returns the
 * errors of each place that has some.
 */
export function compileSnippets(snippets: readonly Snippet[]): Readonly<Record<string, readonly string[]>> {
  const { config } = ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path)) as { config: object };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, resolve('.'));
  Object.assign(options, { allowJs: true, checkJs: true, declaration: false });
  const files = new Map(snippets.map((snippet, index) => [besideOf(snippet.path, index), snippet]));
  const host = ts.createCompilerHost(options);
  host.fileExists = (path) => files.has(path) || ts.sys.fileExists(path);
  host.readFile = (path) => files.get(path)?.code ?? ts.sys.readFile(path);
  const program = ts.createProgram([...files.keys()], options, host);
  const errors: Record<string, string[]> = {};
  for (const [path, { place }] of files) {
    const source = program.getSourceFile(path)!;
    const isScript = extname(path) !== '.ts';
    const found = [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source).filter(({ code }) => !isScript || OF_SCRIPTS.includes(code)),
    ];
    if (found.length > 0)
      errors[place] = found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  }
  return errors;
}

/** A file of its own in the folder of the example, so that the example itself proves nothing about the block. */
function besideOf(path: string, index: number): string {
  const extension = extname(path);
  return resolve(join(dirname(path), `${basename(path, extension)}.snippet-${index}${extension}`));
}
