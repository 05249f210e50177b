import { SessionAuthError } from './session-auth.error.js';

/**
 * Throws at boot when a store of the application lacks a method of its port.
 *
 * @param option the option that provides the store
 * @param operations the port's methods, each with `true`
 * @throws SessionAuthError `invalid_configuration`
 */
export function requireCompleteStore(
  store: object | undefined,
  option: string,
  port: string,
  operations: Readonly<Record<string, true>>,
): void {
  const missing = Object.keys(operations).filter(
    (operation) => typeof (store as Record<string, unknown> | undefined)?.[operation] !== 'function',
  );
  if (missing.length === 0) return;
  throw new SessionAuthError(
    'invalid_configuration',
    `SessionAuthModule: ${option}: given a store without ${missing.join(', ')}; allowed is an implementation of ${port}`,
  );
}
