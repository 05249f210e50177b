import { describe, it } from '@jest/globals';
import { MemoryRememberMeTokenStore, MemorySessionStore } from 'nestjs-session-auth';
import { checkModel } from './check-model.js';
import type { Backend } from './system.js';

/*
 * Thousands of random sequences of what clients and operators do, checked against a model that is too simple to be
 * wrong. A failure prints the shortest sequence found and a seed; `MODEL_SEED=<seed> npm test -- test/model` finds it
 * again, `MODEL_RUNS=20000` looks for longer.
 */
describe('sessions and remembered devices in memory', () => {
  it('do what the reference model does', () => checkModel(openMemory, { runs: 2000 }));
});

function openMemory(): Promise<Backend> {
  const stores = { sessions: new MemorySessionStore(), tokens: new MemoryRememberMeTokenStore() };
  return Promise.resolve({
    connect: () => stores,
    tick: 1,
    expiresByItself: false,
    inside: () => Promise.resolve({ records: stores.sessions.size, faults: [] }),
  });
}
