import { SessionAuthError } from '../../errors/session-auth.error.js';

/** The namespace of keys unless configured otherwise. */
export const DEFAULT_REDIS_NAMESPACE = 'sa:';

/**
 * A namespace that leaves the hash tag of a key alone.
 *
 * @throws SessionAuthError `invalid_configuration` for one with braces or blanks
 */
export function checkedNamespace(namespace = DEFAULT_REDIS_NAMESPACE): string {
  if (typeof namespace === 'string' && !/[{}\s]/.test(namespace)) return namespace;
  throw new SessionAuthError(
    'invalid_configuration',
    `redisStorage.namespace: given ${JSON.stringify(namespace)}; allowed is text without braces and blanks`,
  );
}
