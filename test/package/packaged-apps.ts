import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import ts from 'typescript';
import { findFreePort } from '../../src/local-services/free-port.ts';
import { send } from '../support/bank-client.js';

export type AppKind = 'module' | 'commonjs';

/** An example to run on an adapter. */
export interface AppToRun {
  readonly example: string;
  readonly adapter: 'express' | 'fastify';
  /** Serve the OpenAPI document of examples/openapi as well. */
  readonly document?: boolean;
}

/** One that runs; all of a process end together. */
export interface PackagedApp {
  readonly name: string;
  readonly port: number;
  /** Ends the process; answers what it had printed to standard error. */
  stop(): Promise<string>;
}

/** Writes a program that runs examples side by side, in TypeScript that becomes ES modules or CommonJS. */
export async function writeApps(folder: string, kind: AppKind, apps: readonly AppToRun[]): Promise<void> {
  await mkdir(join(folder, 'src'), { recursive: true });
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    types: ['node'],
    strict: true,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    outDir: 'dist',
    rootDir: 'src',
    skipLibCheck: true,
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src'] }));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: kind }));
  const source = `
    import type { INestApplication } from '@nestjs/common';
    import { NestFactory } from '@nestjs/core';
    import { ExpressAdapter } from '@nestjs/platform-express';
    import { FastifyAdapter } from '@nestjs/platform-fastify';
    ${apps.map(({ example }, index) => `import { AppModule as App${index} } from './${example}/app.module.js';`).join('\n')}
    ${apps.some(({ document }) => document) ? `import { serveApiDocument } from './openapi/api-document.js';` : ''}

    async function listen(app: INestApplication): Promise<string> {
      await app.listen(0, '127.0.0.1');
      return new URL(await app.getUrl()).port;
    }

    async function run(): Promise<void> {
      const ports: string[] = [];
      let app: INestApplication;
      ${apps
        .map(
          ({ adapter, document }, index) => `
      app = await NestFactory.create(App${index}, new ${adapter === 'fastify' ? 'FastifyAdapter' : 'ExpressAdapter'}(), { logger: ['error'] });
      ${document ? 'serveApiDocument(app);' : ''}
      ports.push(await listen(app));`,
        )
        .join('')}
      console.log(JSON.stringify(ports));
    }
    void run();
  `;
  await writeFile(join(folder, 'src/apps.ts'), source);
}

/** Builds a program of {@link writeApps} without a look at its types, which takes a hundredth of the time. */
export async function transpile(folder: string, kind: AppKind): Promise<void> {
  const module = kind === 'module' ? ts.ModuleKind.ES2022 : ts.ModuleKind.CommonJS;
  const target = ts.ScriptTarget.ES2023;
  for (const entry of await readdir(join(folder, 'src'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const { outputText } = ts.transpileModule(await readFile(path, 'utf8'), {
      compilerOptions: { module, target, experimentalDecorators: true, emitDecoratorMetadata: true },
    });
    const output = join(folder, 'dist', relative(join(folder, 'src'), path)).replace(/\.ts$/, '.js');
    await mkdir(dirname(output), { recursive: true });
    await writeFile(output, outputText);
  }
}

/** Runs a built program of {@link writeApps}. */
export async function runApps(
  project: string,
  program: string,
  env: Record<string, string> = {},
): Promise<PackagedApp[]> {
  const { child, stop, errors } = spawnProgram(project, [program], env);
  for await (const line of createInterface({ input: child.stdout })) {
    const ports = JSON.parse(line) as string[];
    return ports.map((port, index) => ({ name: `${program} ${index}`, port: Number(port), stop }));
  }
  throw new Error(`${program} ended:\n${errors()}`);
}

/**
 * Runs a built application that takes its port from the environment and its secret from a file, and waits until it
 * responds.
 *
 * @param command the arguments of Node.js
 */
export async function runApp(project: string, command: readonly string[]): Promise<PackagedApp> {
  const port = await findFreePort();
  const env = { PORT: String(port), SESSION_SECRET: undefined };
  const { child, stop, errors } = spawnProgram(project, command, env);
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`${command.join(' ')} ended:\n${errors()}`);
    await delay(50);
  }
  return { name: command.join(' '), port, stop };
}

interface Spawned {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly errors: () => string;
  readonly stop: () => Promise<string>;
}

function spawnProgram(
  project: string,
  command: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Spawned {
  const child = spawn(process.execPath, command, {
    cwd: project,
    env: { ...process.env, NODE_OPTIONS: '', SESSION_SECRET: 'a secret that is quite long enough for this', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const stop = async (): Promise<string> => {
    child.kill('SIGTERM');
    await exited;
    return errors;
  };
  return { child, stop, errors: () => errors };
}

async function answers(port: number): Promise<boolean> {
  return send(port, 'GET', '/').then(
    () => true,
    () => false,
  );
}
