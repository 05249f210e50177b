import type { TestFramework } from './test-framework.js';

/** A store made for one test. */
interface MadeStore<Store> {
  readonly store: Store;
  readonly another?: () => Promise<Store>;
  close(): Promise<void>;
}

/** What a test does with a store. `node` gives the store of each node in turn: there are two where another can be made. */
export type StoreTest<Store> = (store: Store, node: (turn: number) => Store) => Promise<void>;

/** Declares tests that get a store each, which is closed however the test ends. */
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
