import ts from 'typescript';

/**
 * The folders of `src` from the bottom up. A file imports files of its own folder and of lower rows; never of a
 * neighbour in the same row, never of a higher one. The files directly in `src` stand above every folder but the
 * last row. A new folder gets its place here before anything else.
 */
export const LAYERS: readonly (readonly string[])[] = [
  ['errors'],
  ['realms', 'time'],
  ['options'],
  ['async', 'cache', 'channels', 'crypto', 'users'],
  ['events', 'passwords'],
  ['session'],
  ['remember-me', 'throttle', 'fingerprint', 'link'],
  ['near-cache', 'cookies', 'privacy'],
  ['http', 'storage/memory', 'storage/redis', 'storage/postgres'],
  ['storage/mysql', 'storage/sqlite'],
  ['storage/typeorm'],
  ['guards', 'login', 'csrf', 'storage', 'streams'],
  ['endpoints', 'boot', 'connections'],
  ['openapi', 'websockets', 'graphql', 'client', 'passport', 'nest-add'],
  ['.'],
  ['testing'],
];

/** Optional peers, and the only folders that may import them: everything else works without them installed. */
export const OPTIONAL_PEERS: Readonly<Record<string, readonly string[]>> = {
  ioredis: ['storage/redis'],
  iovalkey: ['storage/redis'],
  redis: ['storage/redis'],
  typeorm: ['storage/typeorm'],
  '@nestjs/typeorm': ['storage/typeorm'],
  mysql2: ['storage/mysql'],
  'better-sqlite3': ['storage/sqlite'],
  graphql: ['graphql'],
  '@nestjs/graphql': ['graphql'],
  '@nestjs/apollo': ['graphql'],
  '@nestjs/event-emitter': [],
  '@nestjs/terminus': [],
  eventemitter2: [],
  '@nestjs/websockets': ['websockets'],
  ws: ['websockets'],
  'socket.io': ['websockets'],
};

/**
 * Optional peers that are loaded when they are needed, never with a file: the folders may `import()` them and name
 * their types.
 */
export const LAZY_PEERS: Readonly<Record<string, readonly string[]>> = {
  '@nestjs/swagger': ['openapi'],
  '@nestjs/websockets': ['channels'],
  '@nestjs/microservices': ['channels'],
  pg: ['storage/postgres'],
};

/** Names that say nothing about what a folder holds. */
export const VAGUE_FOLDERS: readonly string[] = [
  'utils',
  'helpers',
  'common',
  'types',
  'interfaces',
  'constants',
  'shared',
  'misc',
];

export interface Violation {
  /** The path from `src`, with `/`. */
  readonly file: string;
  readonly rule: 'layer order' | 'no cycles' | 'optional peers' | 'folder names' | 'import the file';
  readonly detail: string;
}

/** The sources to check: text by path from `src`, with `/`. */
export type SourceFiles = ReadonlyMap<string, string>;

/** Every breach of the import rules, in the order of the files. */
export function findViolations(files: SourceFiles): Violation[] {
  const violations: Violation[] = [];
  const graph = new Map<string, string[]>();
  for (const [file, text] of files) {
    const report = (rule: Violation['rule'], detail: string): void => void violations.push({ file, rule, detail });
    checkFolderNames(file, report);
    const targets: string[] = [];
    for (const specifier of importsOf(file, text, 'with the file')) {
      const peer = peerOf(specifier, LAZY_PEERS);
      if (peer !== undefined) report('optional peers', `imports "${specifier}", which only import() may load`);
    }
    for (const specifier of importsOf(file, text)) {
      if (!specifier.startsWith('.')) {
        checkPackage(file, specifier, report);
        continue;
      }
      const target = resolve(file, specifier);
      if (!checkTarget(file, specifier, target, files, report)) continue;
      targets.push(target);
      checkLayer(file, target, report);
    }
    graph.set(file, targets);
  }
  for (const cycle of findCycles(graph)) {
    violations.push({ file: cycle[0]!, rule: 'no cycles', detail: cycle.join(' -> ') });
  }
  return violations;
}

type Report = (rule: Violation['rule'], detail: string) => void;

/**
 * Every module a file names: imports, re-exports, dynamic imports, `require` and `import('…')` types.
 *
 * @param which `'with the file'`: only those that are loaded when the file is
 */
export function importsOf(file: string, text: string, which: 'all' | 'with the file' = 'all'): string[] {
  const specifiers: string[] = [];
  const add = (node: ts.Node | undefined): void => {
    if (node !== undefined && ts.isStringLiteralLike(node)) specifiers.push(node.text);
  };
  const visit = (node: ts.Node): void => {
    if (which === 'with the file' && isLazy(node)) {
      // a type, or loaded later
    } else if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier);
    else if (ts.isExternalModuleReference(node)) add(node.expression);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal);
    else if (ts.isCallExpression(node)) {
      const { expression } = node;
      const loads =
        expression.kind === ts.SyntaxKind.ImportKeyword ||
        (ts.isIdentifier(expression) && expression.text === 'require');
      if (loads) add(node.arguments[0]);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true));
  return specifiers;
}

