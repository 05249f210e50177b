import type { SessionStore } from '../../session/session-store.js';

/** A store made for one test. */
export interface SessionStoreUnderTest {
  readonly store: SessionStore;
  /** Makes a second instance on the same backend, like another node of the application. */
  readonly another?: () => Promise<SessionStore>;
  /** Ends both instances and empties or drops the backend. */
  close(): Promise<void>;
}

/** Makes the store of one test. */
export type MakeSessionStore = () => Promise<SessionStoreUnderTest>;

/** The backend of one test, as its nodes see it. */
export interface Backend {
  readonly store: SessionStore;
  /** One of the nodes: parallel calls alternate between them. */
  readonly node: (turn: number) => SessionStore;
}

/** Makes the backend of one test. */
export async function openBackend(
  makeStore: MakeSessionStore,
): Promise<{ readonly backend: Backend; readonly close: () => Promise<void> }> {
  const made = await makeStore();
  const close = (): Promise<void> => made.close();
  try {
    const nodes = made.another === undefined ? [made.store] : [made.store, await made.another()];
    return { backend: { store: made.store, node: (turn) => nodes[turn % nodes.length]! }, close };
  } catch (error) {
    await close();
    throw error;
  }
}
