import { addedCpu, median, throughputRatio, type MeasuredCase, type Results } from '../measured.ts';
import { judge } from '../targets.ts';

const ADAPTERS = { express: 'Express', fastify: 'Fastify' } as const;

/** The report of a run in Markdown: targets, a table for each adapter, what else was found. */
export function markdownOf(results: Results): string {
  const verdicts = judge(results).map(({ target, asked, found, met }) => [
    target,
    asked,
    found,
    met ? 'yes' : '**no**',
  ]);
  return [
    versionsLine(results),
    table(['target', 'asked', 'found', 'met'], verdicts),
    ...Object.entries(ADAPTERS).map(([adapter, name]) => casesTable(results, adapter, name)),
    extrasTable(results),
  ].join('\n\n');
}

function versionsLine({ versions, startedAt, quick, pinned }: Results): string {
  const used = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const how = pinned ? 'server pinned to one core' : 'no pinning on this machine';
  return `${startedAt.slice(0, 10)}, ${quick ? 'a quick run' : 'a full run'}, ${how}. ${used.join(', ')}.`;
}

function casesTable(results: Results, adapter: string, name: string): string {
  const rows = results.cases.filter(({ spec }) => spec.adapter === adapter).map((each) => caseRow(results, each));
  return table(
    [name, 'req/s', 'against bare', 'CPU µs a request', 'added µs', 'p50 / p99 ms', 'store round trips', 'writes'],
    rows,
  );
}

function caseRow(results: Results, { id, title, rounds, store, spec }: MeasuredCase): string[] {
  const bare = `${spec.adapter}/bare`;
  return [
    title,
    median(rounds.throughput).toFixed(0),
    throughputRatio(results, id, bare).toFixed(2),
    median(rounds.cpu).toFixed(0),
    id === bare ? '' : addedCpu(results, id).toFixed(0),
    `${median(rounds.p50).toFixed(1)} / ${median(rounds.p99).toFixed(1)}`,
    store === undefined ? '' : round(store.roundTrips),
    store === undefined ? '' : round(store.writes),
  ];
}

function extrasTable({ extras: { bytesPerSession, logout, forgedBurst } }: Results): string {
  return table(
    ['besides', 'found'],
    [
      ['Redis bytes a session, nestjs-session-auth with its index', bytesPerSession.ours.toFixed(0)],
      ['Redis bytes a session, connect-redis with the same payload', bytesPerSession.connectRedis.toFixed(0)],
      ['logout, Express and Redis: CPU µs', logout.cpu.toFixed(0)],
      ['forged burst, Fastify and Redis: forged a second', forgedBurst.forgedPerSecond.toFixed(0)],
      ['… valid a second meanwhile', forgedBurst.validPerSecond.toFixed(0)],
      [
        '… what the CPU left is good for, beside as many requests for what is not there',
        forgedBurst.validExpected.toFixed(0),
      ],
      ['… valid a second alone', forgedBurst.validAlone.toFixed(0)],
    ],
  );
}

function round(value: number): string {
  return String(Number(value.toFixed(2)));
}

/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
