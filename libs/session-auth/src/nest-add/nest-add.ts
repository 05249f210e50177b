import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import bcrypt from 'bcrypt';
import { addVariables, ignoreEnvFile, valueOf, type Variable } from './env-files.js';
import { prepareJest } from './jest-configs.js';
import { addToModule, type NamedImport } from './module-source.js';
import { addPackages } from './packages.js';
import { textOf, write, type ProjectFiles } from './project-files.js';
import { importPath, readProject, type NestAddOptions, type Project } from './project.js';
import {
  ACCOUNT_VARIABLE,
  developmentAccountSource,
  environmentSource,
  testSource,
  usersServiceSource,
} from './session-sources.js';
import { STORAGES, type StorageParts } from './storage-sources.js';
import { loadTypeScript } from './typescript.js';
import { usersServiceOf, type UsersService } from './users-service.js';

/** The context of a schematic: the part that is used here. */
export interface SchematicContext {
  readonly logger: { info(message: string): void; warn(message: string): void };
  addTask(task: { toConfiguration(): { name: string; options: object } }): unknown;
}

type Rule = (files: ProjectFiles, context: SchematicContext) => Promise<void>;

const PASSWORD_BYTES = 16;
const COST = 12;

/**
 * The schematic of `nest add nestjs-session-auth`. If it runs again, it adds the missing parts and changes nothing
 * else.
 *
 * It needs no package of Angular: a rule is a function, and its files are those of the given `Tree`.
 */
export function nestAdd(options: NestAddOptions): Rule {
  return async (files, context) => {
    const project = readProject(files, options);
    const users = usersServiceOf(files, project, options);
    const envFile = project.configFile ?? '.env';
    const chosen = storageOf(options);
    const isPresent = /\bSessionAuthModule\b/.test(textOf(files, project.module)!);
    const storage = isPresent ? STORAGES['memory']! : chosen;
    addUsers(files, project, users, envFile);
    if (!isPresent) addSessions(files, project, users, envFile, storage);
    const password = await addSettings(files, envFile, users, storage);
    const packages = addPackages(files, project, storage);
    const next = [...storage.next];
    if (project.hasConfigModule && project.configFile === undefined && !isPresent) {
      next.push(`${pathsOf(project).environment} reads ${envFile}, because the file of ConfigModule is not known`);
    }
    next.push(...addTest(files, project));
    if (packages.length > 0) {
      if (options.skipInstall === true) next.unshift(`install ${packages.join(' and ')}: npm install`);
      else
        context.addTask({
          toConfiguration: () => ({ name: 'node-package', options: { command: 'install', quiet: true } }),
        });
    }
    for (const line of report(project, users, password, next)) context.logger.info(line);
  };
}

/** @throws Error that lists the storages */
function storageOf({ storage = 'memory' }: NestAddOptions): StorageParts {
  if (Object.hasOwn(STORAGES, storage)) return STORAGES[storage]!;
  throw new Error(`storage: given '${storage}'; allowed is ${Object.keys(STORAGES).join(', ')}`);
}

/** The files that the schematic writes beside the users service, from the root of the workspace. */
function pathsOf({ sourceRoot }: Project): Record<'environment' | 'account' | 'storage', string> {
  const folder = posix.join(sourceRoot, 'session-auth');
  return {
    environment: `${folder}/environment.ts`,
    account: `${folder}/development-account.ts`,
    storage: `${folder}/session-storage.ts`,
  };
}

function create(files: ProjectFiles, path: string, source: string): void {
  if (!files.exists(path)) files.create(path, source);
}

function addUsers(files: ProjectFiles, project: Project, users: UsersService, envFile: string): void {
  if (!users.isNew) return;
  const { environment, account } = pathsOf(project);
  create(files, environment, environmentSource(envFile));
  create(files, account, developmentAccountSource(project, account, environment));
  create(files, users.path, usersServiceSource(project, users.className, users.path, account));
}

/** Writes the files that the module needs, and adds the imports to the module. */
function addSessions(
  files: ProjectFiles,
  project: Project,
  users: UsersService,
  envFile: string,
  storage: StorageParts,
): void {
  const { environment, storage: path } = pathsOf(project);
  if (project.configFile === undefined || storage.source !== undefined) {
    create(files, environment, environmentSource(envFile));
  }
  if (storage.source !== undefined) {
    create(files, path, storage.source(project, importPath(project, path, environment)));
  }
  write(files, project.module, withSessions(project, textOf(files, project.module)!, users, storage));
}

