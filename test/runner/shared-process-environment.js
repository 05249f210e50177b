import { register } from 'node:module';
import { ModernFakeTimers } from '@jest/fake-timers';
import { moduleMocker, setTimers } from './jest-globals.js';

register('./typescript-hooks.js', import.meta.url);

export default class SharedProcessEnvironment {
  // what Jest puts here concerns its vm contexts
  global = {};
  moduleMocker = moduleMocker;
  fakeTimers = null;

  constructor({ projectConfig }, { console }) {
    this.console = console;
    this.fakeTimersModern = new ModernFakeTimers({ config: projectConfig, global: globalThis });
    setTimers(this.fakeTimersModern);
  }

  async setup() {
    this.env = { ...process.env };
    this.realConsole = globalThis.console;
    globalThis.console = this.console;
    this.listeners = new Map(process.eventNames().map((name) => [name, process.rawListeners(name)]));
  }

  async teardown() {
    this.fakeTimersModern.dispose();
    globalThis.console = this.realConsole;
    for (const name of Object.keys(process.env)) if (!(name in this.env)) delete process.env[name];
    Object.assign(process.env, this.env);
    for (const name of process.eventNames()) {
      const before = new Set(this.listeners?.get(name));
      for (const listener of process.rawListeners(name)) if (!before.has(listener)) process.removeListener(name, listener);
    }
  }

  exportConditions() {
    return ['node', 'node-addons'];
  }

  getVmContext() {
    return null;
  }
}
