import { SessionAuthError } from '../errors/session-auth.error.js';

/** What the contract suites use of a test framework: the part that Jest, Vitest and Mocha have in common. */
export interface TestFramework {
  readonly describe: (name: string, body: () => void) => void;
  readonly it: (name: string, body: () => Promise<void>) => void;
}

/**
 * The framework that runs the present file, by its globals.
 *
 * @throws SessionAuthError `not_configured` outside of a test file, or where the globals are off
 */
export function testFramework(): TestFramework {
  const { describe, it } = globalThis as Partial<TestFramework>;
  if (describe === undefined || it === undefined) {
    throw new SessionAuthError(
      'not_configured',
      'the contract suites need the globals describe and it: run them in Jest, in Mocha, or in Vitest with globals on',
    );
  }
  return { describe, it };
}
