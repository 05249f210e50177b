import { execFile } from 'node:child_process';
import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from '@jest/globals';
import { BankClient } from '../support/bank-client.js';
import { buildDemo } from '../support/build.js';
import { ADA, logIn } from '../support/example-app.js';
import { onceInRun } from '../support/once-in-run.js';
import type { AppKind, PackagedApp } from './packaged-apps.js';

export const run = promisify(execFile);

const QUIET = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];

/** Packs the library as it would be published; returns the path of the tarball. */
export async function packLibrary(): Promise<string> {
  await buildDemo();
  const folder = await onceInRun('package', (destination) =>
    run('npm', ['pack', '--workspace', 'nestjs-session-auth', '--pack-destination', destination]),
  );
  const name = (await readdir(folder)).find((file) => file.endsWith('.tgz'))!;
  return join(folder, name);
}

/** Makes the folder of an application without dependencies, which goes with the run. */
export async function emptyProject(name: string, type: AppKind = 'module'): Promise<string> {
  const project = await mkdtemp(join(process.env['TEST_RUN_FOLDER']!, `${name}-`));
  await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'empty', private: true, type }));
  return project;
}

/** Adds packages to a project, by name and version or tarball, with options of `npm install` among them. */
export async function install(project: string, ...packages: readonly string[]): Promise<void> {
  await run('npm', ['install', ...QUIET, ...packages], { cwd: project });
}

/** Uses an application of the quick start: what is guarded, the login, a note, the logout. */
export async function writeAndReadNote(app: PackagedApp): Promise<void> {
  const ada = new BankClient(app.port);
  expect((await ada.get('/notes')).status).toBe(401);
  expect((await logIn(ada)).status).toBe(200);
  expect((await ada.post('/notes', { text: 'hello' })).status).toBe(201);
  expect((await ada.get('/notes')).json).toEqual({ author: ADA.email, lastNote: 'hello' });
  expect((await ada.post('/auth/logout')).status).toBe(204);
  expect((await ada.get('/notes')).status).toBe(401);
}
