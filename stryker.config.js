/** The folders of the security core. */
export const MUTATED_FOLDERS = ['crypto', 'cookies', 'session', 'csrf', 'remember-me', 'fingerprint', 'http'];

const { MUTATE: part } = process.env;

/**
 * Mutation testing of the security core: `npm run test:mutation`, of one folder of it with
 * `MUTATE=csrf npm run test:mutation`, of one file with `MUTATE=cookies/sealed-cookie`. See docs/mutation-testing.md.
 *
 * @type {import('@stryker-mutator/api/core').PartialStrykerOptions}
 */
export default {
  testRunner: 'jest',
  testRunnerNodeArgs: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
  plugins: ['@stryker-mutator/jest-runner'],
  jest: { configFile: 'jest.mutation.config.js', enableFindRelatedTests: false },
  coverageAnalysis: 'perTest',
  mutate: (part ? [part] : MUTATED_FOLDERS).map((each) => `libs/session-auth/src/${each}{/!(*.spec),}.ts`),
  ignorePatterns: [
    'dist',
    'bench/dist',
    'bench/node_modules',
    'bench/results',
    'site/build',
    'site/content',
    'site/node_modules',
    'coverage',
    '*.tgz',
  ],
  concurrency: 1,
  timeoutMS: 10_000,
  // a mutant of a constant is judged by all tests of its folder, which takes seconds
  warnings: { slow: false },
  reporters: ['clear-text', 'json', 'html'],
  clearTextReporter: { allowColor: false, allowEmojis: false, logTests: false, reportTests: false },
  jsonReporter: { fileName: `coverage/mutation/${part ?? 'all'}.json` },
  htmlReporter: { fileName: `coverage/mutation/${part ?? 'all'}.html` },
  thresholds: { high: 95, low: 90, break: 90 },
  tempDirName: '.stryker-tmp',
};
