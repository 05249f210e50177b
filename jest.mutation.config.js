import base from './jest.config.js';
import { MUTATED_FOLDERS } from './stryker.config.js';

const { MUTATE: folder } = process.env;

/** The judges of mutants: the unit tests beside the sources, which need neither Redis nor PostgreSQL. */
export default {
  ...base,
  testMatch: (folder ? [folder] : MUTATED_FOLDERS).map(
    (each) => `<rootDir>/libs/session-auth/src/${each}/**/*.spec.ts`,
  ),
  globalSetup: undefined,
  globalTeardown: undefined,
};
