/** A figure with its 90 % interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** What a target asks of a figure. */
export type Bound = { readonly atMost: number } | { readonly atLeast: number };

export type Verdict = 'met' | 'missed' | 'not resolved';

const TAIL = 0.05;
const RESAMPLES = 2000;
/** The same for every report: it can be made again from the values of the rounds. */
const SEED = 0x5e551045;
/**
 * All of four rounds are on one side of the true median once in eight times, which is more than the interval allows.
 */
const LEAST_ROUNDS = 5;

export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * The median of a figure's values, one a round, with its 90 % interval by the bootstrap: the middle 90 % of the medians
 * of rounds drawn with replacement. Fewer than five rounds have no such interval: theirs is unbounded.
 */
export function estimateOf(perRound: readonly number[]): Estimate {
  const value = median(perRound);
  if (perRound.length < LEAST_ROUNDS) return { value, low: -Infinity, high: Infinity };
  const random = randomNumbers(SEED);
  const draw = (): number => perRound[Math.floor(random() * perRound.length)]!;
  const medians = Array.from({ length: RESAMPLES }, () => median(perRound.map(draw))).sort((a, b) => a - b);
  return { value, low: medians[RESAMPLES * TAIL]!, high: medians[RESAMPLES * (1 - TAIL) - 1]! };
}

/** A figure that was counted: nothing about it is open. */
export function exact(value: number): Estimate {
  return { value, low: value, high: value };
}

/** Met or missed only when the whole interval is on one side of the bound. */
export function verdictOf({ low, high }: Estimate, bound: Bound): Verdict {
  const [isMet, isMissed] =
    'atMost' in bound ? [high <= bound.atMost, low > bound.atMost] : [low >= bound.atLeast, high < bound.atLeast];
  return isMet ? 'met' : isMissed ? 'missed' : 'not resolved';
}

/** Numbers from 0 to below 1, the same ones for a seed on every machine (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
