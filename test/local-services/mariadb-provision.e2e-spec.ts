import { describe, expect, it } from '@jest/globals';
import { startLocalMariaDb } from '../../src/local-services/local-mariadb.js';
import { provisionMariaDb, type MariaDbProbes } from '../../src/local-services/mariadb-provision.js';

const silent = (): void => undefined;

/** A machine that has these programs, and gets the server by apt-get. */
function machine(programs: readonly string[], probes: Partial<MariaDbProbes> = {}): MariaDbProbes {
  const names = new Set(programs);
  return {
    findProgram: (name) => Promise.resolve(names.has(name) ? `/bin/${name}` : undefined),
    isRoot: () => false,
    installWithApt: () => Promise.resolve(void names.add('mariadbd')),
    ...probes,
  };
}

describe('provisionMariaDb', () => {
  it('takes the server that is there', async () => {
    expect(await provisionMariaDb(silent, machine(['mariadbd']))).toEqual({ path: '/bin/mariadbd' });
  });

  it('installs it as root on Debian, and says so', async () => {
    const said: string[] = [];
    const debian = machine(['apt-get'], { isRoot: () => true });
    expect(await provisionMariaDb((line) => void said.push(line), debian)).toEqual({ path: '/bin/mariadbd' });
    expect(said).toEqual(['No mariadbd on the PATH: installing mariadb-server-core with apt-get.']);
  });

  it.each<[string, MariaDbProbes]>([
    ['who is not root', machine(['apt-get'])],
    ['without apt-get', machine([], { isRoot: () => true })],
    [
      'where apt-get fails',
      machine(['apt-get'], { isRoot: () => true, installWithApt: () => Promise.reject(new Error('no network')) }),
    ],
  ])('names every way out to one %s', async (_, probes) => {
    await expect(provisionMariaDb(silent, probes)).rejects.toThrow(
      /MYSQL_URL.*MARIADB_SERVER.*mariadb-server-core.*as root/,
    );
  });
});

describe('startLocalMariaDb', () => {
  it('starts a server that ends with stop, which may be called again', async () => {
    const server = await startLocalMariaDb();
    expect(() => process.kill(server.pid, 0)).not.toThrow();
    await Promise.all([server.stop(), server.stop()]);
    expect(() => process.kill(server.pid, 0)).toThrow('ESRCH');
  });

  it('says what the server said when it ends at once', async () => {
    await expect(startLocalMariaDb({ args: ['--no-such-option'] })).rejects.toThrow(/no-such-option/);
  });
});
