import { NEAR_CACHE_CASES } from './cases.ts';
import { revocations, type Revocations } from './near-cache/revocations.ts';
import { Stores } from './processes/stores.ts';
import { replaceBlock } from './report/publish.ts';
import { judgementsTable, table } from './report/tables.ts';
import { estimateOf } from './statistics.ts';
import { atMost, type Judgement } from './targets.ts';

/*
 * How long after a logout was answered by one node another node refuses the session, which it has in its near-cache,
 * with a healthy link. The other node is asked without a pause, before the logout and until it refuses.
 *
 *   npm run bench:revoke
 *   npm run bench:revoke -- 20 250      rounds, and logouts in each
 *   npm run bench:revoke -- publish     puts the figures into docs/performance.md
 */
const words = process.argv.slice(2);
const [ROUNDS = 20, LOGOUTS = 250] = words.filter((word) => /^\d+$/.test(word)).map(Number);
const DOCS = new URL('../../../docs/', import.meta.url);

const stores = await Stores.start(print);
try {
  const found: Revocations[] = [];
  for (const [name, id] of [
    ['Redis', 'fastify/ours-redis-near'],
    ['PostgreSQL', 'fastify/ours-pg-near'],
  ] as const) {
    const { spec } = NEAR_CACHE_CASES.find((each) => each.id === id)!;
    found.push(await revocations(name, spec, stores, { rounds: ROUNDS, logouts: LOGOUTS }, print));
  }
  const text = `${judgementsTable(found.flatMap(judge))}\n\n${countsTable(found)}`;
  process.stdout.write(`${text}\n`);
  if (words.includes('publish')) await replaceBlock('revoke', text, DOCS);
} finally {
  await stores.stop();
}

function judge({ store, delays }: Revocations): Judgement[] {
  const at = (share: number): number[] =>
    delays.map((round) => [...round].sort((a, b) => a - b)[Math.floor((round.length - 1) * share)]!);
  return [
    atMost(`${store}: ms from the answered logout to the first refusal elsewhere, p50`, 1, estimateOf(at(0.5))),
    atMost(`${store}: the same, p99`, 10, estimateOf(at(0.99))),
  ];
}

function countsTable(found: readonly Revocations[]): string {
  const head = ['store', 'logouts', 'requests', 'sent after the answer and admitted', 'the last of these', 'longest'];
  return table(
    head,
    found.map(({ store, delays, requests, late, latest }) => [
      store,
      String(delays.flat().length),
      String(requests),
      String(late),
      `${latest.toFixed(2)} ms`,
      `${Math.max(...delays.flat()).toFixed(2)} ms`,
    ]),
  );
}

function print(line: string): void {
  process.stderr.write(`${line}\n`);
}
