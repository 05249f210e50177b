import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BankClient } from '../support/bank-client.js';
import { buildDemo } from '../support/build.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres-database.js';
import { runApp, runApps, transpile, writeApps, type AppKind, type PackagedApp } from '../support/packaged-apps.js';
import { ADA, logIn } from '../support/example-app.js';

const run = promisify(execFile);
const bin = (name: string): string => createRequire(resolve('package.json')).resolve(name);
const TSC = bin('typescript/bin/tsc');
const QUIET = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
const ADAPTERS = ['express', 'fastify'] as const;
const KINDS: readonly AppKind[] = ['module', 'commonjs'];
const PEERS = ['ioredis@5', 'typeorm@1', 'pg@8'];
const NEST_PEERS = {
  12: ['typeorm@12', 'event-emitter@12', 'swagger@12'],
  11: ['typeorm@11', 'event-emitter@3', 'swagger@11'],
};

describe('the package as it would be published', () => {
  let folder: string;
  let tarball: string;
  let database: TestDatabase;

  beforeAll(async () => {
    await buildDemo();
    folder = await mkdtemp(join(tmpdir(), 'package-'));
    await run('npm', ['pack', '--workspace', 'nestjs-session-auth', '--pack-destination', folder]);
    tarball = join(
      folder,
      (await readdir(folder)).find((name) => name.endsWith('.tgz'))!,
    );
    database = await createTestDatabase();
  }, 120_000);

  afterAll(async () => {
    await database.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('holds the build, its documents and nothing else', async () => {
    const files = (await run('tar', ['-tzf', tarball])).stdout.trim().split('\n');
    const documents = ['package.json', 'LICENSE', 'README.md', 'CHANGELOG.md'].map((name) => `package/${name}`);
    expect(files).toEqual(expect.arrayContaining([...documents, 'package/dist/index.js', 'package/dist/index.d.ts']));
    const others = files.filter((file) => !documents.includes(file) && !/^package\/dist\/.*\.(js|d\.ts)$/.test(file));
    expect(others).toEqual([]);
    expect(files.filter((file) => file.includes('.spec.'))).toEqual([]);
  });

  it('passes publint and are-the-types-wrong', async () => {
    const checks = [
      run(process.execPath, ['node_modules/publint/src/cli.js', '--strict', tarball]),
      run(process.execPath, [
        'node_modules/@arethetypeswrong/cli/dist/index.js',
        tarball,
        '--ignore-rules',
        'cjs-resolves-to-esm',
      ]),
    ];
    const [publint, types] = await Promise.all(checks);
    expect(publint!.stdout).toContain('All good!');
    expect(types!.stdout).toContain('No problems found');
  }, 60_000);

  it('is as large, and depends on as much, as the README says', async () => {
    const readme = await readFile('README.md', 'utf8');
    const { dependencies } = JSON.parse(await readFile('libs/session-auth/package.json', 'utf8')) as {
      dependencies: object;
    };
    const section = readme.slice(readme.indexOf('## What does it bring along?'));
    const named = [...section.slice(0, section.indexOf('\n## ')).matchAll(/^\| `([^`]+)`/gm)].map((match) => match[1]);
    expect(named.sort()).toEqual(Object.keys(dependencies).sort());

    const project = await emptyProject('size');
    await run('npm', ['install', ...QUIET, '--omit=peer', tarball], { cwd: project });
    const said = /tarball has (\d+) kB; installed it takes ([\d.]+) MB, ([\d.]+) MB with/
      .exec(section)!
      .slice(1)
      .map(Number);
    const modules = join(project, 'node_modules');
    const own = await sizeOf(join(modules, 'nestjs-session-auth'));
    const found = [(await readFile(tarball)).length / 1e3, own / 1e6, (await sizeOf(modules)) / 1e6];
    for (const [index, size] of found.entries()) {
      expect({ index, near: Math.abs(size / said[index]! - 1) < 0.15 || `${said[index]}, now ${size}` }).toEqual({
        index,
        near: true,
      });
    }
  }, 60_000);

  it('is tested by Jest in a CommonJS application, as the guide says', async () => {
    const project = await emptyProject('jest', 'commonjs');
    const nest = ['common', 'core', 'platform-express', 'testing'].map((name) => `@nestjs/${name}@11`);
    const tools = ['jest@30', 'ts-jest@29', 'typescript@5', '@types/node@20', 'supertest@7', '@types/supertest@7'];
    await run('npm', ['install', ...QUIET, tarball, ...nest, ...tools], { cwd: project });
    for (const example of ['quick-start', 'testing']) {
      await cp(`examples/${example}`, join(project, example), { recursive: true });
    }
    // as `nest new` writes them
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2023',
      strict: true,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      esModuleInterop: true,
      isolatedModules: true,
    };
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
    const jest = [join(project, 'node_modules/jest/bin/jest.js'), '--config', 'testing/jest.config.cjs', '--no-cache'];
    const { stderr } = await run(process.execPath, [...jest, 'notes'], { cwd: project });
    expect(stderr).toMatch(/^Tests: +[1-9]\d* passed, \d+ total$/m);
  }, 120_000);

  async function emptyProject(name: string, type: AppKind = 'module'): Promise<string> {
    const project = await mkdtemp(join(folder, `${name}-`));
    await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'empty', private: true, type }));
    return project;
  }

  describe.each([12, 11] as const)('in an empty project with Nest %i', (nest) => {
    let project: string;

    const compile = (...options: string[]): Promise<unknown> =>
      run(process.execPath, [TSC, ...options], { cwd: project }).catch((error: unknown) => {
        throw new Error((error as { stdout: string }).stdout);
      });

    beforeAll(async () => {
      project = await emptyProject(`nest${nest}`);
      const packages = ['common', 'core', 'platform-express', 'platform-fastify'].map(
        (name) => `@nestjs/${name}@${nest}`,
      );
      await run('npm', ['install', ...QUIET, tarball, ...packages, '@types/node@20', '@types/express@5'], {
        cwd: project,
      });
    }, 120_000);

    it('needs none of the optional peers', async () => {
      const installed = await readdir(join(project, 'node_modules'));
      expect(installed).not.toEqual(expect.arrayContaining([expect.stringMatching(/^(ioredis|typeorm|pg)$/)]));
      const ofNest = await readdir(join(project, 'node_modules/@nestjs'));
      expect(ofNest.filter((name) => /swagger|event-emitter|typeorm/.test(name))).toEqual([]);
    });

    it('runs the README’s quick start as it is pasted, in at most 15 lines beside the users', async () => {
      const readme = await readFile('README.md', 'utf8');
      const start = readme.slice(readme.indexOf('## Quick start'), readme.indexOf('## What do I get'));
      const blocks = [...start.matchAll(/^```ts\n(\/\/ (\S+)\n.*?)^```$/gms)].map(([, code, path]) => ({
        name: basename(path!),
        code: code!,
      }));
      await mkdir(join(project, 'src'));
      for (const { name, code } of blocks) await writeFile(join(project, 'src', name), code);
      const lines = blocks.filter(({ name }) => name === 'app.module.ts' || name === 'main.ts');
      expect(
        lines.flatMap(({ code }) => code.split('\n').filter((line) => line.trim() !== '')).length,
      ).toBeLessThanOrEqual(15);

      const [, build] = /<!-- quick start: build -->\n+```sh\n(.*?)^```$/ms.exec(start)!;
      const tsc = build!.split('\n').find((line) => line.startsWith('npx tsc '))!;
      const sources = blocks.map(({ name }) => `src/${name}`);
      await compile(...tsc.replace('npx tsc ', '').replace('src/*.ts', '').trim().split(/ +/), ...sources);
      const app = await runApp(project, 'dist/main.js');
      try {
        const [, commands] = /<!-- quick start: log in -->\n+```sh\n(.*?)^```$/ms.exec(start)!;
        const { stdout } = await run('bash', ['-c', commands!.replaceAll('localhost:3000', `localhost:${app.port}`)], {
          cwd: project,
        });
        expect(stdout).toContain('"user":{"id":"1","email":"ada@example.com","roles":["author"]}');
        expect(stdout).toMatch(/\{"author":"ada@example.com"\}$/);
        await writeAndReadNote(app);
      } finally {
        await app.stop();
      }
    }, 60_000);

    it.each(KINDS)(
      'runs on Express and on Fastify without the peers, in an application of type %s',
      async (kind) => {
        await cp('examples/quick-start', join(project, kind, 'src/quick-start'), { recursive: true });
        await writeApps(
          join(project, kind),
          kind,
          ADAPTERS.map((adapter) => ({ example: 'quick-start', adapter })),
        );
        await transpile(join(project, kind), kind);
        const apps = await runApps(project, `${kind}/dist/apps.js`);
        try {
          expect(apps).toHaveLength(2);
          for (const app of apps) await writeAndReadNote(app);
        } finally {
          // no warning of Node's either, about require() of an ES module
          expect(await apps[0]!.stop()).toBe('');
        }
      },
      60_000,
    );

    describe('and with the optional peers', () => {
      beforeAll(async () => {
        const peers = [...PEERS, ...NEST_PEERS[nest].map((name) => `@nestjs/${name}`), '@fastify/static'];
        await run('npm', ['install', ...QUIET, ...peers], { cwd: project });
      }, 120_000);

      it.each(KINDS)(
        'runs with each of them, in an application of type %s',
        async (kind) => {
          const examples = ['redis', 'postgresql', 'events', 'openapi'];
          for (const example of examples) {
            await cp(`examples/${example}`, join(project, kind, 'src', example), { recursive: true });
          }
          await writeApps(join(project, kind), kind, [
            { example: 'redis', adapter: 'fastify' },
            { example: 'postgresql', adapter: 'express' },
            { example: 'events', adapter: 'fastify' },
            { example: 'quick-start', adapter: 'express', document: true },
          ]);
          await (kind === 'commonjs' ? compile('-p', kind) : transpile(join(project, kind), kind));
          const env = { REDIS_URL: process.env['TEST_REDIS_URL']!, DATABASE_URL: database.url };
          const apps = await runApps(project, `${kind}/dist/apps.js`, env);
          try {
            for (const app of apps) {
              const ada = new BankClient(app.port);
              let login = await logIn(ada);
              // the store may still be connecting
              while (login.status === 503) login = await logIn(ada);
              expect([app.name, login.status]).toEqual([app.name, 200]);
              expect((await ada.get('/auth/session')).json).toMatchObject({ userId: '1', email: ADA.email });
              expect((await ada.post('/auth/logout')).status).toBe(204);
            }
            const { json } = await new BankClient(apps.at(-1)!.port).get('/api-json');
            expect(Object.keys((json as { paths: object }).paths)).toContain('/auth/login');
          } finally {
            await apps[0]!.stop();
          }
        },
        60_000,
      );
    });
  });
});

async function writeAndReadNote(app: PackagedApp): Promise<void> {
  const ada = new BankClient(app.port);
  expect((await ada.get('/notes')).status).toBe(401);
  expect((await logIn(ada)).status).toBe(200);
  expect((await ada.post('/notes', { text: 'hello' })).status).toBe(201);
  expect((await ada.get('/notes')).json).toEqual({ author: ADA.email, lastNote: 'hello' });
  expect((await ada.post('/auth/logout')).status).toBe(204);
  expect((await ada.get('/notes')).status).toBe(401);
}

async function sizeOf(path: string): Promise<number> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async (file) => (await readFile(join(file.parentPath, file.name))).length));
  return sizes.reduce((sum, size) => sum + size, 0);
}
