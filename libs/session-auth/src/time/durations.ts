import ms, { type StringValue } from 'ms';

/** A length of time: milliseconds, or a string such as `'15m'`, `'1h'`, `'30d'` (the `ms` package's format). */
export type Duration = number | StringValue;

/**
 * A duration in whole milliseconds, or undefined when the value is none: not a number or known string, not finite, or
 * negative.
 */
export function toMilliseconds(value: unknown): number | undefined {
  const parsed =
    typeof value === 'string' && value.length > 0 && value.length <= 100 ? ms(value as StringValue) : value;
  if (typeof parsed !== 'number' || !Number.isFinite(parsed) || parsed < 0) return undefined;
  return Math.round(parsed);
}
