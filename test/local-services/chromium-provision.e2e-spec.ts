import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { provisionChromium, type ChromiumProbes } from '../support/chromium-provision.js';

const silent = (): void => undefined;

const bareMachine: ChromiumProbes = {
  findProgram: () => Promise.resolve(undefined),
  isRoot: () => false,
  installWithApt: () => Promise.reject(new Error('this must not be asked')),
};

/** A machine that has these programs. */
function machine(programs: Iterable<string>, probes: Partial<ChromiumProbes> = {}): ChromiumProbes {
  const names = new Set(programs);
  const findProgram = (name: string): Promise<string | undefined> =>
    Promise.resolve(names.has(name) ? `/bin/${name}` : undefined);
  const installWithApt = (): Promise<void> => Promise.resolve(void names.add('chromium'));
  return { ...bareMachine, findProgram, installWithApt, ...probes };
}

describe('provisionChromium', () => {
  let given: string | undefined;

  beforeEach(() => {
    given = process.env['CHROMIUM_PATH'];
    delete process.env['CHROMIUM_PATH'];
  });
  afterEach(() => {
    if (given !== undefined) process.env['CHROMIUM_PATH'] = given;
    else delete process.env['CHROMIUM_PATH'];
  });

  it('prefers CHROMIUM_PATH to the PATH', async () => {
    process.env['CHROMIUM_PATH'] = '/opt/chrome';
    expect(await provisionChromium(silent, machine(['chromium']))).toBe('/opt/chrome');
  });

  it('prefers chromium to chromium-browser to google-chrome', async () => {
    const all = ['google-chrome', 'chromium-browser', 'chromium'];
    for (const [index, name] of all.entries()) {
      expect(await provisionChromium(silent, machine(all.slice(0, index + 1)))).toBe(`/bin/${name}`);
    }
  });

  it('installs as root where there is apt-get, and says so in one line', async () => {
    const lines: string[] = [];
    const path = await provisionChromium((line) => void lines.push(line), machine(['apt-get'], { isRoot: () => true }));
    expect(path).toBe('/bin/chromium');
    expect(lines).toEqual([expect.stringContaining('installing chromium with apt-get')]);
  });

  it.each([
    ['without any', bareMachine],
    ['of a user who may not install', machine(['apt-get'])],
    ['without apt-get', machine([], { isRoot: () => true })],
    [
      'whose packages cannot be had',
      machine(['apt-get'], { isRoot: () => true, installWithApt: () => Promise.reject(new Error('no network')) }),
    ],
  ])('names every way out on a machine %s', async (_, probes) => {
    const failure = (await provisionChromium(silent, probes).catch((error: unknown) => error)) as Error;
    expect(failure).toBeInstanceOf(Error);
    for (const way of ['CHROMIUM_PATH', 'chromium-browser', 'google-chrome', 'PATH', 'Debian']) {
      expect(failure.message).toContain(way);
    }
    expect(failure.message.split('\n')).toHaveLength(1);
  });
});
