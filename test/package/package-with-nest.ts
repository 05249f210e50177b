import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { BankClient } from '../support/bank-client.js';
import { ADA, logIn } from '../support/example-app.js';
import { emptyProject, install, packLibrary, run, writeAndReadNote } from './package-project.js';
import { runApp, runApps, transpile, writeApps, type AppKind } from './packaged-apps.js';
import { PATIENCE } from '../support/patience.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres-database.js';

const TSC = createRequire(resolve('package.json')).resolve('typescript/bin/tsc');
const ADAPTERS = ['express', 'fastify'] as const;
const KINDS: readonly AppKind[] = ['module', 'commonjs'];
const PEERS = ['ioredis@5', 'typeorm@1', 'pg@8', '@fastify/static'];
const NEST_PEERS = {
  12: ['typeorm@12', 'event-emitter@12', 'swagger@12'],
  11: ['typeorm@11', 'event-emitter@3', 'swagger@11'],
};

/** Defines the tests of the packed library in an application that has one major version of Nest. */
export function testPackageWithNest(nest: 11 | 12): void {
  jest.setTimeout(PATIENCE);

  describe(`the package as it would be published, in an empty project with Nest ${nest}`, () => {
    let project: string;

    const compile = (...options: string[]): Promise<unknown> =>
      run(process.execPath, [TSC, ...options], { cwd: project }).catch((error: unknown) => {
        throw new Error((error as { stdout: string }).stdout);
      });

    beforeAll(async () => {
      project = await emptyProject(`nest${nest}`);
      const ofNest = ['common', 'core', 'platform-express', 'platform-fastify'].map(
        (name) => `@nestjs/${name}@${nest}`,
      );
      await install(project, await packLibrary(), ...ofNest, '@types/node@20', '@types/express@5');
    });

    it('needs none of the optional peers', async () => {
      const installed = await readdir(join(project, 'node_modules'));
      expect(installed).not.toEqual(expect.arrayContaining([expect.stringMatching(/^(ioredis|typeorm|pg)$/)]));
      const ofNest = await readdir(join(project, 'node_modules/@nestjs'));
      expect(ofNest.filter((name) => /swagger|event-emitter|typeorm/.test(name))).toEqual([]);
    });

    it('runs the README’s quick start as it is pasted, in at most 15 lines beside the users', async () => {
      const readme = await readFile('README.md', 'utf8');
      const start = readme.slice(readme.indexOf('## Quick start'), readme.indexOf('### The secret from'));
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
      const lineOf = (beginning: string): string => build!.split('\n').find((line) => line.startsWith(beginning))!;
      await compile(...lineOf('npx tsc ').replace('npx tsc ', '').split(/ +/));
      await run('bash', ['-c', lineOf('node -e ')], { cwd: project });
      const app = await runApp(project, lineOf('node --env-file').split(' ').slice(1));
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
    });

    it.each(KINDS)('runs on Express and on Fastify without the peers, in an application of type %s', async (kind) => {
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
    });

    describe('and with the optional peers', () => {
      let database: TestDatabase;

      beforeAll(async () => {
        database = await createTestDatabase();
        await install(project, ...PEERS, ...NEST_PEERS[nest].map((name) => `@nestjs/${name}`));
      });
      afterAll(() => database.close());

      it.each(KINDS)('runs with each of them, in an application of type %s', async (kind) => {
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
      });
    });
  });
}
