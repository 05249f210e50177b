import { accountContract } from './session-store/account-contract.js';
import { activityContract } from './session-store/activity-contract.js';
import { admissionContract } from './session-store/admission-contract.js';
import { dataContract } from './session-store/data-contract.js';
import { deviceContract } from './session-store/device-contract.js';
import { endingContract } from './session-store/ending-contract.js';
import { endingRaces } from './session-store/ending-races.js';
import { listingContract } from './session-store/listing-contract.js';
import { openBackend, type MakeSessionStore } from './session-store/backend.js';
import { parallelLogins } from './session-store/parallel-logins.js';
import { parallelRaces } from './session-store/parallel-races.js';
import { realmContract } from './session-store/realm-contract.js';
import { realmEndContract } from './session-store/realm-end-contract.js';
import { recordContract } from './session-store/record-contract.js';
import { rotationContract } from './session-store/rotation-contract.js';
import { rotationRaces } from './session-store/rotation-races.js';
import { tokenContract } from './session-store/token-contract.js';
import type { ContractTests } from './session-store/contract-tests.js';
import { testFramework } from './test-framework.js';
import { userIsolationContract } from './session-store/user-isolation-contract.js';

const PARTS: readonly (readonly [string, (tests: ContractTests) => void])[] = [
  ['keeps records', recordContract],
  ['keeps users apart', userIsolationContract],
  ['keeps realms apart', realmContract],
  ['admits under a limit', admissionContract],
  ['shares and replaces sessions of a device', deviceContract],
  ['follows activity and enforces expiry', activityContract],
  ['merges data', dataContract],
  ['rotates by compare-and-set', rotationContract],
  ['honours the tokens of a session', tokenContract],
  ['lists by pages', listingContract],
  ['ends sessions', endingContract],
  ['ends all sessions of a realm', realmEndContract],
  ['changes accounts', accountContract],
  ['admits in parallel', parallelLogins],
  ['is atomic in parallel', parallelRaces],
  ['rotates in parallel', rotationRaces],
  ['never revives an ended session', endingRaces],
];

/**
 * Declares the tests that every `SessionStore` must pass: each sentence of the port's contract, including races.
 *
 * Call it in a test file of Jest, Mocha, or Vitest with `globals: true`. It declares one `describe` block. Each test
 * makes a store, passes all times explicitly, and closes it; nothing sleeps. Races also run over `another` if given,
 * which detects steps that are not atomic between two nodes: provide it for every store that nodes share. Some tests
 * send hundreds of calls: allow them 30 seconds on a slow backend. Nothing else may use the backend meanwhile,
 * including other test files, because the tests choose the times at which records expire.
 *
 * @param name the name of the tests
 * @param makeStore makes the store of one test; its backend is empty, or holds at most what earlier tests left
 * @throws SessionAuthError `not_configured` without a global `describe` and `it`
 */
export function sessionStoreContract(name: string, makeStore: MakeSessionStore): void {
  const framework = testFramework();
  const tests: ContractTests = {
    it: (title, body) =>
      framework.it(title, async () => {
        const { backend, close } = await openBackend(makeStore);
        try {
          await body(backend);
        } finally {
          await close();
        }
      }),
  };
  framework.describe(`${name}: session store contract`, () => {
    for (const [title, part] of PARTS) framework.describe(title, () => part(tests));
  });
}
