import { jestExpect } from '@jest/expect';
import { ModernFakeTimers } from '@jest/fake-timers';
import { ModuleMocker } from 'jest-mock';

export const moduleMocker = new ModuleMocker(globalThis);

/** The functions of jest-circus that belong to the file that runs now. */
let current = {};
export const setCurrentGlobals = (globals) => void (current = globals);

/** Modules that are loaded once import these once, and mean those of the file that runs now. */
const ofTheCurrentFile = (name) =>
  new Proxy(() => undefined, {
    apply: (_target, _this, values) => current[name](...values),
    get: (_target, key) => current[name][key],
  });

export const [describe, it, test] = ['describe', 'it', 'test'].map(ofTheCurrentFile);
export const [beforeAll, beforeEach, afterEach, afterAll] = ['beforeAll', 'beforeEach', 'afterEach', 'afterAll'].map(
  ofTheCurrentFile,
);
export const expect = jestExpect;

/** @type {ModernFakeTimers} */
let timers;
export const setTimers = (given) => void (timers = given);

const TEST_TIMEOUT = Symbol.for('TEST_TIMEOUT_SYMBOL');

const ofMocker = (name) => moduleMocker[name].bind(moduleMocker);
const ofTimers =
  (name) =>
  (...values) => {
    const answer = timers[name](...values);
    return answer === undefined ? jest : answer;
  };

export const jest = {
  ...Object.fromEntries(
    ['clearAllMocks', 'fn', 'isMockFunction', 'mocked', 'replaceProperty', 'resetAllMocks', 'restoreAllMocks', 'spyOn'].map(
      (name) => [name, ofMocker(name)],
    ),
  ),
  ...Object.fromEntries(
    [
      'advanceTimersByTime',
      'advanceTimersByTimeAsync',
      'clearAllTimers',
      'getTimerCount',
      'runAllTimers',
      'runAllTimersAsync',
      'setSystemTime',
      'useFakeTimers',
      'useRealTimers',
    ].map((name) => [name, ofTimers(name)]),
  ),
  setTimeout(milliseconds) {
    globalThis[TEST_TIMEOUT] = milliseconds;
    return jest;
  },
};

// as `injectGlobals` does
Object.assign(globalThis, { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test });
