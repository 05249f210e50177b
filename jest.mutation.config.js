import base from './jest.config.js';
import { MUTATED_FOLDERS } from './stryker.config.js';

const { MUTATE: part } = process.env;

/** The judges of mutants: the unit tests beside the sources, which need neither Redis nor PostgreSQL. */
export default {
  ...base,
  // Stryker loads a changed source anew for each run, and has an environment of its own.
  testEnvironment: 'node',
  testRunner: 'jest-circus/runner',
  testMatch: (part ? [part] : MUTATED_FOLDERS).map((each) => `<rootDir>/libs/session-auth/src/${each}{/**/*,}.spec.ts`),
  globalSetup: undefined,
  globalTeardown: undefined,
};
