import { Injectable } from '@nestjs/common';

/**
 * The library's source of time, in milliseconds since the epoch.
 *
 * It is a separate provider so that tests can move time (`overrideProvider(Clock)`) instead of waiting.
 */
export abstract class Clock {
  /** Milliseconds since the epoch, whole. */
  abstract now(): number;
}

/** The system's clock. */
@Injectable()
export class SystemClock extends Clock {
  now(): number {
    return Date.now();
  }
}

/** The latest and, negated, the earliest time that a `Date` can hold (ECMA-262, 21.4.1.1). */
const LIMIT = 8.64e15;

/**
 * Whether a value is a time in milliseconds since the epoch that a `Date` can hold. A `Date` of any other number throws
 * when it is written.
 */
export function isTime(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= LIMIT;
}