/** The longest way down from folder to folder, the root of `src` included. */
export function longestWayDown(files: SourceFiles): string[] {
  const below = new Map<string, Set<string>>();
  for (const [file, text] of files) {
    if (isSpec(file)) continue;
    for (const specifier of importsOf(file, text).filter((each) => each.startsWith('.'))) {
      const target = folderOf(resolve(file, specifier));
      if (target !== folderOf(file)) below.set(folderOf(file), (below.get(folderOf(file)) ?? new Set()).add(target));
    }
  }
  const ways = new Map<string, string[]>();
  const wayFrom = (folder: string): string[] => {
    const known = ways.get(folder);
    if (known !== undefined) return known;
    const [longest = []] = [...(below.get(folder) ?? [])].map(wayFrom).sort((a, b) => b.length - a.length);
    const way = [folder, ...longest];
    ways.set(folder, way);
    return way;
  };
  return [...below.keys()].map(wayFrom).sort((a, b) => b.length - a.length)[0] ?? [];
}

function isLazy(node: ts.Node): boolean {
  if (ts.isImportDeclaration(node)) return node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  if (ts.isCallExpression(node)) return node.expression.kind === ts.SyntaxKind.ImportKeyword;
  return ts.isImportTypeNode(node);
}

function checkFolderNames(file: string, report: Report): void {
  for (const folder of file.split('/').slice(0, -1)) {
    if (VAGUE_FOLDERS.includes(folder)) report('folder names', `"${folder}" says nothing: name the concept`);
  }
}

function checkPackage(file: string, specifier: string, report: Report): void {
  if (specifier === 'nestjs-session-auth' || specifier.startsWith('nestjs-session-auth/')) {
    report('import the file', `imports its own package as "${specifier}"`);
  }
  const peers = { ...OPTIONAL_PEERS, ...LAZY_PEERS };
  const peer = peerOf(specifier, peers);
  if (peer === undefined || peers[peer]!.includes(folderOf(file))) return;
  report('optional peers', `imports "${specifier}", which only ${peers[peer]!.join(', ')} may`);
}

function peerOf(specifier: string, peers: Readonly<Record<string, unknown>>): string | undefined {
  return Object.keys(peers).find((peer) => specifier === peer || specifier.startsWith(`${peer}/`));
}

/** Whether the import names a file that may be imported at all; the layer is checked after this. */
function checkTarget(file: string, specifier: string, target: string, files: SourceFiles, report: Report): boolean {
  if (target.startsWith('../')) {
    // what unit tests share lies beside src
    const folder = `${'../'.repeat(file.split('/').length)}test/`;
    const isShared = specifier.startsWith(folder) && !specifier.endsWith('.spec.js');
    if (!isSpec(file) || !isShared) report('import the file', `"${specifier}" leaves src`);
    return false;
  }
  if (!files.has(target) || !specifier.endsWith('.js')) {
    report('import the file', `"${specifier}" names no file of src (a folder?)`);
    return false;
  }
  if (target === 'index.ts' || target.endsWith('/index.ts')) {
    report('import the file', `"${specifier}" is an entry point for users: import the file that declares the thing`);
    return false;
  }
  if (isSpec(target)) {
    report('import the file', `"${specifier}" is a test`);
    return false;
  }
  return true;
}

function checkLayer(file: string, target: string, report: Report): void {
  // A unit test may build what it tests out of any layer.
  if (isSpec(file)) return;
  const [from, to] = [folderOf(file), folderOf(target)];
  const [level, targetLevel] = [levelOf(from), levelOf(to)];
  if (level === undefined) {
    report('layer order', `the folder "${from}" has no place in LAYERS (import-rules.ts)`);
  } else if (targetLevel === undefined) {
    report('layer order', `imports ${target}, whose folder "${to}" has no place in LAYERS (import-rules.ts)`);
  } else if (from !== to && targetLevel >= level) {
    report(
      'layer order',
      `imports ${target}: ${nameOf(from)} [${level}] may not import ${nameOf(to)} [${targetLevel}]`,
    );
  }
}

function isSpec(file: string): boolean {
  return file.endsWith('.spec.ts');
}

/** The folder of LAYERS that a file belongs to, or its first folder where there is none. */
function folderOf(file: string): string {
  const folders = file.split('/').slice(0, -1);
  if (folders.length === 0) return '.';
  for (let depth = folders.length; depth > 0; depth--) {
    const folder = folders.slice(0, depth).join('/');
    if (levelOf(folder) !== undefined) return folder;
  }
  return folders[0]!;
}

function levelOf(folder: string): number | undefined {
  const level = LAYERS.findIndex((row) => row.includes(folder));
  return level < 0 ? undefined : level;
}

function nameOf(folder: string): string {
  return folder === '.' ? 'the root of src' : folder;
}

/** The path from `src` of the TypeScript file that a relative import names; starts with `../` outside `src`. */
function resolve(file: string, specifier: string): string {
  const segments = file.split('/').slice(0, -1);
  for (const segment of specifier.split('/')) {
    if (segment === '.' || segment === '') continue;
    if (segment !== '..') segments.push(segment);
    else if (segments.pop() === undefined) return `../${specifier}`;
  }
  return segments.join('/').replace(/\.js$/, '.ts');
}

/** One way round for each import that closes a circle. */
function findCycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const walk = (file: string): void => {
    if (done.has(file)) return;
    const start = path.indexOf(file);
    if (start >= 0) {
      cycles.push([...path.slice(start), file]);
      return;
    }
    path.push(file);
    for (const target of graph.get(file) ?? []) walk(target);
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) walk(file);
  return cycles;
}
