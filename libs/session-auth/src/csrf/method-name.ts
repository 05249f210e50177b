/** Whether a text is an HTTP verb in capitals, as requests carry it. */
export function isMethodName(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Z][A-Z-]{0,31}$/.test(value);
}
