import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/* A project as `nest new` makes it, its commands, its running application, and a browser that logs in. */

const HERE = import.meta.dirname;

/** Copies a project of this folder, with the packages that are installed here. */
export function makeProject(name, template = 'project') {
  const folder = join(HERE, name);
  cpSync(join(HERE, template), folder, { recursive: true });
  // npm installs this package before the CLI calls the schematic
  editJson(folder, 'package.json', (manifest) => (manifest.dependencies['nestjs-session-auth'] = '*'));
  symlinkSync(join(HERE, 'node_modules'), join(folder, 'node_modules'), 'junction');
  return folder;
}

export function editJson(folder, name, change) {
  const value = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  change(value);
  writeFileSync(join(folder, name), `${JSON.stringify(value, undefined, 2)}\n`);
}

export function edit(folder, name, ...changes) {
  const before = readFileSync(join(folder, name), 'utf8');
  const after = changes.reduce((text, [from, to]) => text.replace(from, to), before);
  assert.notEqual(after, before);
  writeFileSync(join(folder, name), after);
}

export function run(folder, program, ...args) {
  const env = { ...process.env };
  for (const name of ['NODE_ENV', 'NODE_OPTIONS', 'NODE_TEST_CONTEXT', 'SESSION_SECRET']) delete env[name];
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, env, encoding: 'utf8', timeout: 300_000 });
  assert.equal(status, 0, `${program} ${args.join(' ')}:\n${stdout}${stderr}`);
  return stdout + stderr;
}

/** The text of every file by its path, without the packages. */
export function filesOf(folder) {
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
export async function withApp(folder, env, use) {
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

/** Logs in with the account of the schematic. Returns the status, and the cookies of the session. */
export async function logIn(url, password) {
  const csrf = await fetch(`${url}/auth/csrf`);
  const login = await fetch(`${url}/auth/login`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-csrf-token': (await csrf.json()).csrfToken,
      cookie: cookiesOf(csrf),
    },
    body: JSON.stringify({ email: 'ada@example.com', password }),
  });
  return { status: login.status, cookie: cookiesOf(login) };
}

function cookiesOf(answer) {
  return answer.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
}

/** The status of the session that cookies name, and the e-mail address of its user. */
export async function sessionOf(url, cookie) {
  const answer = await fetch(`${url}/auth/session`, { headers: { cookie } });
  return [answer.status, (await answer.json()).email];
}
