/** For tests of a CommonJS application by ts-jest, on Node.js below 24.9. @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  testRegex: '\\.e2e-spec\\.ts$',
  setupFiles: ['./environment.ts'],
  transform: {
    '\\.ts$': 'ts-jest',
    // the packages below are ES modules, which this Jest cannot require: ts-jest makes CommonJS of them
    'node_modules/.+\\.m?js$': ['ts-jest', { tsconfig: { allowJs: true } }],
  },
  transformIgnorePatterns: ['/node_modules/(?!(nestjs-session-auth|cookie-es)/)'],
  // sources that import './users.service.js' mean the .ts of that name
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': ['$1.js', '$1'] },
};
