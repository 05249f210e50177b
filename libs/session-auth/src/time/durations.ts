import ms from 'ms';

type Unit =
  | 'ms'
  | 'msec'
  | 'msecs'
  | 'millisecond'
  | 'milliseconds'
  | 's'
  | 'sec'
  | 'secs'
  | 'second'
  | 'seconds'
  | 'm'
  | 'min'
  | 'mins'
  | 'minute'
  | 'minutes'
  | 'h'
  | 'hr'
  | 'hrs'
  | 'hour'
  | 'hours'
  | 'd'
  | 'day'
  | 'days'
  | 'w'
  | 'week'
  | 'weeks'
  | 'y'
  | 'yr'
  | 'yrs'
  | 'year'
  | 'years';

/**
 * A length of time: milliseconds, or a string such as `'15m'`, `'1h'`, `'30 days'` (the `ms` package's format).
 *
 * Spelled out here, not taken from `@types/ms`: an application that has not got that would see `any`.
 */
export type Duration = number | `${number}${Unit}` | `${number} ${Unit}`;

/**
 * A duration in whole milliseconds, or undefined when the value is none: not a number or known string, not finite, or
 * negative.
 */
export function toMilliseconds(value: unknown): number | undefined {
  const parsed =
    typeof value === 'string' && value.length > 0 && value.length <= 100 ? ms(value as `${number}s`) : value;
  if (typeof parsed !== 'number' || !Number.isFinite(parsed) || parsed < 0) return undefined;
  return Math.round(parsed);
}
