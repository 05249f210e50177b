import { describe, expect, it } from '@jest/globals';
import type { SessionStore } from '../src/session/session-store.js';
import { MemorySessionStore } from '../src/storage/memory/memory-session-store.js';
import { sessionStoreContract } from '../src/testing/session-store-contract.js';
import { failedTests, withGlobals } from './contract-run.js';
import { STORES_THAT_END_TOO_LITTLE } from './fixtures/broken-session-stores/stores-that-end-too-little.js';
import { STORES_THAT_MIX_REALMS } from './fixtures/broken-session-stores/stores-that-mix-realms.js';
import { STORES_THAT_MISREAD_ACTIVITY } from './fixtures/broken-session-stores/stores-that-misread-activity.js';
import { STORES_THAT_MISREAD_DEVICES } from './fixtures/broken-session-stores/stores-that-misread-devices.js';
import { STORES_THAT_MISREAD_TOKENS } from './fixtures/broken-session-stores/stores-that-misread-tokens.js';
import { STORES_WITH_RACES } from './fixtures/broken-session-stores/stores-with-races.js';

const BROKEN_STORES = {
  ...STORES_WITH_RACES,
  ...STORES_THAT_MISREAD_TOKENS,
  ...STORES_THAT_MISREAD_DEVICES,
  ...STORES_THAT_MISREAD_ACTIVITY,
  ...STORES_THAT_MIX_REALMS,
  ...STORES_THAT_END_TOO_LITTLE,
};

/** The titles of the tests that fail for a store, of those with such titles. */
const failuresOf = (Store: new () => SessionStore, titles?: readonly RegExp[]): Promise<string[]> =>
  failedTests(
    150,
    () => sessionStoreContract('store', async () => ({ store: new Store(), close: async () => undefined })),
    titles,
  );

describe('the session store contract', () => {
  it('holds for the memory store', async () => {
    expect(await failuresOf(MemorySessionStore)).toEqual([]);
  });

  it.each(Object.entries(BROKEN_STORES))('notices a store that %s', async (_, [Store, ...titles]) => {
    const failures = await failuresOf(Store, titles);
    for (const title of titles) expect(failures).toContainEqual(expect.stringMatching(title));
  });

  it('says what is missing where there is no test framework', () => {
    const run = (): void => sessionStoreContract('store', () => Promise.reject(new Error('not reached')));
    expect(() => withGlobals({ describe: undefined, it: undefined }, run)).toThrow(
      expect.objectContaining({ code: 'not_configured' }),
    );
  });
});
