import { median } from './statistics.ts';

const COMPARED = 3;
const TOLERANCE = 0.05;

/** Whether a figure has stopped moving: the medians of its last three values and of the three before are within 5 %. */
export function isSteady(values: readonly number[]): boolean {
  const before = values.slice(-2 * COMPARED, -COMPARED);
  if (before.length < COMPARED) return false;
  return Math.abs(median(values.slice(-COMPARED)) / median(before) - 1) <= TOLERANCE;
}

/**
 * Measures a figure until it is steady, but at most so many times.
 *
 * @returns whether it became steady
 */
export async function untilSteady(measure: () => Promise<number>, most: number): Promise<boolean> {
  const values: number[] = [];
  while (!isSteady(values)) {
    if (values.length === most) return false;
    values.push(await measure());
  }
  return true;
}
