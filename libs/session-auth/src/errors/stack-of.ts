/** What a log says of anything that was thrown: the stack of an error, or else its text. */
export function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : String(error);
}
