import base from './jest.config.js';

/** The import rules alone, as a part of `npm run lint`: they need no Redis and no PostgreSQL. */
export default {
  ...base,
  testMatch: ['<rootDir>/libs/session-auth/test/architecture.spec.ts'],
  globalSetup: undefined,
  globalTeardown: undefined,
};
