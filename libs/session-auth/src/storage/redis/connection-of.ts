import { SessionAuthError } from '../../errors/session-auth.error.js';
import { IoredisConnection } from './ioredis-connection.js';
import { NodeRedisConnection } from './node-redis-connection.js';
import type { IoredisClient, NodeRedisClient } from './redis-client.js';
import type { RedisConnection } from './redis-connection.js';

const connections = new WeakMap<object, RedisConnection>();

/** The supported clients, in words. */
const CLIENTS = 'a client of ioredis 5 or 6, redis (node-redis) 5 or 6, or iovalkey';

/**
 * Returns the connection of a client, after recognising its library.
 *
 * @throws SessionAuthError `invalid_configuration` for any other value
 */
export function connectionOf(client: unknown): RedisConnection {
  if (typeof client !== 'object' || client === null) throw refused(describe(client), CLIENTS);
  const known = connections.get(client);
  if (known !== undefined) return known;
  const connection = recognise(client);
  if (connection === undefined) throw refused(describe(client), CLIENTS);
  connections.set(client, connection);
  return connection;
}

/**
 * Throws when the client's present state cannot serve requests.
 *
 * @throws SessionAuthError `invalid_configuration`
 */
export function checkConnection(connection: RedisConnection): void {
  const defect = connection.defect();
  if (defect !== undefined) throw refused(defect.given, defect.allowed);
}

function recognise(client: object): RedisConnection | undefined {
  const has = (...names: string[]): boolean =>
    names.every((name) => typeof (client as Record<string, unknown>)[name] === 'function');
  const { status, isOpen } = client as { status?: unknown; isOpen?: unknown };
  if (has('evalsha', 'eval', 'duplicate') && typeof status === 'string') {
    return new IoredisConnection(client as IoredisClient);
  }
  // redis 4 has no type mapping, and other replies
  if (has('evalSha', 'eval', 'withTypeMapping') && typeof isOpen === 'boolean') {
    return new NodeRedisConnection(client as NodeRedisClient);
  }
  return undefined;
}

/** Describes a value without showing it: an address may hold a password. */
function describe(given: unknown): string {
  if (given === undefined || given === null) return String(given);
  if (typeof given !== 'object') return `a ${typeof given}`;
  if ('evalSha' in given && 'isOpen' in given) return 'a client of redis (node-redis) before 5';
  const name = given.constructor?.name ?? 'Object';
  if (name === 'Promise') return 'a promise: await it first';
  return name === 'Object' ? 'an object' : `an object of class ${name}`;
}

function refused(given: string, allowed: string): SessionAuthError {
  return new SessionAuthError('invalid_configuration', `redisStorage.client: given ${given}; allowed is ${allowed}`);
}
