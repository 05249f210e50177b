import type { SessionAuthExtras, SessionAuthOptions } from 'nestjs-session-auth';
import type { BankClient } from './bank-client.js';
import { openBackend, startBank, type Backend, type Bank, type StoreName } from './bank.js';
import { until } from './patience.js';
import { watchedStorage } from './watched-store.js';

/** A node of the bank with a near-cache, and how often it reads a session from the store. */
export interface NearNode extends Bank {
  readonly calls: string[];
  /** How many sessions it has read from the store since the start, or since `calls` was emptied. */
  readonly finds: number;
}

/** Starts a node with a near-cache. Its bound is so long that no machine is too busy for it, unless it is given. */
export async function startNearNode(
  backend: Backend,
  options: Partial<SessionAuthOptions & SessionAuthExtras> = {},
): Promise<NearNode> {
  const calls: string[] = [];
  const storage = watchedStorage(backend.linkedStorage!, calls);
  const bank = await startBank({
    adapter: 'fastify',
    backend: { ...backend, storage },
    options: { nearCache: { bound: '10s' }, ...options },
  });
  return Object.defineProperty({ ...bank, calls } as unknown as NearNode, 'finds', {
    get: () => calls.filter((call) => call === 'default: find').length,
  });
}

/** Two nodes on one backend. */
export async function startNearNodes(
  store: StoreName,
  options?: Partial<SessionAuthOptions & SessionAuthExtras>,
): Promise<{ readonly backend: Backend; readonly here: NearNode; readonly there: NearNode }> {
  const backend = await openBackend(store);
  const here = await startNearNode(backend, options);
  const there = await startNearNode(backend, options);
  return { backend, here, there };
}

/** The same browser at another node. */
export function clientAt(node: Bank, { cookies }: BankClient): BankClient {
  const client = node.client();
  for (const [name, value] of cookies) client.cookies.set(name, value);
  return client;
}

/** Asks until the node answers a guarded request without reading the store. */
export async function untilCached(node: NearNode, client: BankClient): Promise<void> {
  await until(async () => {
    const before = node.finds;
    if (!(await client.isSignedIn())) throw new Error('the session is over');
    return node.finds === before;
  });
}
