import type { TestFramework } from './test-framework.js';

/** A store made for one test. */
interface MadeStore<Store> {
  readonly store: Store;
  readonly another?: () => Promise<Store>;
  close(): Promise<void>;
}

/** The body of a test. `node` returns the stores of the nodes in turn: there are two if a second one can be made. */
export type StoreTest<Store> = (store: Store, node: (turn: number) => Store) => Promise<void>;

/** Declares tests that each get a store, which is closed even if the test fails. */
export function storeTests<Store>(
  framework: TestFramework,
  makeStore: () => Promise<MadeStore<Store>>,
): (title: string, body: StoreTest<Store>) => void {
  return (title, body) =>
    framework.it(title, async () => {
      const made = await makeStore();
      try {
        const nodes = made.another === undefined ? [made.store] : [made.store, await made.another()];
        await body(made.store, (turn) => nodes[turn % nodes.length]!);
      } finally {
        await made.close();
      }
    });
}
