/** Returns the stack of an error, or the text of any other thrown value, for a log. */
export function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : String(error);
}
