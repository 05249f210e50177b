import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'node:test';

/*
 * `nest add` in a project as `nest new` makes it: then its own tests run, it is built and started, and the account that
 * was printed logs in.
 */
const HERE = import.meta.dirname;
const IS_ESM = JSON.parse(readFileSync(join(HERE, 'project/package.json'), 'utf8')).type === 'module';

/** A copy of the project, with the packages that are installed here. */
function makeProject(name) {
  const folder = join(HERE, name);
  cpSync(join(HERE, 'project'), folder, { recursive: true });
  // npm installs this package before the CLI calls the schematic
  editJson(folder, 'package.json', (manifest) => (manifest.dependencies['nestjs-session-auth'] = '*'));
  symlinkSync(join(HERE, 'node_modules'), join(folder, 'node_modules'), 'junction');
  return folder;
}

function editJson(folder, name, change) {
  const value = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  change(value);
  writeFileSync(join(folder, name), `${JSON.stringify(value, undefined, 2)}\n`);
}

function edit(folder, name, ...changes) {
  const before = readFileSync(join(folder, name), 'utf8');
  const after = changes.reduce((text, [from, to]) => text.replace(from, to), before);
  assert.notEqual(after, before);
  writeFileSync(join(folder, name), after);
}

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

function run(folder, program, ...args) {
  const env = {
    ...process.env,
    NODE_ENV: '',
    NODE_OPTIONS: '',
    SESSION_SECRET: undefined,
    NODE_TEST_CONTEXT: undefined,
  };
  delete env.NODE_ENV;
  delete env.SESSION_SECRET;
  delete env.NODE_TEST_CONTEXT;
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, env, encoding: 'utf8', timeout: 300_000 });
  assert.equal(status, 0, `${program} ${args.join(' ')}:\n${stdout}${stderr}`);
  return stdout + stderr;
}

/** The text of every file by its path, without the packages. */
function filesOf(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((each) => each.isFile() && !each.parentPath.includes('node_modules'));
  return Object.fromEntries(
    files.map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name), 'utf8')]),
  );
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Runs the built application until `use` is done. */
async function withApp(folder, env, use) {
  const port = await freePort();
  const child = spawn(process.execPath, [builtMain(folder)], {
    cwd: folder,
    env: { PATH: process.env.PATH, PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const exited = once(child, 'exit');
  const url = `http://localhost:${port}`;
  try {
    while (
      !(await fetch(url).then(
        () => true,
        () => false,
      ))
    ) {
      if (child.exitCode !== null) throw new Error(`it ended:\n${output}`);
      await delay(50);
    }
    return await use(url);
  } finally {
    child.kill();
    await exited;
  }
}

function builtMain(folder) {
  return ['dist/main.js', 'dist/src/main.js'].find((each) => readdirSync(folder, { recursive: true }).includes(each));
}

/** The status of a login, and of what its session opens. */
async function logIn(url, password) {
  const csrf = await fetch(`${url}/auth/csrf`);
  const cookieOf = (answer) =>
    answer.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ');
  const login = await fetch(`${url}/auth/login`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-csrf-token': (await csrf.json()).csrfToken,
      cookie: cookieOf(csrf),
    },
    body: JSON.stringify({ email: 'ada@example.com', password }),
  });
  if (login.status !== 200) return [login.status];
  const session = await fetch(`${url}/auth/session`, { headers: { cookie: cookieOf(login) } });
  return [login.status, session.status, (await session.json()).email];
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
      assert.deepEqual(await logIn(url, password), [200, 200, 'ada@example.com']);
      assert.deepEqual(await logIn(url, 'wrong'), [401]);
    });
    // the file with the account may be there by mistake
    await withApp(folder, { NODE_ENV: 'production' }, async (url) => {
      assert.deepEqual(await logIn(url, password), [401]);
    });

    const before = filesOf(folder);
    const again = run(folder, 'npx', 'nest', 'add', 'nestjs-session-auth', '--skip-install', '--storage', 'redis');
    assert.doesNotMatch(again, /password/);
    assert.deepEqual(filesOf(folder), before);
  });
}
