import type { SessionStore } from '../../session/session-store.js';
import type { ListeningNodes } from './heard-signals.js';

/** The backend of a test of the link. */
export interface LinkedBackend {
  readonly store: SessionStore;
  /** One of the nodes: calls alternate between them. */
  readonly node: (turn: number) => SessionStore;
  readonly nodes: ListeningNodes;
}

/** Declares the tests of a part of the contract. */
export interface LinkTests {
  readonly it: (title: string, body: (backend: LinkedBackend) => Promise<void>) => void;
}
