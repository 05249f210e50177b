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
 * A length of time: milliseconds, or a string such as `'15m'`, `'1h'`, `'30 days'` (the format of the `ms` package).
 *
 * The type is written out here because an application without `@types/ms` would see `any`.
 */
export type Duration = number | `${number}${Unit}` | `${number} ${Unit}`;

/**
 * Returns a duration in whole milliseconds. Returns undefined for anything else: a negative or infinite number, or an
 * unknown string.
 */
export function toMilliseconds(value: unknown): number | undefined {
  const parsed =
    typeof value === 'string' && value.length > 0 && value.length <= 100 ? ms(value as `${number}s`) : value;
  if (typeof parsed !== 'number' || !Number.isFinite(parsed) || parsed < 0) return undefined;
  return Math.round(parsed);
}
