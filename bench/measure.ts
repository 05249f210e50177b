import { CASES, type Case } from './cases.ts';
import { forgedBurst } from './extras/forged-burst.ts';
import { logout } from './extras/logout.ts';
import { redisBytes } from './extras/redis-bytes.ts';
import { storeWorkOf } from './extras/store-work.ts';
import { Fleet } from './fleet.ts';
import type { MeasuredCase, Results } from './measured.ts';
import { canPin } from './processes/cores.ts';
import type { Stores } from './processes/stores.ts';
import { runRounds, type Effort } from './rounds.ts';

/** Runs some cases against each other, without the rest of a full run. */
export async function measureCases(
  cases: readonly Case[],
  stores: Stores,
  effort: Effort,
  log: (line: string) => void,
): Promise<readonly MeasuredCase[]> {
  const fleet = new Fleet(stores, log);
  try {
    await fleet.start(cases);
    return await runRounds(fleet, cases, effort, log);
  } finally {
    await fleet.stop();
  }
}

/** Runs all cases against each other. */
export async function measure(stores: Stores, effort: Effort, log: (line: string) => void): Promise<Results> {
  const startedAt = new Date().toISOString();
  const fleet = new Fleet(stores, log);
  try {
    await fleet.start(CASES);
    const timed = await runRounds(fleet, CASES, effort, log);
    log('counting what the stores are asked for');
    const cases: MeasuredCase[] = [];
    for (const each of timed) cases.push({ ...each, store: await storeWorkOf(fleet, stores, each) });
    log('forged cookies, logouts, memory');
    const extras = {
      forgedBurst: await forgedBurst(fleet, effort),
      logout: await logout(fleet, stores),
      bytesPerSession: await redisBytes(fleet, stores),
    };
    return {
      startedAt,
      quick: effort.quick,
      rounds: effort.rounds,
      pinned: canPin,
      versions: { 'Node.js': process.versions.node, ...(await stores.versions()) },
      cases,
      extras,
    };
  } finally {
    await fleet.stop();
  }
}
