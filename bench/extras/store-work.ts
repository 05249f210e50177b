import { countCommands } from '../../test/support/command-count.js';
import type { Case } from '../cases.ts';
import { DEVICES, type Fleet, type Running } from '../fleet.ts';
import type { StoreWork } from '../measured.ts';
import type { Stores } from '../processes/stores.ts';
import { requestsOf, type RequestKind } from '../requests.ts';

const COUNTED = 10 * DEVICES;

/** What the store does for a request of a case, by the store's own count over ten requests a device. */
export async function storeWorkOf(fleet: Fleet, stores: Stores, { spec, kind }: Case): Promise<StoreWork | undefined> {
  if (spec.store !== 'redis' && spec.store !== 'postgres') return undefined;
  const running = fleet.of(spec, kind);
  const startedAt = performance.now();
  // sessions of this moment: none becomes due for a touch while it is counted
  const texts = requestsOf(kind, await fleet.loginAll(running.server, spec, kind));
  const counted = Array.from({ length: COUNTED }, (_, index) => texts[index % texts.length]!);
  if (spec.store === 'redis') {
    await fleet.sendOnce(running, kind, texts);
    const { sent, writes } = await countCommands(stores.redis, () => fleet.sendOnce(running, kind, counted));
    return { roundTrips: sent / COUNTED, writes: writes / COUNTED, milliseconds: performance.now() - startedAt };
  }
  // a start of the server and a request of each device, once without and once with what is counted
  const before = await databaseWork(fleet, stores, running, kind, texts);
  const after = await databaseWork(fleet, stores, running, kind, [...texts, ...counted]);
  return {
    roundTrips: (after.transactions - before.transactions) / COUNTED,
    writes: (after.rowsWritten - before.rowsWritten) / COUNTED,
    milliseconds: performance.now() - startedAt,
  };
}

async function databaseWork(
  fleet: Fleet,
  stores: Stores,
  running: Running,
  kind: RequestKind,
  requests: readonly string[],
): Promise<{ transactions: number; rowsWritten: number }> {
  const count = (): ReturnType<Stores['countOf']> => stores.countOf(running.databaseUrl);
  const before = await fleet.whileStopped(running, count);
  await fleet.sendOnce(running, kind, requests);
  const after = await fleet.whileStopped(running, count);
  return {
    transactions: after.transactions - before.transactions,
    rowsWritten: after.rowsWritten - before.rowsWritten,
  };
}
