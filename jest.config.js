/** Compiles one file at a time, with the decorator metadata that Nest's injection reads. */
export const swc = {
  jsc: {
    parser: { syntax: 'typescript', decorators: true, dynamicImport: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    target: 'es2023',
    keepClassNames: true,
  },
  module: { type: 'es6' },
  sourceMaps: 'inline',
};

// Jest's own modules, in a vm context for each file, take eight times as long to load: they are for what needs to look
// into modules or to load changed ones.
const needsOwnModules = process.argv.some((argument) => /^--(collectCoverage|coverage|watch)/.test(argument));

/** @type {import('jest').Config} */
export default {
  testEnvironment: needsOwnModules ? 'node' : '<rootDir>/test/runner/shared-process-environment.js',
  testRunner: '<rootDir>/test/runner/shared-process-runner.js',
  testSequencer: '<rootDir>/test/runner/longest-first.js',
  testMatch: [
    '<rootDir>/libs/**/src/**/*.spec.ts',
    '<rootDir>/libs/**/test/**/*.spec.ts',
    '<rootDir>/src/**/*.spec.ts',
    '<rootDir>/bench/**/*.spec.ts',
    '<rootDir>/test/**/*.e2e-spec.ts',
    '<rootDir>/examples/**/*.e2e-spec.ts',
  ],
  modulePathIgnorePatterns: [
    '<rootDir>/dist/',
    '<rootDir>/bench/(dist|node_modules)/',
    '<rootDir>/site/(build|content|node_modules)/',
    '<rootDir>/libs/[^/]+/dist/',
    '<rootDir>/.stryker-tmp/',
  ],
  // run by jest.sqlite.config.js, where a driver is, by jest.next.config.js, where Next.js is, and by
  // jest.docs-site.config.js, where the site is built
  testPathIgnorePatterns: [
    '/node_modules/',
    '<rootDir>/test/stores/sqlite/',
    '<rootDir>/test/client-next/',
    '<rootDir>/test/docs-site/',
    '<rootDir>/test/stacks/',
  ],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': ['@swc/jest', swc] },
  moduleNameMapper: {
    '^nestjs-session-auth$': '<rootDir>/libs/session-auth/src/index.ts',
    '^nestjs-session-auth/(redis|postgres|mysql|sqlite|typeorm)$':
      '<rootDir>/libs/session-auth/src/storage/$1/index.ts',
    '^nestjs-session-auth/websockets$': '<rootDir>/libs/session-auth/src/websockets/index.ts',
    '^nestjs-session-auth/graphql$': '<rootDir>/libs/session-auth/src/graphql/index.ts',
    '^nestjs-session-auth/client$': '<rootDir>/libs/session-auth/src/client/index.ts',
    '^nestjs-session-auth/passport$': '<rootDir>/libs/session-auth/src/passport/index.ts',
    '^nestjs-session-auth/testing$': '<rootDir>/libs/session-auth/src/testing/index.ts',
    // Mercurius requires @fastify/static, whose own version of it is an ES module, which Jest cannot require on Node 20.
    '^content-disposition$': '<rootDir>/node_modules/content-disposition',
    // TypeScript sources name the file that will exist after the build. Packages do have that file.
    '^(\\.{1,2}/.*)\\.js$': ['$1.js', '$1.ts'],
  },
  // The examples read their secret when they are imported, as applications do.
  setupFilesAfterEnv: ['<rootDir>/examples/testing/environment.ts', '<rootDir>/test/support/each-file.ts'],
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  // More than the two cores that it is meant for: a third of the time, tests wait for what a server or a browser does.
  maxWorkers: 3,
  // A worker that has come so far is replaced after its file.
  workerIdleMemoryLimit: '700MB',
  // Tests end by what they wait for. This ends one that hangs, on however busy a machine.
  testTimeout: 300_000,
  // Only with --coverage.
  coverageProvider: 'v8',
  collectCoverageFrom: ['libs/session-auth/src/**/*.ts', '!**/*.spec.ts', '!**/index.ts'],
  coverageDirectory: 'coverage',
};
