import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { moduleMocker, setTestFunctions } from './jest-globals.js';
import { RunningContext } from './running-context.js';
import SharedProcessEnvironment from './shared-process-environment.js';

const require = createRequire(import.meta.url);
const circusPath = require.resolve('jest-circus/runner');
const { default: circus } = require(circusPath);
const requireAsCircus = createRequire(circusPath);
const asyncHooks = require('node:async_hooks');

// what jest-circus leaves on the global object, of which a vm context has its own
const EVENT_HANDLERS = Symbol.for('EVENT_HANDLERS');
const TEST_TIMEOUT = Symbol.for('TEST_TIMEOUT_SYMBOL');
const STATE = 'JEST_STATE_SYMBOL';

/**
 * Runs a test file by jest-circus: in the process where its environment is {@link SharedProcessEnvironment}, in a vm
 * context where the file names another one (`@jest-environment node`).
 */
export default async function runTestFile(globalConfig, config, environment, runtime, testPath, sendMessage) {
  if (!(environment instanceof SharedProcessEnvironment)) {
    return circus(globalConfig, config, environment, runtime, testPath, sendMessage);
  }
  // Jest has installed source maps of its own transformer, which has compiled nothing here
  process.setSourceMapsEnabled(true);
  Error.prepareStackTrace = undefined;
  delete globalThis[EVENT_HANDLERS];
  try {
    return await circus(globalConfig, config, environment, nodeRuntime(testPath), testPath, sendMessage);
  } finally {
    setTestFunctions({});
    delete globalThis[TEST_TIMEOUT];
    for (const symbol of Object.getOwnPropertySymbols(globalThis)) {
      if (symbol.description === STATE) delete globalThis[symbol];
    }
  }
}

/** What jest-circus asks of Jest's module system, by Node's own. */
function nodeRuntime(testPath) {
  return {
    // jest-circus keeps the tests of a file in its modules: each file gets it anew
    requireInternalModule(path) {
      delete requireAsCircus.cache[path];
      const given = Object.getOwnPropertyDescriptor(asyncHooks, 'AsyncLocalStorage');
      Object.defineProperty(asyncHooks, 'AsyncLocalStorage', { configurable: true, value: RunningContext });
      try {
        return requireAsCircus(path);
      } finally {
        Object.defineProperty(asyncHooks, 'AsyncLocalStorage', given);
      }
    },
    requireModule: require,
    setGlobalsForRuntime: setTestFunctions,
    unstable_shouldLoadAsEsm: () => true,
    unstable_importModule(path) {
      const { href } = pathToFileURL(path);
      // a setup file runs before each test file
      return import(path === testPath ? href : `${href}?${encodeURIComponent(testPath)}`);
    },
    clearAllMocks: () => moduleMocker.clearAllMocks(),
    resetAllMocks: () => moduleMocker.resetAllMocks(),
    restoreAllMocks: () => moduleMocker.restoreAllMocks(),
    enterTestCode: () => undefined,
    leaveTestCode: () => undefined,
  };
}
