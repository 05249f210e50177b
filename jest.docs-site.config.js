import base from './jest.config.js';

/** What `npm run docs` built, in a browser: `npm run test:docs-site`. It needs no Redis and no PostgreSQL. */
export default {
  ...base,
  testMatch: ['<rootDir>/test/docs-site/*.e2e-spec.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  globalSetup: '<rootDir>/test/docs-site/global-setup.ts',
  globalTeardown: undefined,
};
