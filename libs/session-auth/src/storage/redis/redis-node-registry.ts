import { SessionAuthError } from '../../errors/session-auth.error.js';
import { LEASE_KEPT, type NodeLease, type NodeRegistry, type RegistryReading } from '../../link/node-registry.js';
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
 *
 * The field `since` has the time of Redis since which no lease has been lost, and the `run_id` of the server. A server
 * that was started again, and a replica that took over, have another one, and may lack the last leases. To a user
 * without the right to INFO, the registry is as old as the last lease.
 */
const SINCE = 'since';

/**
 * KEYS registry. ARGV id, bound, id of the lease to remove (''), milliseconds that leases are kept, channel, message
 * for a new registry, message that the lease was entered. Returns the age of the registry and all leases.
 */
const ENTER = new RedisScript(`
local kept, time = tonumber(ARGV[4]), redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local info = redis.pcall('INFO', 'server')
local run = type(info) == 'string' and string.match(info, 'run_id:(%w+)')
local mark = redis.call('HGET', KEYS[1], '${SINCE}')
if not mark then redis.call('PUBLISH', ARGV[5], ARGV[6]) end
local since, server = string.match(mark or '', '^(%d+) (%w+)$')
if not run or server ~= run then
  since = string.format('%.0f', now)
  redis.call('HSET', KEYS[1], '${SINCE}', since .. ' ' .. (run or ''))
end
-- those of nodes that have died without a word
local leases = redis.call('HGETALL', KEYS[1])
for i = 1, #leases, 2 do
  local written = tonumber(string.match(leases[i + 1], '%d+$')) or 0
  if leases[i] ~= '${SINCE}' and now - written > kept then redis.call('HDEL', KEYS[1], leases[i]) end
end
if ARGV[3] ~= '' then redis.call('HDEL', KEYS[1], ARGV[3]) end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], kept)
redis.call('PUBLISH', ARGV[5], ARGV[7])
return {now - tonumber(since), redis.call('HGETALL', KEYS[1])}
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

  async enter({ id, bound }: NodeLease, previous = ''): Promise<RegistryReading> {
    const emptied = textOf({ type: 'emptied', lease: id });
    const entered = textOf({ type: 'entered', lease: id, bound });
    try {
      const args = [id, bound, previous, LEASE_KEPT, this.#channel, emptied, entered];
      const [age, leases] = (await ENTER.run(this.connection, [this.#key], args)) as [number, string[]];
      return { age, leases: leasesOf(leases) };
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
    return leasesOf((await ASK.run(this.connection, [this.#key], [this.#channel, message])) as string[]);
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

function leasesOf(fields: readonly string[]): NodeLease[] {
  const leases: NodeLease[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const id = fields[at]!;
    if (id !== SINCE) leases.push({ id, bound: Number(fields[at + 1]!.split(' ')[0]) });
  }
  return leases;
}
