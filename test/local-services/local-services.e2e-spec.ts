import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import ts from 'typescript';
import { startLocalPostgres } from '../../src/local-services/local-postgres.ts';
import { resolveRedis, startLocalRedis, type LocalRedisOptions } from '../../src/local-services/local-redis.ts';
import type { LocalService } from '../../src/local-services/local-service.ts';
import { answersPing } from '../../src/local-services/redis-ping.ts';
import { machineProbes, provisionRedis, type RedisProbes } from '../../src/local-services/redis-provision.ts';

const started: LocalService[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((service) => service.stop()));
});

describe('the services of the test run', () => {
  it('offer a Redis', async () => {
    const client = new Redis(process.env['TEST_REDIS_URL']!);
    expect(await client.ping()).toBe('PONG');
    await client.quit();
  });

  it('offer a PostgreSQL', async () => {
    expect(await query(process.env['TEST_DATABASE_URL']!, 'select 1 as one')).toEqual([{ one: 1 }]);
  });
});

describe('startLocalRedis', () => {
  async function start(options?: LocalRedisOptions) {
    const redis = await startLocalRedis(options);
    started.push(redis);
    return redis;
  }

  it('responds to PING as soon as it has started, and persists nothing', async () => {
    const { url, port } = await start();
    expect(url).toBe(`redis://127.0.0.1:${port}`);
    expect(await answersPing(port)).toBe(true);

    const client = new Redis(url);
    expect(await client.config('GET', 'save')).toEqual(['save', '']);
    expect(await client.config('GET', 'appendonly')).toEqual(['appendonly', 'no']);
    expect(await client.config('GET', 'bind')).toEqual(['bind', '127.0.0.1']);
    await client.quit();
  });

  it('leaves nothing after stop: process, port and folder', async () => {
    const redis = await start();
    const client = new Redis(redis.url);
    const [, folder] = (await client.config('GET', 'dir')) as [string, string];
    await client.quit();
    expect(existsSync(folder)).toBe(true);

    await redis.stop();

    if (redis.pid !== undefined) expect(isAlive(redis.pid)).toBe(false);
    expect(await isListening(redis.port)).toBe(false);
    expect(existsSync(folder)).toBe(false);
    await redis.stop();
  });

  it('runs two servers side by side that share nothing', async () => {
    const [one, two] = await Promise.all([start(), start()]);
    expect(one.port).not.toBe(two.port);

    const clients = [new Redis(one.url), new Redis(two.url)] as const;
    await clients[0].set('key', 'value');
    expect(await clients[1].get('key')).toBeNull();
    await Promise.all(clients.map((client) => client.quit()));

    await one.stop();
    expect(await answersPing(two.port)).toBe(true);
  });

  it('passes further arguments to the server', async () => {
    const { url } = await start({ args: ['--maxmemory-policy', 'noeviction', '--requirepass', 'secret'] });
    const client = new Redis(url, { password: 'secret' });
    expect(await client.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
    await client.quit();
  });

  it('reports what the server said when it does not start', async () => {
    await expect(startLocalRedis({ args: ['--no-such-setting', '1'] })).rejects.toThrow(
      /ended while starting:.*no-such/s,
    );
  });

  it('starts nothing when REDIS_URL names a server', async () => {
    const previous = process.env['REDIS_URL'];
    process.env['REDIS_URL'] = 'redis://elsewhere:6379';
    try {
      const service = await resolveRedis({ probes: { ...bareMachine, findProgram: () => neverAsked() } });
      expect(service.url).toBe('redis://elsewhere:6379');
      await service.stop();
    } finally {
      if (previous === undefined) delete process.env['REDIS_URL'];
      else process.env['REDIS_URL'] = previous;
    }
  });

  describe('when the process that started it ends', () => {
    const wait = 'process.send(redis.port); setInterval(() => {}, 1_000);';
    let folder: string;

    beforeAll(async () => {
      folder = await compileLocalServices();
    });
    afterAll(() => rm(folder, { recursive: true }));

    it.each([
      { end: 'by SIGTERM', script: wait, kill: 'SIGTERM' as const },
      { end: 'by SIGINT', script: wait, kill: 'SIGINT' as const },
      { end: 'by process.exit()', script: 'process.send(redis.port, () => process.exit(0));' },
      { end: 'by an uncaught error', script: 'process.send(redis.port, () => { throw new Error("crash"); });' },
    ])('$end, it ends too, and the signal is not swallowed', async ({ script, kill }) => {
      const start = "import { startLocalRedis } from './local-redis.js';\nconst redis = await startLocalRedis();\n";
      await writeFile(join(folder, 'main.js'), start + script);
      const child = spawn(process.execPath, ['main.js'], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
      child.stderr!.resume();
      const exited = once(child, 'exit');
      const [port] = (await once(child, 'message')) as [number];
      if (kill !== undefined) child.kill(kill);
      const [, signal] = (await exited) as [number | null, string | null];
      expect(signal).toBe(kill ?? null);
      await untilTrue(async () => !(await isListening(port)));
    });
  });
});

describe('provisionRedis', () => {
  const silent = (): void => undefined;

  it('names every way out on a machine without any', async () => {
    const failure = await provisionRedis(silent, bareMachine).catch((error: unknown) => error as Error);
    expect(failure).toBeInstanceOf(Error);
    const { message } = failure as Error;
    for (const way of ['REDIS_URL', 'redis-server', 'valkey-server', 'PATH', 'Docker']) expect(message).toContain(way);
    expect(message.split('\n')).toHaveLength(1);
  });

  it('prefers a program on the PATH, redis-server before valkey-server', async () => {
    const machine = (programs: string[]): RedisProbes => ({
      ...bareMachine,
      findProgram: (name) => Promise.resolve(programs.includes(name) ? `/bin/${name}` : undefined),
      installWithApt: () => neverAsked(),
      dockerEngineAnswers: () => neverAsked(),
    });
    expect(await provisionRedis(silent, machine(['redis-server', 'valkey-server']))).toEqual({
      kind: 'program',
      path: '/bin/redis-server',
    });
    expect(await provisionRedis(silent, machine(['valkey-server']))).toEqual({
      kind: 'program',
      path: '/bin/valkey-server',
    });
  });

  it('takes the program that REDIS_SERVER names, such as a Valkey that is not on the PATH', async () => {
    const before = process.env['REDIS_SERVER'];
    process.env['REDIS_SERVER'] = '/opt/valkey/bin/valkey-server';
    try {
      const probes = { ...bareMachine, findProgram: (name: string) => machineProbes.findProgram(name) };
      const provision = await provisionRedis(silent, probes);
      expect(provision).toEqual({ kind: 'program', path: '/opt/valkey/bin/valkey-server' });
    } finally {
      if (before === undefined) delete process.env['REDIS_SERVER'];
      else process.env['REDIS_SERVER'] = before;
    }
  });

  it('installs as root where there is apt-get, and says so in one line', async () => {
    const programs = new Set(['apt-get']);
    const lines: string[] = [];
    const provision = await provisionRedis((line) => void lines.push(line), {
      ...bareMachine,
      isRoot: () => true,
      findProgram: (name) => Promise.resolve(programs.has(name) ? `/usr/bin/${name}` : undefined),
      installWithApt: () => Promise.resolve(void programs.add('redis-server')),
    });
    expect(provision).toEqual({ kind: 'program', path: '/usr/bin/redis-server' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('redis-server');
  });

  it('never installs when it is not root', async () => {
    const machine: RedisProbes = {
      ...bareMachine,
      findProgram: (name) => Promise.resolve(name === 'apt-get' ? '/usr/bin/apt-get' : undefined),
      installWithApt: () => neverAsked(),
    };
    await expect(provisionRedis(silent, machine)).rejects.toThrow('REDIS_URL');
  });

  it('falls back to Docker, also when the installation fails', async () => {
    const lines: string[] = [];
    const machine: RedisProbes = {
      findProgram: (name) => Promise.resolve(name === 'apt-get' ? '/usr/bin/apt-get' : undefined),
      isRoot: () => true,
      installWithApt: () => Promise.reject(new Error('no network')),
      dockerEngineAnswers: () => Promise.resolve(true),
    };
    expect(await provisionRedis((line) => void lines.push(line), machine)).toEqual({ kind: 'docker' });
    const failure = provisionRedis(silent, { ...machine, dockerEngineAnswers: () => Promise.resolve(false) });
    await expect(failure).rejects.toMatchObject({ cause: new Error('no network') });
    await expect(failure).rejects.toThrow('REDIS_URL');
  });
});

describe('startLocalPostgres', () => {
  it('runs an own UTF-8 server quietly, and is gone after stop', async () => {
    const hooks = process.listenerCount('SIGTERM');
    const postgres = await startLocalPostgres();
    started.push(postgres);

    const rows = await query(
      postgres.url,
      `select current_setting('server_encoding') as encoding, current_setting('data_directory') as folder`,
    );
    const [{ encoding, folder }] = rows as [{ encoding: string; folder: string }];
    expect(encoding).toBe('UTF8');
    expect(postgres.url).not.toBe(process.env['TEST_DATABASE_URL']);
    expect(isAlive(postgres.pid)).toBe(true);

    await postgres.stop();

    expect(isAlive(postgres.pid)).toBe(false);
    expect(await isListening(postgres.port)).toBe(false);
    expect(existsSync(folder)).toBe(false);
    expect(process.listenerCount('SIGTERM')).toBe(hooks);
  });
});

describe('answersPing', () => {
  it('does not mistake a server of another protocol for Redis', async () => {
    const server = createServer((_request, response) => void response.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    expect(await answersPing((server.address() as AddressInfo).port)).toBe(false);
    server.close();
  });
});

const bareMachine: RedisProbes = {
  findProgram: () => Promise.resolve(undefined),
  isRoot: () => false,
  installWithApt: () => neverAsked(),
  dockerEngineAnswers: () => Promise.resolve(false),
};

function neverAsked(): never {
  throw new Error('This must not be asked');
}

async function query(url: string, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => resolve(socket.destroy() !== undefined));
    socket.once('error', () => resolve(false));
  });
}

async function untilTrue(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(20);
}

/** Plain JavaScript of `src/local-services`, for a process of its own. */
async function compileLocalServices(): Promise<string> {
  const source = join(import.meta.dirname, '../../src/local-services');
  const folder = await mkdtemp(join(tmpdir(), 'local-services-'));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  for (const file of (await readdir(source)).filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'))) {
    const { outputText } = ts.transpileModule(await readFile(join(source, file), 'utf8'), {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2023,
        rewriteRelativeImportExtensions: true,
      },
    });
    await writeFile(join(folder, file.replace(/\.ts$/, '.js')), outputText);
  }
  return folder;
}