function withSessions(project: Project, module: string, users: UsersService, storage: StorageParts): string {
  const { environment, storage: storagePath } = pathsOf(project);
  const from = (path: string): string => importPath(project, project.module, path);
  const hasConfig = project.configFile !== undefined;
  const hasDatabase = storage === STORAGES['typeorm'] && !/\bTypeOrmModule\b/.test(module);
  const storageNames =
    storage.source === undefined ? [] : ['sessionStorage', ...(hasDatabase ? ['sessionDatabase'] : [])];
  const modules = [
    ...(hasConfig ? ['ConfigModule'] : []),
    ...(users.module === undefined ? [] : [users.module.className]),
  ];
  const imports: NamedImport[] = [
    ...(hasConfig ? [{ names: ['ConfigModule', 'ConfigService'], from: '@nestjs/config' }] : []),
    { names: ['SessionAuthModule'], from: 'nestjs-session-auth' },
    ...(hasConfig ? [] : [{ names: ['environment'], from: from(environment) }]),
    ...(storageNames.length === 0 ? [] : [{ names: storageNames, from: from(storagePath) }]),
    ...(users.module === undefined ? [] : [{ names: [users.module.className], from: from(users.module.path) }]),
    { names: [users.className], from: from(users.path) },
  ];
  const lines = [
    ...(modules.length === 0 ? [] : [`imports: [${modules.join(', ')}],`]),
    ...(hasConfig ? ['inject: [ConfigService],'] : []),
    hasConfig
      ? `useFactory: (config: ConfigService) => ({ secrets: [config.get<string>('SESSION_SECRET', '')] }),`
      : `useFactory: () => ({ secrets: [environment('SESSION_SECRET')] }),`,
    ...(storageNames.length === 0 ? [] : ['storage: sessionStorage,']),
    `users: { ${users.module === undefined ? 'useClass' : 'useExisting'}: ${users.className} },`,
  ];
  const element = `SessionAuthModule.forRootAsync({\n${lines.map((line) => `  ${line}\n`).join('')}})`;
  const elements = [...(hasDatabase ? ['...sessionDatabase'] : []), element];
  try {
    return addToModule(loadTypeScript(), module, { imports, elements });
  } catch (error) {
    throw new Error(`${project.module} cannot be changed: ${String(error)}. Add to its imports:\n${element}`, {
      cause: error,
    });
  }
}

/** Writes the secret and the account. Returns the password of a new account. */
async function addSettings(
  files: ProjectFiles,
  envFile: string,
  users: UsersService,
  storage: StorageParts,
): Promise<string | undefined> {
  const present = textOf(files, envFile);
  const isAccountUsed = users.isNew || textOf(files, users.path)!.includes('developmentAccount');
  const password =
    !isAccountUsed || valueOf(present, ACCOUNT_VARIABLE) !== undefined
      ? undefined
      : randomBytes(PASSWORD_BYTES).toString('base64url');
  const variables: Variable[] = [
    {
      name: 'SESSION_SECRET',
      value: randomBytes(32).toString('base64url'),
      example: '',
      // a command for every shell, Windows included
      comment:
        'Seals the cookies of sessions. 32 bytes or more: ' +
        `node -p "require('crypto').randomBytes(32).toString('base64')"`,
    },
    ...storage.variables,
  ];
  if (password !== undefined) {
    const hash = await bcrypt.hash(password, COST);
    variables.push({
      name: ACCOUNT_VARIABLE,
      // some readers of such files would take a $ in the hash as the start of a variable
      value: Buffer.from(hash).toString('base64url'),
      example: '',
      comment: 'For development: the hash of the password of ada@example.com, in base64url',
    });
  }
  addVariables(files, envFile, variables);
  ignoreEnvFile(files, envFile);
  return password;
}

function addTest(files: ProjectFiles, project: Project): string[] {
  const folder = posix.join(posix.dirname(project.sourceRoot), 'test');
  const path = `${folder}/session-auth.e2e-spec.ts`;
  if (project.runner === undefined) return ['write a test: there is neither Jest nor Vitest in package.json'];
  const moduleName = /export\s+class\s+(\w+)/.exec(textOf(files, project.module)!)?.[1];
  if (moduleName === undefined) return [`write a test: ${project.module} exports no class`];
  if (!files.exists(path)) files.create(path, testSource(project, path, moduleName));
  return prepareJest(files, project, folder);
}

function report(
  project: Project,
  users: UsersService,
  password: string | undefined,
  next: readonly string[],
): string[] {
  const account =
    password === undefined
      ? []
      : [`Account for development: ada@example.com, password: ${password}`, 'The password is shown once.'];
  return [
    `Sessions are in ${project.module}, users in ${users.path}.`,
    ...account,
    ...next.map((line) => `To do: ${line}`),
  ];
}
