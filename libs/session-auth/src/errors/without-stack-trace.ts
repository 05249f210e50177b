/**
 * Runs a function that makes or throws an error whose stack nobody will read: for a forged cookie, or a visitor without
 * a session. Capturing the stack costs more than everything else in refusing such a request, and an attacker can send
 * thousands of them.
 *
 * The function must be synchronous, because the engine's limit applies to all errors thrown meanwhile.
 */
export function withoutStackTrace<T>(run: () => T): T {
  const { stackTraceLimit } = Error;
  // not by assignment, which throws where `Error` is frozen; then stacks are captured as usual
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    return run();
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  }
}
