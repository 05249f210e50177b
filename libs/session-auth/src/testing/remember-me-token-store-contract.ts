import type { RememberMeTokenStore } from '../remember-me/remember-me-token-store.js';
import { deletionTests } from './remember-me-token-store/deletion-contract.js';
import { parallelRaces } from './remember-me-token-store/parallel-races.js';
import { realmTests } from './remember-me-token-store/realm-contract.js';
import { realmEndTests } from './remember-me-token-store/realm-end-contract.js';
import { recordTests } from './remember-me-token-store/record-contract.js';
import { replacementTests } from './remember-me-token-store/replacement-contract.js';
import { storeTests } from './store-tests.js';
import { testFramework } from './test-framework.js';

/** A store made for one test. */
export interface RememberMeTokenStoreUnderTest {
  readonly store: RememberMeTokenStore;
  /** Makes a second instance on the same backend, like another node of the application. */
  readonly another?: () => Promise<RememberMeTokenStore>;
  /** Ends both instances and empties or drops the backend. */
  close(): Promise<void>;
}

/**
 * Declares the tests that every `RememberMeTokenStore` must pass: each sentence of the port's contract, including
 * races. Use it like `sessionStoreContract`.
 *
 * @param name the name of the tests
 * @param makeStore makes the store of one test
 * @throws SessionAuthError `not_configured` without a global `describe` and `it`
 */
export function rememberMeTokenStoreContract(
  name: string,
  makeStore: () => Promise<RememberMeTokenStoreUnderTest>,
): void {
  const framework = testFramework();
  const it = storeTests(framework, makeStore);
  framework.describe(`${name}: remember-me token store contract`, () => {
    framework.describe('keeps records', () => recordTests(it));
    framework.describe('keeps records apart', () => realmTests(it));
    framework.describe('removes records', () => deletionTests(it));
    framework.describe('removes all records of a realm', () => realmEndTests(it));
    framework.describe('replaces validators', () => replacementTests(it));
    framework.describe('is atomic in parallel', () => parallelRaces(it));
  });
}
