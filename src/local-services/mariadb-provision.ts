import { aptInstall, withoutServiceStart } from './apt-install.ts';
import type { ProgressLog } from './local-service.ts';
import { findProgram, isRoot } from './machine-programs.ts';

/** What can be asked of the machine on the way to a MariaDB server. Tests put their own answers here. */
export interface MariaDbProbes {
  /** The absolute path of a program on the PATH; `MARIADB_SERVER` names that of the server. */
  findProgram(name: string): Promise<string | undefined>;
  isRoot(): boolean;
  installWithApt(): Promise<void>;
}

const PROGRAM = 'mariadbd';

const WAYS_OUT =
  'set MYSQL_URL to a running server (mysql://user:password@host:port), ' +
  'or MARIADB_SERVER to the program mariadbd, ' +
  'or install mariadb-server-core so that mariadbd is on the PATH, ' +
  'or run the tests as root on Debian or Ubuntu';

/**
 * Finds the program of a MariaDB server: the one that `MARIADB_SERVER` names, else one on the PATH, else (root on
 * Debian or Ubuntu) one that apt-get installs. The package is the server without a service: nothing is started.
 *
 * @throws an Error that names every way out when there is none
 */
export async function provisionMariaDb(
  log: ProgressLog,
  probes: MariaDbProbes = machineProbes,
): Promise<{ readonly path: string }> {
  const present = await probes.findProgram(PROGRAM);
  if (present !== undefined) return { path: present };
  if (!probes.isRoot() || (await probes.findProgram('apt-get')) === undefined) {
    throw new Error(`No MariaDB server can be started here: ${WAYS_OUT}.`);
  }
  log('No mariadbd on the PATH: installing mariadb-server-core with apt-get.');
  const cause: unknown = await probes.installWithApt().catch((error: unknown) => error);
  const installed = await probes.findProgram(PROGRAM);
  if (installed !== undefined) return { path: installed };
  throw new Error(`No MariaDB server can be started here, and apt-get could not install one: ${WAYS_OUT}.`, { cause });
}

const machineProbes: MariaDbProbes = {
  async findProgram(name) {
    const named = process.env['MARIADB_SERVER'];
    if (named && name === PROGRAM) return named;
    // Debian puts servers where only root looks
    return (await findProgram(name)) ?? findProgram(name, '/usr/sbin');
  },
  isRoot,
  installWithApt: () => withoutServiceStart(() => aptInstall(['mariadb-server-core'])),
};
