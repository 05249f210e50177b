import type { Case } from './cases.ts';
import { estimateOf, type Estimate } from './statistics.ts';

/** What was measured of one case: a value a round, in the order of the rounds. */
export interface Rounds {
  /** Requests a second. */
  readonly throughput: number[];
  /** Microseconds of CPU of the server process a request. */
  readonly cpu: number[];
  /** Milliseconds. */
  readonly p50: number[];
  readonly p99: number[];
}

/** What a store was made to do for one request, by its own count. */
export interface StoreWork {
  /** Commands or scripts that Redis received, transactions that PostgreSQL ran. */
  readonly roundTrips: number;
  /** Writing commands (those in scripts included), rows written. */
  readonly writes: number;
  /** From the first login to the last counted request: what is longer than `touchInterval` includes touches. */
  readonly milliseconds: number;
}

/** A case with all that is known of it. */
export interface MeasuredCase extends Case {
  /** Whether its CPU a request was steady before the rounds began. */
  readonly isSteady: boolean;
  readonly rounds: Rounds;
  readonly store?: StoreWork;
}

/** Everything that one run found. */
export interface Results {
  readonly startedAt: string;
  readonly quick: boolean;
  readonly rounds: number;
  readonly pinned: boolean;
  readonly versions: Readonly<Record<string, string>>;
  readonly cases: readonly MeasuredCase[];
  readonly extras: {
    /** Redis memory a session in bytes, user index included, three sessions a user. */
    readonly bytesPerSession: { readonly ours: number; readonly connectRedis: number };
    readonly logout: { readonly cpu: number; readonly commands: number };
    /** One a round. */
    readonly forgedBurst: readonly ForgedBurst[];
  };
}

/** Valid requests while forged ones arrive on as many connections. */
export interface ForgedBurst {
  readonly forgedPerSecond: number;
  readonly validPerSecond: number;
  /** What the CPU time that forged ones leave would be good for. */
  readonly validExpected: number;
  readonly validAlone: number;
}

export function caseOf(cases: readonly MeasuredCase[], id: string): MeasuredCase {
  const found = cases.find((each) => each.id === id);
  if (found === undefined) throw new Error(`nothing was measured of ${id}`);
  return found;
}

/** One figure of a case against the same figure of another case in the same round. */
export function ratio(
  cases: readonly MeasuredCase[],
  figure: 'throughput' | 'cpu' | 'p50',
  id: string,
  against: string,
): Estimate {
  const other = caseOf(cases, against).rounds[figure];
  return estimateOf(caseOf(cases, id).rounds[figure].map((value, round) => value / other[round]!));
}

/** CPU a request beyond the bare route's of the same adapter and round. */
export function addedCpu(cases: readonly MeasuredCase[], id: string): Estimate {
  return estimateOf(addedCpuOf(cases, id));
}

/** Added CPU against a peer's in the same round. */
export function addedCpuRatio(cases: readonly MeasuredCase[], id: string, against: string): Estimate {
  const peer = addedCpuOf(cases, against);
  return estimateOf(addedCpuOf(cases, id).map((value, round) => value / peer[round]!));
}

function addedCpuOf(cases: readonly MeasuredCase[], id: string): number[] {
  const bare = caseOf(cases, `${id.split('/')[0]}/bare`).rounds.cpu;
  return caseOf(cases, id).rounds.cpu.map((value, round) => value - bare[round]!);
}
