import type { Backend } from './backend.js';

/** Declares a test of the contract: its body receives its own backend. */
export interface ContractTests {
  readonly it: (title: string, body: (backend: Backend) => Promise<void>) => void;
}
