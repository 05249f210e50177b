import { SessionAuthError } from '../../errors/session-auth.error.js';
import { LEASE_KEPT, type NodeLease, type NodeRegistry } from '../../link/node-registry.js';
import { channelOf } from './redis-channel.js';
import type { RedisConnection } from './redis-connection.js';
import { keyOfNodes } from './redis-keys.js';
import { textOf } from './redis-link-message.js';
import { isWithoutRights } from './redis-rights.js';
import { RedisScript } from './redis-script.js';

/*
 * A hash for each realm: by the id of a lease, the bound and the time of Redis at which it was written, both in
 * milliseconds. It is one key, so that Redis cannot evict a single lease: a node whose own lease is gone knows that all
 * are.
 */

/**
 * KEYS registry. ARGV id, bound, id of the lease to remove (''), milliseconds that leases are kept, channel, message
 * for an empty registry, message that the lease was entered. Returns all leases.
 */
const ENTER = new RedisScript(`
local kept, time = tonumber(ARGV[4]), redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local leases = redis.call('HGETALL', KEYS[1])
if #leases == 0 then redis.call('PUBLISH', ARGV[5], ARGV[6]) end
-- those of nodes that have died without a word
for i = 1, #leases, 2 do
  if now - (tonumber(string.match(leases[i + 1], '%d+$')) or 0) > kept then redis.call('HDEL', KEYS[1], leases[i]) end
end
if ARGV[3] ~= '' then redis.call('HDEL', KEYS[1], ARGV[3]) end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], kept)
redis.call('PUBLISH', ARGV[5], ARGV[7])
return redis.call('HGETALL', KEYS[1])
`);

/** KEYS registry. ARGV channel, message. Publishes the question, and returns all leases. */
const ASK = new RedisScript(`
redis.call('PUBLISH', ARGV[1], ARGV[2])
return redis.call('HGETALL', KEYS[1])
`);

/** KEYS none. ARGV channel, message. */
const PUBLISH = new RedisScript(`return redis.call('PUBLISH', ARGV[1], ARGV[2])`);

/** KEYS registry. ARGV id. */
const REMOVE = new RedisScript(`return redis.call('HDEL', KEYS[1], ARGV[1])`);

/** The registry of the nodes of one realm, in one Redis or behind Sentinels. */
export class RedisNodeRegistry implements NodeRegistry {
  readonly #key: string;
  readonly #channel: string;

  /** @param namespace the prefix of the realm's keys */
  constructor(
    private readonly connection: RedisConnection,
    namespace: string,
  ) {
    this.#key = keyOfNodes(namespace);
    this.#channel = channelOf(connection, namespace);
  }

  async enter({ id, bound }: NodeLease, previous = ''): Promise<readonly NodeLease[]> {
    const emptied = textOf({ type: 'emptied', lease: id });
    const entered = textOf({ type: 'entered', lease: id, bound });
    try {
      const args = [id, bound, previous, LEASE_KEPT, this.#channel, emptied, entered];
      return leasesOf(await ENTER.run(this.connection, [this.#key], args));
    } catch (error) {
      if (!isWithoutRights(error)) throw error;
      throw new SessionAuthError(
        'invalid_configuration',
        `nearCache: given a Redis user without the rights for the key ${this.#key} of the nodes; allowed is a user ` +
          `with the keys and commands of docs/redis.md, TIME among them (${error.message})`,
        { cause: error },
      );
    }
  }

  async ask(question: string): Promise<readonly NodeLease[]> {
    const message = textOf({ type: 'asked', question });
    return leasesOf(await ASK.run(this.connection, [this.#key], [this.#channel, message]));
  }

  confirm(question: string, node: string): Promise<unknown> {
    return this.#publish(textOf({ type: 'confirmed', question, node }));
  }

  revoke(lease: string): Promise<unknown> {
    return this.#publish(textOf({ type: 'revoked', lease }));
  }

  remove(lease: string): Promise<unknown> {
    return REMOVE.run(this.connection, [this.#key], [lease]);
  }

  #publish(message: string): Promise<unknown> {
    return PUBLISH.run(this.connection, [], [this.#channel, message]);
  }
}

function leasesOf(reply: unknown): NodeLease[] {
  const fields = reply as string[];
  const leases: NodeLease[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    leases.push({ id: fields[at]!, bound: Number(fields[at + 1]!.split(' ')[0]) });
  }
  return leases;
}
