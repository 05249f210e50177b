import type { Backend } from './backend.js';

/** How the parts of the contract declare a test: its body is handed a backend of its own. */
export interface ContractTests {
  readonly it: (title: string, body: (backend: Backend) => Promise<void>) => void;
}
