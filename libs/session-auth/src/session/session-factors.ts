/** When each further factor was last proved, by its name: milliseconds since the epoch. */
export type FactorTimes = Readonly<Record<string, number>>;

/** Whether a stored value is what {@link FactorTimes} says. */
export function areFactorTimes(value: unknown): value is FactorTimes {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((time) => typeof time === 'number');
}
