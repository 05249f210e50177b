import type { Case } from './cases.ts';

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
}

/** A case with all that is known of it. */
export interface MeasuredCase extends Case {
  readonly rounds: Rounds;
  readonly store?: StoreWork;
}

/** Everything that one run found. */
export interface Results {
  readonly startedAt: string;
  readonly quick: boolean;
  readonly pinned: boolean;
  readonly versions: Readonly<Record<string, string>>;
  readonly cases: readonly MeasuredCase[];
  readonly extras: {
    /** Redis memory a session in bytes, user index included, three sessions a user. */
    readonly bytesPerSession: { readonly ours: number; readonly connectRedis: number };
    readonly logout: { readonly cpu: number; readonly store: StoreWork };
    readonly forgedBurst: ForgedBurst;
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

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function caseOf(results: Results, id: string): MeasuredCase {
  const found = results.cases.find((each) => each.id === id);
  if (found === undefined) throw new Error(`nothing was measured of ${id}`);
  return found;
}

/** The median over rounds of one figure against the other's of the same round. */
export function throughputRatio(results: Results, id: string, against: string): number {
  const { throughput } = caseOf(results, against).rounds;
  return median(caseOf(results, id).rounds.throughput.map((value, round) => value / throughput[round]!));
}

/** As {@link throughputRatio}, of CPU a request. */
export function cpuRatio(results: Results, id: string, against: string): number {
  const { cpu } = caseOf(results, against).rounds;
  return median(caseOf(results, id).rounds.cpu.map((value, round) => value / cpu[round]!));
}

/** The median over rounds of CPU a request beyond the bare route's of the same adapter. */
export function addedCpu(results: Results, id: string): number {
  const bare = caseOf(results, `${id.split('/')[0]}/bare`).rounds.cpu;
  return median(caseOf(results, id).rounds.cpu.map((value, round) => value - bare[round]!));
}

/** Added CPU against a peer's. */
export function addedCpuRatio(results: Results, id: string, against: string): number {
  const bare = caseOf(results, `${id.split('/')[0]}/bare`).rounds.cpu;
  const peer = caseOf(results, against).rounds.cpu;
  return median(
    caseOf(results, id).rounds.cpu.map((value, round) => (value - bare[round]!) / (peer[round]! - bare[round]!)),
  );
}
