import base from './jest.config.js';

/**
 * Next.js in front of the demo, in Chromium. `TEST_NEXT_FROM` names the folder that has Next.js installed and the pages,
 * which are not in the root. `npm run test:stacks -- client-next` does that. It needs no Redis and no PostgreSQL.
 */
export default {
  ...base,
  testMatch: ['<rootDir>/test/client-next/*.e2e-spec.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  globalSetup: '<rootDir>/test/docs-site/global-setup.ts',
  globalTeardown: undefined,
};
