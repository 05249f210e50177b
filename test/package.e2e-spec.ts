import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { findFreePort } from '../src/local-services/free-port.ts';
import { BankClient } from './support/bank-client.js';
import { buildDemo } from './support/build.js';

const run = promisify(execFile);
const TSC = createRequire(resolve('package.json')).resolve('typescript/bin/tsc');

const TSCONFIG = {
  compilerOptions: {
    target: 'es2023',
    module: 'nodenext',
    types: ['node'],
    strict: true,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    outDir: 'dist',
    rootDir: 'src',
    skipLibCheck: true,
  },
  include: ['src'],
};

describe('the package as it would be published', () => {
  let folder: string;
  let tarball: string;

  beforeAll(async () => {
    await buildDemo();
    folder = await mkdtemp(join(tmpdir(), 'package-'));
    await run('npm', ['pack', '--workspace', 'nestjs-session-auth', '--pack-destination', folder]);
    tarball = join(
      folder,
      (await readdir(folder)).find((name) => name.endsWith('.tgz'))!,
    );
  }, 120_000);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('holds the build, the licence and nothing else', async () => {
    const { stdout } = await run('tar', ['-tzf', tarball]);
    const files = stdout.trim().split('\n');
    expect(files).toEqual(expect.arrayContaining(['package/package.json', 'package/LICENSE', 'package/dist/index.js']));
    const others = files.filter(
      (file) => !/^package\/(package\.json|LICENSE|README\.md|dist\/.*\.(js|d\.ts|js\.map))$/.test(file),
    );
    expect(others).toEqual([]);
    expect(files.filter((file) => file.includes('.spec.'))).toEqual([]);
  });

  it.each(['12', '11'])(
    'runs the quick start in an empty project with Nest %s, without the optional peers',
    async (nest) => {
      const project = await mkdtemp(join(folder, `nest${nest}-`));
      await cp('examples/quick-start', join(project, 'src'), { recursive: true });
      await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }));
      await writeFile(join(project, 'tsconfig.json'), JSON.stringify(TSCONFIG));
      const packages = ['common', 'core', 'platform-express'].map((name) => `@nestjs/${name}@${nest}`);
      const install = ['install', '--no-audit', '--no-fund', '--prefer-offline', tarball, ...packages];
      await run('npm', [...install, 'reflect-metadata', 'rxjs', '@types/node@20'], { cwd: project });
      for (const peer of ['ioredis', 'typeorm', 'pg']) {
        expect(await readdir(join(project, 'node_modules'))).not.toContain(peer);
      }
      await run(process.execPath, [TSC, '-p', '.'], { cwd: project });

      const app = await start(project);
      try {
        const ada = new BankClient(app.port);
        expect((await ada.get('/notes')).status).toBe(401);
        const login = await ada.post('/auth/login', {
          email: 'ada@example.com',
          password: 'correct horse battery staple',
        });
        expect([login.status, login.json]).toEqual([200, expect.objectContaining({ csrfToken: expect.any(String) })]);
        expect((await ada.post('/notes', { text: 'hello' })).status).toBe(201);
        expect((await ada.get('/notes')).json).toEqual({ author: 'ada@example.com', lastNote: 'hello' });
        expect((await ada.post('/auth/logout')).status).toBe(204);
        expect((await ada.get('/notes')).status).toBe(401);
      } finally {
        await app.stop();
      }
    },
    240_000,
  );
});

async function start(project: string): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const port = await findFreePort();
  const child = spawn(process.execPath, ['dist/main.js'], {
    cwd: project,
    env: { ...process.env, PORT: String(port), SESSION_SECRET: 'a secret that is quite long enough for this' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(child, 'exit');
  let hasEnded = false;
  void exited.then(() => (hasEnded = true));
  while (!(await answers(port))) {
    if (hasEnded) throw new Error(`the application ended:\n${output}`);
    await delay(50);
  }
  return {
    port,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function answers(port: number): Promise<boolean> {
  return new BankClient(port).get('/notes').then(
    () => true,
    () => false,
  );
}
