/** The demo's settings, from environment variables. */
export interface BankConfig {
  readonly port: number;
  readonly httpAdapter: HttpAdapterName;
  readonly sessionStore: SessionStoreName;
  /** The key ring: newest first. */
  readonly secrets: readonly string[];
  /** Whether `SESSION_SECRET` was left out and a secret made up for this run. */
  readonly secretIsTemporary: boolean;
  readonly redisUrl: string | undefined;
}

export const HTTP_ADAPTERS = ['express', 'fastify'] as const;
export const SESSION_STORES = ['memory', 'redis', 'postgres'] as const;
export type HttpAdapterName = (typeof HTTP_ADAPTERS)[number];
export type SessionStoreName = (typeof SESSION_STORES)[number];

/** Settings that cannot be used; the message says which variable and what it may be. */
export class BankConfigError extends Error {
  override readonly name = 'BankConfigError';
}

const DEFAULT_PORT = 3000;

/**
 * Reads the settings.
 *
 * @param makeSecret makes up a secret where none is given, which is allowed outside production
 * @throws BankConfigError
 */
export function readBankConfig(env: NodeJS.ProcessEnv, makeSecret: () => string): BankConfig {
  const given = env['SESSION_SECRET'];
  if (!given && env['NODE_ENV'] === 'production') {
    throw new BankConfigError(
      'SESSION_SECRET: not set; in production it must be one or more secrets of at least 32 bytes, separated by commas',
    );
  }
  return {
    port: readPort(env['PORT']),
    httpAdapter: oneOf('HTTP_ADAPTER', env['HTTP_ADAPTER'], HTTP_ADAPTERS, 'express'),
    sessionStore: oneOf('SESSION_STORE', env['SESSION_STORE'], SESSION_STORES, 'memory'),
    secrets: given ? given.split(',').map((secret) => secret.trim()) : [makeSecret()],
    secretIsTemporary: !given,
    redisUrl: env['REDIS_URL'] || undefined,
  };
}

function readPort(given: string | undefined): number {
  if (!given) return DEFAULT_PORT;
  const port = Number(given);
  if (!/^\d{1,5}$/.test(given) || port > 65_535) {
    throw new BankConfigError(`PORT: given '${given}'; allowed is a whole number from 0 to 65535 (0: any free port)`);
  }
  return port;
}

function oneOf<T extends string>(variable: string, given: string | undefined, allowed: readonly T[], fallback: T): T {
  if (!given) return fallback;
  if (allowed.includes(given as T)) return given as T;
  throw new BankConfigError(`${variable}: given '${given}'; allowed is one of ${allowed.join(', ')}`);
}
