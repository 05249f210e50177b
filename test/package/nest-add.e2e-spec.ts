import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import ts from 'typescript';
import { buildDemo } from '../support/build.js';
import { PATIENCE } from '../support/patience.js';

jest.setTimeout(PATIENCE);

interface Run {
  readonly nest: 11 | 12;
  readonly options?: Record<string, unknown>;
  /** Beside those of `nest new`; null: without this one. */
  readonly files?: Record<string, string | null>;
  readonly twice?: boolean;
}

interface Result {
  readonly files: Record<string, string>;
  readonly tasks: readonly string[];
  readonly log: readonly string[];
  readonly error?: string;
}

const STORAGES = ['memory', 'redis', 'postgres', 'typeorm', 'mysql', 'sqlite'] as const;
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  memory: [],
  redis: ['ioredis'],
  postgres: ['pg', '@types/pg'],
  typeorm: ['@nestjs/typeorm', 'pg', 'typeorm'],
  mysql: ['mysql2'],
  sqlite: ['better-sqlite3', '@types/better-sqlite3'],
};

/** Loads the schematic, and TypeScript with it, once for all tests. */
let runner: ChildProcess;
let ended: Promise<unknown[]>;

async function runAll(runs: readonly Run[]): Promise<Result[]> {
  runner.send(runs);
  const [answer] = (await Promise.race([once(runner, 'message'), ended])) as [Result[] | number];
  if (typeof answer === 'number') throw new Error(`nest-add-runs.mjs has ended with ${answer}`);
  return answer;
}

const run = async (given: Run): Promise<Result> => (await runAll([given]))[0]!;
const packagesOf = ({ files }: Result): object => {
  const { dependencies, devDependencies } = JSON.parse(files['package.json']!) as Record<string, object>;
  return { ...dependencies, ...devDependencies };
};

const CONFIG_MODULE = (options = ''): Record<string, string> => ({
  'src/app.module.ts':
    `import { Module } from '@nestjs/common';\nimport { ConfigModule } from '@nestjs/config';\n\n` +
    `@Module({\n  imports: [ConfigModule.forRoot(${options})],\n})\nexport class AppModule {}\n`,
  'package.json': JSON.stringify({
    type: 'module',
    dependencies: { '@nestjs/config': '^12.0.0', '@nestjs/core': '^12.0.0', '@nestjs/platform-express': '^12.0.0' },
    devDependencies: { vitest: '^4.0.0' },
  }),
});

const USERS = `export class People {\n  findByEmail() {}\n  findById() {}\n}\n`;

