import type { Case } from './cases.ts';
import type { Fleet } from './fleet.ts';
import type { MeasuredCase } from './measured.ts';
import { untilSteady } from './warm-up.ts';

/** How long to measure. All times are milliseconds. */
export interface Effort {
  readonly quick: boolean;
  readonly rounds: number;
  /** A case and round. */
  readonly window: number;
  /** Before each window: a server that has rested has nothing in the processor's caches. */
  readonly rewarm: number;
  /** Windows of so many milliseconds, so many at most, until a case's CPU a request is steady. */
  readonly warmUp: { readonly window: number; readonly most: number };
}

/** Warms each case up, then lets all of them take turns. */
export async function runRounds(
  fleet: Fleet,
  cases: readonly Case[],
  { rounds, window, rewarm, warmUp }: Effort,
  log: (line: string) => void,
): Promise<MeasuredCase[]> {
  log('warming up');
  const measured: MeasuredCase[] = [];
  for (const each of cases) {
    const isSteady = await untilSteady(async () => (await fleet.window(each, warmUp.window)).cpu, warmUp.most);
    measured.push({ ...each, isSteady, rounds: { throughput: [], cpu: [], p50: [], p99: [] } });
  }
  for (let round = 0; round < rounds; round++) {
    log(`round ${round + 1} of ${rounds}`);
    // there and back, so that a machine that gets slower or faster favours nobody
    for (const each of round % 2 === 0 ? measured : [...measured].reverse()) {
      await fleet.window(each, rewarm);
      const { throughput, cpu, p50, p99 } = await fleet.window(each, window);
      each.rounds.throughput.push(throughput);
      each.rounds.cpu.push(cpu);
      each.rounds.p50.push(p50);
      each.rounds.p99.push(p99);
    }
  }
  return measured;
}
