import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type LaunchOptions,
} from 'playwright-core';

// nothing that talks to anybody but the bank, and nothing that a machine without screen or user lacks
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * Starts the Chromium of this run; each context of it is a device of its own.
 *
 * @param args of its command line, besides those of every run
 * @param without arguments that every run has otherwise
 */
export function launchChromium(args: readonly string[] = [], without: string[] = []): Promise<Browser> {
  return chromium.launch({ ...launchOptions(args), ignoreDefaultArgs: without });
}

/** Starts a Chromium with its profile in a folder: what it keeps over a restart is there when it is started again. */
export function launchPersistentChromium(
  profile: string,
  options: BrowserContextOptions = {},
): Promise<BrowserContext> {
  return chromium.launchPersistentContext(profile, { ...launchOptions(), ...options });
}

function launchOptions(args: readonly string[] = []): LaunchOptions {
  const executablePath = process.env['TEST_CHROMIUM_PATH'];
  if (executablePath === undefined) throw new Error(process.env['TEST_CHROMIUM_MISSING']);
  return { executablePath, args: [...ARGS, ...args] };
}
