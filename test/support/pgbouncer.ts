import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { aptInstall, withoutServiceStart } from '../../src/local-services/apt-install.ts';
import { guardExit } from '../../src/local-services/exit-guard.ts';
import { findFreePort } from '../../src/local-services/free-port.ts';
import { findProgram, isRoot } from '../../src/local-services/machine-programs.ts';

const WAYS_OUT =
  'set PGBOUNCER to the program, or install pgbouncer so that it is on the PATH, or run the tests as root on Debian';

/** A PgBouncer in transaction mode, in front of a PostgreSQL server. */
export interface PgBouncer {
  /** The address of a database of that server, through the pooler. */
  through(databaseUrl: string): string;
  stop(): Promise<void>;
}

/**
 * Starts a PgBouncer that gives its few connections to a transaction each.
 *
 * @param serverUrl the server, and the user that the pooler signs in as
 * @throws an Error that names every way out when there is none
 */
export async function startPgBouncer(serverUrl: string): Promise<PgBouncer> {
  const program = await provision();
  const folder = await mkdtemp(join(tmpdir(), 'pgbouncer-'));
  const port = await findFreePort();
  const settings = join(folder, 'pgbouncer.ini');
  await writeFile(settings, settingsOf(new URL(serverUrl), port));
  // it refuses to run as root, and gives its rights away before it reads this
  await chmod(folder, 0o755);
  const asUser = isRoot() ? ['-u', 'nobody'] : [];
  const child = spawn(program, [...asUser, settings], { stdio: ['ignore', 'pipe', 'pipe'] });
  const unguard = guardExit(() => child.kill('SIGKILL'));
  let output = '';
  const keep = (chunk: Buffer): void => void (output = (output + chunk.toString()).slice(-4_000));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
    unguard();
    await rm(folder, { recursive: true, force: true });
  };
  while (!(await isListening(port))) {
    if (child.exitCode !== null || child.signalCode !== null) {
      await stop();
      throw new Error(`PgBouncer ended while starting:\n${output}`);
    }
    await pause(20);
  }
  const through = (databaseUrl: string): string => {
    const url = new URL(databaseUrl);
    url.host = `127.0.0.1:${port}`;
    return url.href;
  };
  return { through, stop };
}

async function provision(): Promise<string> {
  const present = process.env['PGBOUNCER'] ?? (await findProgram('pgbouncer'));
  if (present) return present;
  if (!isRoot() || (await findProgram('apt-get')) === undefined) {
    throw new Error(`There is no PgBouncer here: ${WAYS_OUT}.`);
  }
  process.stderr.write('No pgbouncer on the PATH: installing it with apt-get.\n');
  const cause: unknown = await withoutServiceStart(() => aptInstall(['pgbouncer'])).catch((error: unknown) => error);
  const installed = await findProgram('pgbouncer');
  if (installed !== undefined) return installed;
  throw new Error(`There is no PgBouncer here, and apt-get could not install one: ${WAYS_OUT}.`, { cause });
}

function settingsOf({ hostname, port, username, password }: URL, listenPort: number): string {
  return `[databases]
* = host=${hostname} port=${port} user=${decodeURIComponent(username)} password=${decodeURIComponent(password)}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${listenPort}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
max_client_conn = 100
`;
}

async function isListening(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
