import { jestExpect } from '@jest/expect';
import { ModuleMocker } from 'jest-mock';

/**
 * What `@jest/globals` is in a process whose test files share their modules: the functions of the file that runs now.
 */
export const expect = jestExpect;
export const [describe, it, test] = ['describe', 'it', 'test'].map(ofTheFile);
export const [beforeAll, beforeEach] = ['beforeAll', 'beforeEach'].map(ofTheFile);
export const [afterEach, afterAll] = ['afterEach', 'afterAll'].map(ofTheFile);

export const moduleMocker = new ModuleMocker(globalThis);

const ofMocker = (...names) => names.map((name) => [name, moduleMocker[name].bind(moduleMocker)]);
const ofTimers = (...names) => names.map((name) => [name, (...values) => fakeTimers[name](...values) ?? jest]);

export const jest = Object.fromEntries([
  ...ofMocker('clearAllMocks', 'fn', 'isMockFunction', 'mocked', 'replaceProperty', 'resetAllMocks', 'restoreAllMocks'),
  ...ofMocker('spyOn'),
  ...ofTimers('advanceTimersByTime', 'advanceTimersByTimeAsync', 'advanceTimersToNextTimer', 'clearAllTimers'),
  ...ofTimers('getRealSystemTime', 'getTimerCount', 'now', 'runAllTicks', 'runAllTimers', 'runAllTimersAsync'),
  ...ofTimers('runOnlyPendingTimers', 'runOnlyPendingTimersAsync', 'setSystemTime', 'useFakeTimers', 'useRealTimers'),
  ['setTimeout', (milliseconds) => void (globalThis[Symbol.for('TEST_TIMEOUT_SYMBOL')] = milliseconds)],
]);

// the contract suites of the library look for these
Object.assign(globalThis, { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test });

let testFunctions = {};
/** Begins the next file, with the functions that jest-circus has made for it. */
export const setTestFunctions = (functions) => void (testFunctions = functions);

let fakeTimers;
export const setFakeTimers = (timers) => void (fakeTimers = timers);

/** Loaded once, a module keeps what it has imported: so that is a way to the function, not the function of one file. */
function ofTheFile(name) {
  return new Proxy(() => undefined, {
    apply: (_target, _this, values) => testFunctions[name](...values),
    get: (_target, key) => testFunctions[name]?.[key],
  });
}
