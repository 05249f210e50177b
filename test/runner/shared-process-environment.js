import { register } from 'node:module';
import { performance } from 'node:perf_hooks';
import { ModernFakeTimers } from '@jest/fake-timers';
import { moduleMocker, setFakeTimers } from './jest-globals.js';

register('./typescript-hooks.js', import.meta.url);

/** What a test file may have replaced parts of. */
const GLOBAL_OBJECTS = [globalThis, process, performance, Math, Date, JSON];

// Not `exit` and the signals: shared modules that end what a file has started listen to these, and have to go on.
const EVENTS = ['uncaughtException', 'unhandledRejection', 'rejectionHandled', 'warning'];

/**
 * A test environment without a vm context: the files of a worker run in its process and share the modules that they
 * load. What a file has changed of the process is put back after it; jest-circus runs it by `shared-process-runner.js`.
 */
export default class SharedProcessEnvironment {
  // what Jest puts here is for the scripts of a vm context
  global = {};
  fakeTimers = null;
  moduleMocker = moduleMocker;
  #console;
  #before;

  constructor({ projectConfig }, { console }) {
    this.#console = console;
    this.fakeTimersModern = new ModernFakeTimers({ config: projectConfig, global: globalThis });
    setFakeTimers(this.fakeTimersModern);
  }

  async setup() {
    this.#before = {
      env: { ...process.env },
      folder: process.cwd(),
      globals: GLOBAL_OBJECTS.map((object) => [object, Object.getOwnPropertyDescriptors(object)]),
      listeners: new Map(EVENTS.map((event) => [event, process.rawListeners(event)])),
    };
    globalThis.console = this.#console;
  }

  async teardown() {
    this.moduleMocker.restoreAllMocks();
    this.fakeTimersModern.dispose();
    if (this.#before === undefined) return;
    const { env, folder, globals, listeners } = this.#before;
    for (const [object, descriptors] of globals) putBack(object, descriptors);
    for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
    Object.assign(process.env, env);
    process.chdir(folder);
    for (const event of EVENTS) {
      const known = new Set(listeners.get(event));
      for (const listener of process.rawListeners(event)) {
        if (!known.has(listener)) process.removeListener(event, listener);
      }
    }
  }

  exportConditions() {
    return ['node', 'node-addons'];
  }

  getVmContext() {
    return null;
  }
}

function putBack(object, descriptors) {
  for (const [name, before] of Object.entries(descriptors)) {
    const now = Object.getOwnPropertyDescriptor(object, name);
    // one that cannot be defined anew cannot have been replaced
    if (!before.configurable || (now?.value === before.value && now?.get === before.get)) continue;
    Object.defineProperty(object, name, before);
  }
}
