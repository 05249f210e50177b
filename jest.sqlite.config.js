import base from './jest.config.js';

/**
 * What runs over HTTP on every store, on SQLite: `TEST_SQLITE_FROM` names the folder that has `better-sqlite3` installed,
 * which is not in the root. `npm run test:stacks -- sqlite` does that.
 */
export default {
  ...base,
  testMatch: [
    '<rootDir>/test/stores/sqlite/*.e2e-spec.ts',
    '<rootDir>/test/sessions/{account-changes,final-logout,races,repeated-requests}.e2e-spec.ts',
    '<rootDir>/test/sessions/{end-every-session,session-data,session-lifecycle,session-limits,token-rotation}.e2e-spec.ts',
    '<rootDir>/test/remember-me/{remember-me,stolen-tokens,one-device,lost-answers}.e2e-spec.ts',
    '<rootDir>/test/login/{login-throttle,look-alike-accounts,known-devices}.e2e-spec.ts',
    '<rootDir>/test/privacy/personal-data.e2e-spec.ts',
    '<rootDir>/test/events/events.e2e-spec.ts',
  ],
  testPathIgnorePatterns: ['/node_modules/'],
  globalSetup: undefined,
  globalTeardown: undefined,
};
