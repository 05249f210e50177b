import { ListeningNodes } from './session-link/heard-signals.js';
import type { LinkTests } from './session-link/link-tests.js';
import { toldChanges } from './session-link/told-changes.js';
import { toldEnds } from './session-link/told-ends.js';
import { toldInParallel } from './session-link/told-in-parallel.js';
import type { MakeSessionStore } from './session-store/backend.js';
import { testFramework } from './test-framework.js';

/**
 * Declares the tests that the `SessionLink` of every store must pass: each sentence of the port's contract, except
 * those about lost connections.
 *
 * Call it like `sessionStoreContract`, with stores that have a link. With `another`, both nodes listen, and operations
 * alternate between them. The tests wait long for signals, and never sleep.
 *
 * @param name the name of the tests
 * @param makeStore makes the store of one test
 * @throws SessionAuthError `not_configured` without a global `describe` and `it`
 */
export function sessionLinkContract(name: string, makeStore: MakeSessionStore): void {
  const framework = testFramework();
  const tests: LinkTests = {
    it: (title, body) =>
      framework.it(title, async () => {
        const made = await makeStore();
        let nodes: ListeningNodes | undefined;
        try {
          const stores = made.another === undefined ? [made.store] : [made.store, await made.another()];
          nodes = await ListeningNodes.open(stores);
          await body({ store: made.store, node: (turn) => stores[turn % stores.length]!, nodes });
        } finally {
          await nodes?.close();
          await made.close();
        }
      }),
  };
  framework.describe(`${name}: session link contract`, () => {
    framework.describe('reports ends', () => toldEnds(tests));
    framework.describe('reports changes', () => toldChanges(tests));
    framework.describe('reports in parallel', () => toldInParallel(tests));
  });
}
