const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether a text is an HTTP verb in capitals, as requests carry it. */
export function isMethodName(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Z][A-Z-]{0,31}$/.test(value);
}

/** Whether a verb is to be protected: compared exactly, since verbs are case-sensitive (RFC 9110 9.1). */
export function isProtectedMethod(method: string, methods: readonly string[] | undefined): boolean {
  return methods === undefined ? !SAFE_METHODS.has(method) : methods.includes(method);
}
