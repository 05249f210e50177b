import { aptInstall } from '../../src/local-services/apt-install.ts';
import type { ProgressLog } from '../../src/local-services/local-service.ts';
import { findProgram, isRoot } from '../../src/local-services/machine-programs.ts';

/** What can be asked of the machine on the way to a Chromium. Tests put their own answers here. */
export interface ChromiumProbes {
  /** The absolute path of a program on the PATH. */
  findProgram(name: string): Promise<string | undefined>;
  isRoot(): boolean;
  installWithApt(): Promise<void>;
}

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome'];

const WAYS_OUT =
  'set CHROMIUM_PATH to the program of a Chromium or Chrome, ' +
  'or install chromium, chromium-browser or google-chrome so that it is on the PATH, ' +
  'or run the tests as root on Debian';

const machineProbes: ChromiumProbes = {
  findProgram,
  isRoot,
  installWithApt: () => aptInstall(['chromium', 'fonts-liberation']),
};

/**
 * The path of a Chromium: of `CHROMIUM_PATH`, else on the PATH, else (root on Debian) one that apt-get installs.
 *
 * @throws an Error that names every way out when there is none
 */
export async function provisionChromium(log: ProgressLog, probes: ChromiumProbes = machineProbes): Promise<string> {
  const named = process.env['CHROMIUM_PATH'];
  if (named) return named;
  const present = await findChromium(probes);
  if (present !== undefined) return present;

  if (!probes.isRoot() || (await probes.findProgram('apt-get')) === undefined) {
    throw new Error(`There is no Chromium here: ${WAYS_OUT}.`);
  }
  log('No chromium, chromium-browser or google-chrome on the PATH: installing chromium with apt-get.');
  const cause: unknown = await probes.installWithApt().catch((error: unknown) => error);
  const installed = await findChromium(probes);
  if (installed !== undefined) return installed;
  throw new Error(`There is no Chromium here, and apt-get could not install one: ${WAYS_OUT}.`, { cause });
}

async function findChromium(probes: ChromiumProbes): Promise<string | undefined> {
  for (const name of PROGRAMS) {
    const path = await probes.findProgram(name);
    if (path !== undefined) return path;
  }
  return undefined;
}
