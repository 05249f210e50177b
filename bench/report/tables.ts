import { addedCpu, ratio, type ForgedBurst, type MeasuredCase, type Results } from '../measured.ts';
import { median, type Estimate } from '../statistics.ts';
import { judge, judgeDrivers, type Judgement } from '../targets.ts';

const ADAPTERS = { express: 'Express', fastify: 'Fastify' } as const;

/** The report of a run in Markdown: targets, a table for each adapter, what else was found. */
export function markdownOf(results: Results): string {
  return [
    `${versionsLine(results)} In brackets: the 90 % interval over ${results.rounds} rounds.${unsteadyNote(results.cases)}`,
    judgementsTable(judge(results)),
    ...Object.entries(ADAPTERS).map(([adapter, name]) => casesTable(results, adapter, name)),
    extrasTable(results),
  ].join('\n\n');
}

/** The report of a run of the drivers. */
export function driverTables(cases: readonly MeasuredCase[]): string {
  return [
    judgementsTable(judgeDrivers(cases)),
    ...Object.entries(ADAPTERS).map(([adapter, name]) => casesTable({ cases }, adapter, name)),
  ].join('\n\n');
}

/** Targets with what was found of them. */
export function judgementsTable(judgements: readonly Judgement[]): string {
  const rows = judgements.map(({ target, asked, found, verdict }) => [
    target,
    asked,
    found.low === found.high ? String(Number(found.value.toFixed(3))) : withInterval(found, 2),
    verdict === 'missed' ? '**missed**' : verdict,
  ]);
  return table(['target', 'asked', 'found', 'verdict'], rows);
}

/** A figure as `0.97 (0.94 to 1.01)`. */
export function withInterval({ value, low, high }: Estimate, digits: number): string {
  const text = (each: number): string => each.toFixed(digits);
  return Number.isFinite(low) ? `${text(value)} (${text(low)} to ${text(high)})` : `${text(value)} (no interval)`;
}

/** Names the cases that had not come to rest when the rounds began; empty where all had. */
export function unsteadyNote(cases: readonly MeasuredCase[]): string {
  const unsteady = cases.filter(({ isSteady }) => !isSteady).map(({ id }) => id);
  return unsteady.length === 0 ? '' : ` Not steady after the warm-up: ${unsteady.join(', ')}.`;
}

function versionsLine({ versions, startedAt, quick, pinned }: Results): string {
  const used = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const how = pinned ? 'server pinned to one core' : 'no pinning on this machine';
  return `${startedAt.slice(0, 10)}, ${quick ? 'a quick run' : 'a full run'}, ${how}. ${used.join(', ')}.`;
}

/** The rows of one adapter. */
export function casesTable({ cases }: Pick<Results, 'cases'>, adapter: string, name: string): string {
  const rows = cases.filter(({ spec }) => spec.adapter === adapter).map((each) => caseRow(cases, each));
  return table(
    [name, 'req/s', 'against bare', 'CPU µs a request', 'added µs', 'p50 / p99 ms', 'store round trips', 'writes'],
    rows,
  );
}

function caseRow(cases: readonly MeasuredCase[], { id, title, rounds, store, spec }: MeasuredCase): string[] {
  const bare = `${spec.adapter}/bare`;
  return [
    title,
    median(rounds.throughput).toFixed(0),
    id === bare ? '' : withInterval(ratio(cases, 'throughput', id, bare), 2),
    median(rounds.cpu).toFixed(0),
    id === bare ? '' : withInterval(addedCpu(cases, id), 0),
    `${milliseconds(rounds.p50)} / ${milliseconds(rounds.p99)}`,
    store === undefined ? '' : round(store.roundTrips),
    store === undefined ? '' : round(store.writes),
  ];
}

/** The median of latencies, of which short ones have one more digit. */
export function milliseconds(latencies: readonly number[]): string {
  const value = median(latencies);
  return value.toFixed(value < 1 ? 2 : 1);
}

function extrasTable({ extras: { bytesPerSession, logout, forgedBurst } }: Results): string {
  const burst = (figure: keyof ForgedBurst): string => median(forgedBurst.map((each) => each[figure])).toFixed(0);
  return table(
    ['besides', 'found'],
    [
      ['Redis bytes a session, nestjs-session-auth with its index', bytesPerSession.ours.toFixed(0)],
      ['Redis bytes a session, connect-redis with the same payload', bytesPerSession.connectRedis.toFixed(0)],
      ['logout, Express and Redis: CPU µs', logout.cpu.toFixed(0)],
      ['forged burst, Fastify and Redis: forged a second', burst('forgedPerSecond')],
      ['… valid a second meanwhile', burst('validPerSecond')],
      ['… what the CPU left is good for, beside as many requests for what is not there', burst('validExpected')],
      ['… valid a second alone', burst('validAlone')],
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
