import { posix } from 'node:path';
import { jsonOf, textOf, type ProjectFiles } from './project-files.js';

/** The parts of `package.json` that matter here. */
export interface Manifest {
  readonly type?: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  jest?: object;
}

/** The options of the schematic; `schematics/nest-add.schema.json` describes them. */
export interface NestAddOptions {
  readonly storage?: string;
  readonly usersService?: string;
  readonly users?: string;
  readonly module?: string;
  readonly project?: string;
  readonly sourceRoot?: string;
  readonly skipInstall?: boolean;
}

/** An application as it is before anything is added. */
export interface Project {
  readonly manifest: Manifest;
  /** The folder of the sources, from the root of the workspace. */
  readonly sourceRoot: string;
  /** The file of the module that receives the imports. */
  readonly module: string;
  /** Whether imports name files with their extension, as ES modules must. */
  readonly isEsm: boolean;
  readonly isFastify: boolean;
  readonly runner: 'jest' | 'vitest' | undefined;
  readonly nestMajor: number;
  /** The file that `ConfigModule` reads; undefined if the module does not import it, or if the file is not known. */
  readonly configFile: string | undefined;
  /** Whether the module imports `ConfigModule`. */
  readonly hasConfigModule: boolean;
}

interface CliProject {
  readonly sourceRoot?: string;
  readonly entryFile?: string;
}

interface CliConfiguration extends CliProject {
  readonly projects?: Readonly<Record<string, CliProject>>;
}

const CLI_FILES = ['nest-cli.json', '.nestcli.json', '.nest-cli.json', 'nest.json'];

/** Finds a project. @throws Error that names the missing part */
export function readProject(files: ProjectFiles, options: NestAddOptions): Project {
  const manifest = jsonOf<Manifest>(files, 'package.json');
  if (manifest === undefined) throw new Error('there is no package.json here: run it in the folder of the application');
  const cli = projectOfCli(files, options);
  // the CLI of Nest 11 passes the text `undefined` if there is no source root
  const given = options.sourceRoot === 'undefined' ? undefined : options.sourceRoot;
  const sourceRoot = posix.normalize((options.project && cli.sourceRoot) ?? given ?? cli.sourceRoot ?? 'src');
  const entry = posix.join(sourceRoot, `${cli.entryFile ?? 'main'}.ts`);
  const main = textOf(files, entry) ?? '';
  const module = options.module === undefined ? bootedModule(files, sourceRoot, entry, main) : undefined;
  const path = module ?? withEnding(posix.join(sourceRoot, options.module ?? 'app.module'));
  const text = textOf(files, path);
  if (text === undefined) {
    throw new Error(`there is no ${path}: name the file of your module, as in --module=app/app.module`);
  }
  const packages = { ...manifest.devDependencies, ...manifest.dependencies };
  const hasConfigModule = '@nestjs/config' in packages && 'ConfigModule' in wordsOf(text);
  return {
    manifest,
    sourceRoot,
    module: path,
    isEsm: manifest.type === 'module',
    isFastify: 'FastifyAdapter' in wordsOf(main) || !('@nestjs/platform-express' in packages),
    runner: 'vitest' in packages ? 'vitest' : 'jest' in packages ? 'jest' : undefined,
    nestMajor: Number(/\d+/.exec(packages['@nestjs/core'] ?? '')?.[0] ?? 12),
    configFile: hasConfigModule ? configFileOf(text) : undefined,
    hasConfigModule,
  };
}

function projectOfCli(files: ProjectFiles, { project, sourceRoot }: NestAddOptions): CliProject {
  const path = CLI_FILES.find((each) => files.exists(each));
  const cli = (path === undefined ? undefined : jsonOf<CliConfiguration>(files, path)) ?? {};
  const { projects = {} } = cli;
  if (project === undefined) {
    return Object.values(projects).find((each) => each.sourceRoot === sourceRoot) ?? cli;
  }
  const found = projects[project];
  if (found !== undefined) return found;
  const names = Object.keys(projects).join(', ') || 'none';
  throw new Error(`nest-cli.json has no project ${project}; there is ${names}`);
}

/** Returns the file of the module that the entry file passes to `NestFactory`. */
function bootedModule(files: ProjectFiles, sourceRoot: string, entry: string, main: string): string | undefined {
  const name = /NestFactory\s*\.\s*create\w*\s*(?:<[^(]*>)?\s*\(\s*(\w+)/.exec(main)?.[1];
  if (name === undefined) return undefined;
  const from = new RegExp(`import\\s*{[^}]*\\b${name}\\b[^}]*}\\s*from\\s*['"](\\.[^'"]+)['"]`).exec(main)?.[1];
  if (from === undefined) return undefined;
  const path = withEnding(posix.join(posix.dirname(entry), from));
  return path.startsWith(`${sourceRoot}/`) && files.exists(path) ? path : undefined;
}

/**
 * Returns the first file that `ConfigModule` reads. Returns undefined if an expression names the file, or if the module
 * may read no file.
 */
function configFileOf(text: string): string | undefined {
  if (/\bignoreEnvFile\b(?!\s*:\s*false\b)/.test(text)) return undefined;
  if (!/\benvFilePath\b/.test(text)) return '.env';
  return /\benvFilePath['"]?\s*:\s*\[?\s*(['"`])((?:(?!\1|[\\$\n]).)+)\1\s*[,\]}]/.exec(text)?.[2];
}

function wordsOf(text: string): Record<string, true> {
  return Object.fromEntries((text.match(/\w+/g) ?? []).map((word) => [word, true]));
}

/** Returns the path of a source file from its name in an import or on the command line. */
export function withEnding(path: string): string {
  return path.endsWith('.ts') ? path : `${path.replace(/\.js$/, '')}.ts`;
}

/** Returns the specifier by which a file imports another one. */
export function importPath({ isEsm }: Pick<Project, 'isEsm'>, from: string, to: string): string {
  const path = posix.relative(posix.dirname(from), to).replace(/\.ts$/, isEsm ? '.js' : '');
  return path.startsWith('.') ? path : `./${path}`;
}
