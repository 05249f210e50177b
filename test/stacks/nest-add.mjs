import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { edit, editJson, filesOf, logIn, makeProject, run, sessionOf, withApp } from './nest-add-project.mjs';

/*
 * `nest add` in a project as `nest new` makes it: then its own tests run, it is built and started, and the account that
 * was printed logs in.
 */
const MANIFEST = join(import.meta.dirname, 'project/package.json');
const IS_ESM = JSON.parse(readFileSync(MANIFEST, 'utf8')).type === 'module';

function toFastify(folder) {
  edit(
    folder,
    'src/main.ts',
    ['import ', `import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';\nimport `],
    [/NestFactory\.create\((\w+)\)/, 'NestFactory.create<NestFastifyApplication>($1, new FastifyAdapter())'],
  );
  editJson(folder, 'package.json', ({ dependencies }) => {
    dependencies['@nestjs/platform-fastify'] = dependencies['@nestjs/platform-express'];
  });
}

function withConfigModule(folder) {
  edit(folder, 'src/app.module.ts', ['@Module', `import { ConfigModule } from '@nestjs/config';\n\n@Module`]);
  edit(folder, 'src/app.module.ts', ['imports: []', 'imports: [ConfigModule.forRoot()]']);
  editJson(folder, 'package.json', ({ dependencies }) => (dependencies['@nestjs/config'] = '*'));
}

const VARIANTS = [
  { name: 'express', prepare: () => undefined },
  { name: 'fastify', prepare: toFastify },
  { name: 'express-with-config-module', prepare: withConfigModule },
];

for (const { name, prepare } of VARIANTS) {
  test(`nest add, in an application of ${IS_ESM ? 'ES modules' : 'CommonJS'}: ${name}`, async () => {
    const folder = makeProject(name);
    prepare(folder);
    appendFileSync(join(folder, '.env'), 'GREETING="hello"');
    const begun = Date.now();
    const output = run(folder, 'npx', 'nest', 'add', 'nestjs-session-auth', '--skip-install');
    assert.ok(Date.now() - begun < 60_000, 'it takes less than a minute');
    const password = /ada@example\.com, password: (\S+)/.exec(output)[1];
    assert.match(readFileSync(join(folder, '.env'), 'utf8'), /^GREETING="hello"\n[^]*^SESSION_SECRET=[\w-]{43}$/m);
    assert.match(readFileSync(join(folder, '.env.example'), 'utf8'), /^SESSION_SECRET=$/m);
    assert.match(readFileSync(join(folder, '.gitignore'), 'utf8'), /^\.env$/m);
    assert.ok(!Object.values(filesOf(folder)).some((text) => text.includes(password)));

    run(folder, 'npm', 'run', 'build');
    const tests = run(folder, 'npm', 'run', 'test:e2e');
    assert.match(tests, /session-auth\.e2e-spec\.ts/);
    run(folder, 'npm', 'test');
    await withApp(folder, {}, async (url) => {
      const { status, cookie } = await logIn(url, password);
      assert.deepEqual([status, ...(await sessionOf(url, cookie))], [200, 200, 'ada@example.com']);
      assert.equal((await logIn(url, 'wrong')).status, 401);
    });
    // the file with the account may be there by mistake
    await withApp(folder, { NODE_ENV: 'production' }, async (url) => {
      assert.equal((await logIn(url, password)).status, 401);
    });

    const before = filesOf(folder);
    const again = run(folder, 'npx', 'nest', 'add', 'nestjs-session-auth', '--skip-install', '--storage', 'redis');
    assert.doesNotMatch(again, /password/);
    assert.deepEqual(filesOf(folder), before);
  });
}
