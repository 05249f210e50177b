import type { Case } from './cases.ts';
import { Fleet } from './fleet.ts';
import { ratio, type MeasuredCase } from './measured.ts';
import type { Stores } from './processes/stores.ts';
import { judgementsTable, table, unsteadyNote, withInterval } from './report/tables.ts';
import { runRounds, type Effort } from './rounds.ts';
import type { OtherBuild, ServerSpec } from './servers/server-spec.ts';
import { median } from './statistics.ts';
import { atLeast } from './targets.ts';

/** What a change may cost of the throughput: Express, the slower one, has the wider spread. */
const LEAST = { express: 0.92, fastify: 0.95 } as const;
const NAMES = { express: 'Express', fastify: 'Fastify', redis: 'Redis', memory: 'memory' } as const;

/** A guarded GET on one adapter and store. */
interface Pair {
  readonly adapter: 'express' | 'fastify';
  readonly store: 'redis' | 'memory';
}

const PAIRS: readonly Pair[] = (['fastify', 'express'] as const).flatMap((adapter) =>
  (['redis', 'memory'] as const).map((store) => ({ adapter, store })),
);

/** This build and that of another revision, side by side. */
export interface Comparison {
  readonly startedAt: string;
  readonly against: string;
  readonly rounds: number;
  readonly cases: readonly MeasuredCase[];
}

/** Lets guarded GETs of this build and of another one take turns: those to compare directly after each other. */
export async function compare(
  stores: Stores,
  build: OtherBuild,
  effort: Effort,
  log: (line: string) => void,
): Promise<Comparison> {
  const startedAt = new Date().toISOString();
  const cases = PAIRS.flatMap((pair) => {
    const spec: ServerSpec = { contender: 'ours', ...pair };
    return [newCase(idOf(pair, 'old'), { ...spec, build }), newCase(idOf(pair, 'new'), spec)];
  });
  const fleet = new Fleet(stores, log);
  try {
    await fleet.start(cases);
    const measured = await runRounds(fleet, cases, effort, log);
    return { startedAt, against: build.name, rounds: effort.rounds, cases: measured };
  } finally {
    await fleet.stop();
  }
}

/** The report of a comparison in Markdown. */
export function comparisonTables({ startedAt, against, rounds, cases }: Comparison): string {
  const medianOf = (id: string, figure: 'throughput' | 'cpu'): string =>
    median(cases.find((each) => each.id === id)!.rounds[figure]).toFixed(0);
  const judgements = PAIRS.map((pair) =>
    atLeast(
      `${titleOf(pair)}: throughput against ${against}`,
      LEAST[pair.adapter],
      ratio(cases, 'throughput', idOf(pair, 'new'), idOf(pair, 'old')),
    ),
  );
  const rows = PAIRS.map((pair) => {
    const [now, before] = [idOf(pair, 'new'), idOf(pair, 'old')];
    return [
      titleOf(pair),
      medianOf(before, 'throughput'),
      medianOf(now, 'throughput'),
      medianOf(before, 'cpu'),
      medianOf(now, 'cpu'),
      withInterval(ratio(cases, 'cpu', now, before), 2),
    ];
  });
  return [
    `${startedAt.slice(0, 10)}, this tree against ${against}. In brackets: the 90 % interval over ${rounds} rounds.${unsteadyNote(cases)}`,
    judgementsTable(judgements),
    table(['guarded GET', `req/s, ${against}`, 'req/s, now', `CPU µs, ${against}`, 'CPU µs, now', 'CPU, ratio'], rows),
  ].join('\n\n');
}

function newCase(id: string, spec: ServerSpec): Case {
  return { id, title: id, spec, kind: 'read' };
}

function idOf({ adapter, store }: Pair, age: 'old' | 'new'): string {
  return `${adapter}/${store}-${age}`;
}

function titleOf({ adapter, store }: Pair): string {
  return `${NAMES[adapter]}, ${NAMES[store]}`;
}
