/**
 * Runs what makes or throws an error whose place nobody will look up: a forged cookie, a visitor without a session.
 * Capturing the stack costs more than all else that refusing such a request takes, and whoever sends them by the
 * thousand chooses how often it is paid.
 *
 * Must be synchronous: the engine's limit holds for whatever is thrown meanwhile.
 */
export function withoutStackTrace<T>(run: () => T): T {
  const { stackTraceLimit } = Error;
  // not by assignment: where `Error` is frozen, the traces are just captured
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    return run();
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  }
}
