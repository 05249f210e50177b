import { setTimeout as pause } from 'node:timers/promises';
import { expect } from '@jest/globals';
import type { Bank } from './bank.js';
import { FaultLoad, type LoadReport } from './fault-load.js';

/** For how long a fault lasts beyond the first answers that show it: `npm run test:faults` asks for more. */
const SECONDS = Number(process.env['FAULT_SECONDS'] ?? 0);

/** Milliseconds between the requests of a customer: some outages take many seconds, and need no more of them. */
const PACE = 10;

/** Something that happens to a store while customers use it. */
export interface Outage {
  readonly what: string;
  readonly banks: readonly Bank[];
  readonly storeTimeout: number;
  readonly begin: () => Promise<unknown>;
  readonly end: () => Promise<unknown>;
  /** How many answers of 503 to wait for. @default 30 */
  readonly failures?: number;
  /** The most acknowledged logins, and the most acknowledged logouts, that the store itself may lose. @default 0 */
  readonly mayLose?: number;
}

/**
 * Lets customers use the bank before, during and after an outage, and asserts what no outage excuses. Prints counts.
 *
 * How long requests took is asserted by a generous multiple only: the machine may be busy.
 */
export async function liveThrough(outage: Outage): Promise<LoadReport> {
  const { what, banks, storeTimeout, failures = 30, mayLose = 0 } = outage;
  const load = new FaultLoad({ ports: banks.map(({ port }) => port), pace: PACE });
  let recovery: number;
  try {
    await load.until(200, 50);
    try {
      await outage.begin();
      const beganAt = Date.now();
      await load.until(503, failures);
      await pause(Math.max(beganAt + SECONDS * 1000 - Date.now(), 0));
    } finally {
      await outage.end();
    }
    const endedAt = performance.now();
    await load.until(200, 1);
    recovery = performance.now() - endedAt;
    await load.until(200, 50);
  } finally {
    load.end();
  }
  const report = await load.report();
  printReport(what, report, recovery);
  expect(report.wrong).toEqual([]);
  expect(report.lost).toBeLessThanOrEqual(mayLose);
  expect(report.revived).toBeLessThanOrEqual(mayLose);
  expect(Math.max(...Object.values(report.slowest))).toBeLessThan(10 * storeTimeout);
  return report;
}

function printReport(what: string, report: LoadReport, recovery: number): void {
  const answers = Object.entries(report.answers).map(
    ([status, count]) => `${count} x ${status} (slowest ${report.slowest[status]} ms)`,
  );
  const verdict = `${report.lost} sessions lost, ${report.revived} revived, ${report.wrong.length} wrong answers`;
  process.stdout.write(`${what}: ${answers.join(', ')}; ${verdict}; back after ${Math.round(recovery)} ms\n`);
}
