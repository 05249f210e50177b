import type { MeasuredCase } from '../measured.ts';
import type { NearCacheWork } from '../near-cache/near-cache-work.ts';
import { median } from '../statistics.ts';
import { judgeDistance, judgeNearCache } from '../targets.ts';
import { casesTable, judgementsTable, milliseconds, table, unsteadyNote } from './tables.ts';

/** The report of a run of the near-cache in Markdown. */
export function nearCacheTables(cases: readonly MeasuredCase[], work: readonly NearCacheWork[]): string {
  const [together, alone] = [true, false].map((isLoaded) =>
    cases.filter(({ connections }) => (connections === undefined) === isLoaded),
  );
  return [
    `In brackets: the 90 % interval over ${cases[0]!.rounds.cpu.length} rounds.${unsteadyNote(cases)}`,
    judgementsTable([...judgeNearCache(cases), ...judgeDistance(cases)]),
    casesTable({ cases: together! }, 'fastify', 'Fastify'),
    table(
      ['one request at a time', 'CPU µs a request', 'p50 / p99 ms'],
      alone!.map(({ title, rounds: { cpu, p50, p99 } }) => [
        title,
        median(cpu).toFixed(0),
        `${milliseconds(p50)} / ${milliseconds(p99)}`,
      ]),
    ),
    table(
      ['a loaded node with all sessions in memory', 'seconds', 'requests', 'round trips', 'besides, heartbeats'],
      work.map(({ store, seconds, requests, roundTrips, heartbeats }) => [
        store,
        ...[seconds, requests, roundTrips, heartbeats].map(String),
      ]),
    ),
  ].join('\n\n');
}
