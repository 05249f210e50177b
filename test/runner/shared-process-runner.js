import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import circusRunner from 'jest-circus/runner';
import { moduleMocker, setCurrentGlobals } from './jest-globals.js';
import SharedProcessEnvironment from './shared-process-environment.js';

const require = createRequire(import.meta.url);
const ofCircus = createRequire(require.resolve('jest-circus/runner'));
const circus = circusRunner.default;
const EVENT_HANDLERS = Symbol.for('EVENT_HANDLERS');
const TEST_TIMEOUT = Symbol.for('TEST_TIMEOUT_SYMBOL');

export default async function runFile(globalConfig, config, environment, runtime, testPath, send) {
  if (!(environment instanceof SharedProcessEnvironment)) {
    return circus(globalConfig, config, environment, runtime, testPath, send);
  }
  process.setSourceMapsEnabled(true);
  Error.prepareStackTrace = undefined;
  delete globalThis[EVENT_HANDLERS];
  delete globalThis[TEST_TIMEOUT];
  try {
    return await circus(globalConfig, config, environment, nodeRuntime(testPath), testPath, send);
  } finally {
    for (const symbol of Object.getOwnPropertySymbols(globalThis)) {
      if (symbol.description === 'JEST_STATE_SYMBOL') delete globalThis[symbol];
    }
    setCurrentGlobals({});
  }
}

/** What jest-circus asks of Jest's module system, by Node's. */
function nodeRuntime(testPath) {
  return {
    requireInternalModule(path) {
      delete ofCircus.cache[path];
      return ofCircus(path);
    },
    requireModule: require,
    setGlobalsForRuntime: setCurrentGlobals,
    unstable_shouldLoadAsEsm: () => true,
    unstable_importModule: (path) =>
      import(path === testPath ? pathToFileURL(path).href : `${pathToFileURL(path).href}?${encodeURIComponent(testPath)}`),
    restoreAllMocks: () => moduleMocker.restoreAllMocks(),
    resetAllMocks: () => moduleMocker.resetAllMocks(),
    clearAllMocks: () => moduleMocker.clearAllMocks(),
    enterTestCode() {},
    leaveTestCode() {},
  };
}