describe('nest add', () => {
  beforeAll(async () => {
    await buildDemo();
    runner = fork('test/package/nest-add-runs.mjs', { execArgv: [] });
    ended = once(runner, 'exit');
  });

  afterAll(() => void runner.kill());

  describe('with each storage', () => {
    const runs = STORAGES.flatMap((storage) =>
      ([11, 12] as const).map((nest): Run & { storage: string } => ({ storage, nest, options: { storage } })),
    );
    let results: Result[];

    beforeAll(async () => {
      results = await runAll(runs);
    });

    it.each(runs.map(({ storage, nest }, index) => [storage, nest, index] as const))(
      '%s, on Nest %d, writes the module, the packages and the settings',
      (storage, nest, index) => {
        const result = results[index]!;
        const { files, tasks } = result;
        const module = files['src/app.module.ts']!;
        const ending = nest === 12 ? '.js' : '';
        expect(module).toContain('SessionAuthModule.forRootAsync({');
        expect(module).toContain(`import { UsersService } from './users/users.service${ending}';`);
        expect(module.includes('storage: sessionStorage')).toBe(storage !== 'memory');
        expect(Object.keys(packagesOf(result))).toEqual(expect.arrayContaining([...PACKAGES[storage]!]));
        expect(tasks).toEqual(storage === 'memory' ? [] : ['node-package']);
        expect(files['.env']).toMatch(/^SESSION_SECRET=[\w-]{43}$/m);
        expect(files['.env.example']).toMatch(/^SESSION_SECRET=$/m);
        expect(files['.gitignore']).toMatch(/^\.env$/m);
        expect(files['test/session-auth.e2e-spec.ts']!.includes("from 'vitest'")).toBe(nest === 12);
        expect(files['test/jest-e2e.json']?.includes('nestjs-session-auth')).toBe(nest === 11 ? true : undefined);
      },
    );

    it('compiles, strictly and not', async () => {
      // in the repository, for its packages; those of SQLite are in test/stacks only
      const folder = await mkdtemp(join(import.meta.dirname, '.nest-add-'));
      try {
        const sources: string[] = [];
        for (const [index, { storage, nest }] of runs.entries()) {
          if (storage === 'sqlite') continue;
          const texts = Object.entries(results[index]!.files).filter(
            ([path]) => path === 'package.json' || /^(src|test)\/.*\.ts$/.test(path),
          );
          for (const [path, text] of texts.filter(
            ([path]) => !path.includes('app.controller.spec') && !path.includes('app.e2e'),
          )) {
            const file = join(folder, `${storage}-${nest}`, path);
            await mkdir(dirname(file), { recursive: true });
            // neither Vitest nor the globals of Jest are installed here
            const isTest = file.endsWith('-spec.ts');
            const lines = text.replace(/^import .* from 'vitest';\n/m, '');
            const globals = `import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';\n`;
            await writeFile(file, isTest ? globals + lines : text);
            if (file.endsWith('.ts')) sources.push(file);
          }
        }
        for (const strict of [true, false]) {
          const program = ts.createProgram(sources, {
            noEmit: true,
            module: ts.ModuleKind.NodeNext,
            target: ts.ScriptTarget.ES2023,
            types: ['node'],
            experimentalDecorators: true,
            emitDecoratorMetadata: true,
            isolatedModules: true,
            esModuleInterop: true,
            skipLibCheck: true,
            strict,
            noUncheckedIndexedAccess: strict,
            noPropertyAccessFromIndexSignature: strict,
            noUnusedLocals: strict,
            // `nest new` reads process.env.PORT, and its promise is not awaited
          });
          const messages = ts
            .getPreEmitDiagnostics(program)
            .filter(({ file }) => file?.fileName.endsWith('/src/main.ts') !== true)
            .map(({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
          expect(messages).toEqual([]);
        }
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  });

  it('has a password of its own for each account, prints it, and stores its hash only', async () => {
    const results = await runAll([{ nest: 12 }, { nest: 12 }]);
    const passwords = results.map(({ log }) => /ada@example\.com, password: (\S+)/.exec(log.join('\n'))![1]!);
    expect(new Set(passwords).size).toBe(2);
    for (const [index, { files }] of results.entries()) {
      expect(passwords[index]).toMatch(/^[\w-]{22}$/);
      expect(Object.values(files).join('\n')).not.toContain(passwords[index]);
      const hash = /^SESSION_AUTH_DEV_ACCOUNT=(\S+)$/m.exec(files['.env']!)![1]!;
      expect(Buffer.from(hash, 'base64url').toString()).toMatch(/^\$2b\$12\$/);
      expect(files['.env.example']).toMatch(/^SESSION_AUTH_DEV_ACCOUNT=$/m);
      const committed = Object.entries(files).filter(([path]) => path !== '.env');
      expect(committed.map(([, text]) => text).join('\n')).not.toContain(hash);
    }
  });

  it.each(STORAGES)('with %s changes nothing when it is run again', async (storage) => {
    const options = { storage };
    const [first, second] = (await runAll([
      { nest: 12, options },
      { nest: 12, options, twice: true },
    ])) as [Result, Result];
    const withoutSecrets = ({ files }: Result): object => ({ ...files, '.env': files['.env']!.replace(/=.*/g, '=') });
    expect(withoutSecrets(second)).toEqual(withoutSecrets(first));
    expect(second.files['.env']!.match(/^SESSION_SECRET=/gm)).toHaveLength(1);
    expect(second.log.filter((line) => line.includes('password:'))).toHaveLength(1);
  });

  it('keeps the lines and the secret of .env', async () => {
    const env = 'DATABASE_URL=postgres://mine\nSESSION_SECRET=one of my own, of 32 bytes or more\n';
    const { files } = await run({
      nest: 12,
      options: { storage: 'postgres' },
      files: { '.env': env, '.gitignore': '.env\n' },
    });
    expect(files['.env']!.startsWith(env)).toBe(true);
    expect(files['.env']!.match(/SESSION_SECRET|DATABASE_URL/g)).toHaveLength(2);
    expect(files['.gitignore']).toBe('.env\n');
  });

  it('reads the secret by ConfigService where the module has ConfigModule', async () => {
    const { files } = await run({ nest: 12, files: CONFIG_MODULE() });
    expect(files['src/app.module.ts']).toContain(`import { ConfigModule, ConfigService } from '@nestjs/config';`);
    expect(files['src/app.module.ts']).toContain('inject: [ConfigService],');
    expect(files['src/app.module.ts']).toContain(`config.get<string>('SESSION_SECRET', '')`);
    const other = await run({ nest: 12, files: CONFIG_MODULE(`{ envFilePath: '.env.local' }`) });
    expect(other.files['.env.local']).toMatch(/^SESSION_SECRET=/m);
    expect(other.files['.gitignore']).toBe('.env.local\n');
    expect(other.files['.env']).toBeUndefined();
  });

  it.each([
    ['a template literal', '{ envFilePath: `.env.local` }', '.env.local'],
    ['a template literal with an expression', '{ envFilePath: `.env.${process.env.NODE_ENV}` }', undefined],
    ['a list', `{ envFilePath: ['.env.local', file] }`, '.env.local'],
    ['a list that begins with an expression', `{ envFilePath: [\`.env.\${stage}\`, '.env'] }`, undefined],
    ['a choice', `{ envFilePath: isTest ? '.env.test' : '.env' }`, undefined],
    ['a sum', `{ envFilePath: '.env.' + stage }`, undefined],
    ['a name', '{ envFilePath }', undefined],
    ['no file', '{ ignoreEnvFile: true }', undefined],
    ['the default', '{ isGlobal: true, ignoreEnvFile: false }', '.env'],
  ])('finds the file of ConfigModule: %s', async (_what, options, file) => {
    const { files, log } = await run({ nest: 12, files: CONFIG_MODULE(options) });
    const module = files['src/app.module.ts']!;
    // a file that is not known is not guessed: the secret is read from .env without ConfigModule
    expect(files[file ?? '.env']).toMatch(/^SESSION_SECRET=[\w-]{43}$/m);
    expect(module.includes(`environment('SESSION_SECRET')`)).toBe(file === undefined);
    expect(module.includes(`config.get<string>('SESSION_SECRET', '')`)).toBe(file !== undefined);
    expect(Object.keys(files).filter((path) => path.includes('$'))).toEqual([]);
    const told = log.filter((line) => line.includes('because the file of ConfigModule is not known'));
    expect(told).toHaveLength(file === undefined ? 1 : 0);
  });

  it.each([
    ['a project by name', { project: 'api' }],
    ['the source root of the CLI', { sourceRoot: 'apps/api/src' }],
    ['both', { project: 'api', sourceRoot: 'apps/api/src' }],
  ])('adds to the project of a monorepo: %s', async (_what, options) => {
    const main = `import { NestFactory } from '@nestjs/core';\nimport { ApiModule } from './api.module.js';\nawait NestFactory.create(ApiModule);\n`;
    const module = `import { Module } from '@nestjs/common';\n@Module({ imports: [] })\nexport class ApiModule {}\n`;
    const cli = {
      monorepo: true,
      sourceRoot: 'apps/web/src',
      projects: { web: { sourceRoot: 'apps/web/src' }, api: { sourceRoot: 'apps/api/src' } },
    };
    const files = {
      'nest-cli.json': JSON.stringify(cli),
      'apps/api/src/main.ts': main,
      'apps/api/src/api.module.ts': module,
    };
    const result = await run({ nest: 12, options, files });
    expect(result.files['apps/api/src/api.module.ts']).toContain('SessionAuthModule.forRootAsync');
    expect(result.files['apps/api/src/users/users.service.ts']).toBeDefined();
    expect(result.files['apps/api/test/session-auth.e2e-spec.ts']).toContain(
      `import { ApiModule } from '../src/api.module.js';`,
    );
    expect(result.files['.env']).toBeDefined();
    expect(result.files['src/app.module.ts']).not.toContain('SessionAuthModule');
  });

  it('tests an application on Fastify on Fastify', async () => {
    const main = `import { FastifyAdapter } from '@nestjs/platform-fastify';\nNestFactory.create<X>(AppModule, new FastifyAdapter());\n`;
    const { files } = await run({ nest: 12, files: { 'src/main.ts': main } });
    expect(files['test/session-auth.e2e-spec.ts']).toContain('createNestApplication(new FastifyAdapter())');
    expect(files['src/main.ts']).toBe(main);
  });

  it('takes a users service that is there, and the module that exports it', async () => {
    const options = { usersService: 'people/people.service' };
    const people = { 'src/people/people.service.ts': USERS };
    const alone = await run({ nest: 12, options, files: people });
    expect(alone.files['src/app.module.ts']).toContain('users: { useClass: People }');
    expect(alone.files['src/people/people.service.ts']).toBe(USERS);
    expect(alone.log.join()).not.toContain('password:');
    expect(alone.files['src/session-auth/development-account.ts']).toBeUndefined();

    const module = `@Module({ providers: [People], exports: [People] })\nexport class PeopleModule {}\n`;
    const exported = await run({ nest: 12, options, files: { ...people, 'src/people/people.module.ts': module } });
    expect(exported.files['src/app.module.ts']).toContain('imports: [PeopleModule],');
    expect(exported.files['src/app.module.ts']).toContain('users: { useExisting: People }');
  });

  it('writes a users service under a name of its own', async () => {
    for (const options of [{ usersService: 'members/members.service' }, { users: 'src/members/members.service.ts' }]) {
      const { files } = await run({ nest: 11, options });
      expect(files['src/members/members.service.ts']).toContain('export class MembersService implements');
      expect(files['src/app.module.ts']).toContain(`import { MembersService } from './members/members.service';`);
    }
  });

  it('leaves a users service of another kind alone', async () => {
    const files = { 'src/users/users.service.ts': 'export class UsersService {}\n' };
    const result = await run({ nest: 12, files });
    expect(result.files['src/users/users.service.ts']).toBe(files['src/users/users.service.ts']);
    expect(result.files['src/app.module.ts']).toContain('users: { useClass: SessionUsersService }');
    expect((await run({ nest: 12, options: { usersService: 'app.service' } })).error).toBe(
      'src/app.service.ts has no class with the methods findByEmail and findById',
    );
  });

  it('takes what the CLI hands on, and refuses what nobody meant', async () => {
    expect((await run({ nest: 12, options: { skipInstall: true, storage: 'redis' } })).tasks).toEqual([]);
    expect((await run({ nest: 12, options: { sourceRoot: 'undefined' } })).error).toBeUndefined();
    expect((await run({ nest: 12, options: { storage: 'mongo' } })).error).toMatch(/storage/);
    expect((await run({ nest: 12, options: { storge: 'redis' } })).error).toMatch(/storge/);
    expect((await run({ nest: 12, options: { project: 'none' } })).error).toMatch('has no project none');
    expect((await run({ nest: 12, files: { 'src/main.ts': null, 'src/app.module.ts': null } })).error).toMatch(
      '--module=',
    );
    expect((await run({ nest: 12, files: { 'src/app.module.ts': 'export class AppModule {}' } })).error).toMatch(
      /src\/app\.module\.ts cannot be changed: .*Add to its imports:\nSessionAuthModule\.forRootAsync/,
    );
  });
});
