import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';
import { startLocalProgram } from './local-program.ts';
import { runningService, type LocalService, type ProgressLog } from './local-service.ts';
import { provisionMariaDb } from './mariadb-provision.ts';

const START_TIMEOUT = 60_000;

export interface LocalMariaDbOptions {
  /** More arguments for the server. */
  args?: readonly string[];
  /**
   * Whether it has accounts with rights: a `root` without a password, and those that it makes. @default false: every
   * user is let in, to everything
   */
  accounts?: boolean;
  /** @default silent */
  log?: ProgressLog;
}

/** A started MariaDB server. */
export interface LocalMariaDb extends LocalService {
  readonly port: number;
  readonly pid: number;
}

/** The server that `MYSQL_URL` names, or one started for this run. */
export async function resolveMariaDb(options: LocalMariaDbOptions = {}): Promise<LocalService> {
  const url = process.env['MYSQL_URL'];
  return url ? runningService(url) : startLocalMariaDb(options);
}

/**
 * Starts a real MariaDB for this run: on a free port of 127.0.0.1, its data in a temporary folder and not synced to
 * disk. Without accounts it has no system tables, so it starts in less than a second and lets every user in. It ends
 * with `stop()` or with this process, whichever comes first.
 *
 * @throws an Error that names every way out when no server can be had
 */
export async function startLocalMariaDb(options: LocalMariaDbOptions = {}): Promise<LocalMariaDb> {
  const { args = [], accounts = false, log = () => undefined } = options;
  const { path } = await provisionMariaDb(log);
  const program = await startLocalProgram({
    path,
    name: 'mariadb',
    argsFor: (port, folder) => {
      if (!accounts) return [...settingsOf(folder, port), '--skip-grant-tables', ...args];
      makeSystemTables(path, folder);
      return [...settingsOf(folder, port), ...args];
    },
    untilItAnswers,
    startTimeout: START_TIMEOUT,
  });
  return { ...program, url: `mysql://root@127.0.0.1:${program.port}` };
}

function settingsOf(folder: string, port: number): string[] {
  return [
    '--no-defaults',
    `--datadir=${folder}`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    `--socket=${join(folder, 'server.sock')}`,
    `--pid-file=${join(folder, 'server.pid')}`,
    // refused to root otherwise, who is told to name a user
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
    '--skip-name-resolve',
    '--max-connections=300',
    '--performance-schema=OFF',
    '--innodb-buffer-pool-size=64M',
    '--innodb-log-file-size=16M',
    '--innodb-flush-log-at-trx-commit=0',
    '--innodb-doublewrite=0',
    '--innodb-flush-method=nosync',
    '--innodb-fast-shutdown=2',
  ];
}

/** Makes the tables of accounts, by the file that comes with the server, and `root`. */
function makeSystemTables(server: string, folder: string): void {
  const shared = ['mysql', 'mariadb'].map((name) => join(dirname(server), '../share', name));
  const files = ['mysql_system_tables.sql', 'mariadb_system_tables.sql'];
  const found = shared.flatMap((each) => files.map((file) => join(each, file))).find((file) => existsSync(file));
  if (found === undefined) throw new Error(`${server} comes without the SQL of its system tables`);
  const root = `INSERT INTO global_priv VALUES ('127.0.0.1', 'root', '{"access":18446744073709551615}');`;
  const input = ['CREATE DATABASE mysql;', 'USE mysql;', readFileSync(found, 'utf8'), root, ''].join('\n');
  execFileSync(server, [...settingsOf(folder, 0), '--innodb-fast-shutdown=1', '--bootstrap'], {
    input,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
}

async function untilItAnswers(port: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    try {
      const connection = await createConnection({ host: '127.0.0.1', port, user: 'root' });
      await connection.query('SELECT 1');
      await connection.end();
      return;
    } catch {
      await pause(50);
    }
  }
}
