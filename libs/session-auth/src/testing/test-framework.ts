import { SessionAuthError } from '../errors/session-auth.error.js';

/** The part of a test framework that the contract suites use, common to Jest, Vitest and Mocha. */
export interface TestFramework {
  readonly describe: (name: string, body: () => void) => void;
  readonly it: (name: string, body: () => Promise<void>) => void;
}

/**
 * Returns the framework that runs the present file, from its globals.
 *
 * @throws SessionAuthError `not_configured` outside of a test file, or when the globals are off
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
