import { randomUUID } from 'node:crypto';
import { SessionAuthError } from '../../errors/session-auth.error.js';
import {
  CONNECT_TIMEOUT,
  unavailable,
  within,
  type LinkConnection,
  type LinkReceiver,
  type LinkTransport,
} from '../../link/link-transport.js';
import { channelOf } from './redis-channel.js';
import type { RedisConnection, RedisServer, RedisSubscriber } from './redis-connection.js';
import { namespaceOf } from './redis-keys.js';
import { nodeMessageOf, probeMessage, signalsOf } from './redis-link-message.js';
import { RedisNodeRegistry } from './redis-node-registry.js';
import { isWithoutRights } from './redis-rights.js';

/**
 * Returns 1 on a member of a Cluster. A script runs on the server itself, so that a proxy in front cannot hide it. A
 * user without the right to INFO gets 0.
 */
const IS_CLUSTER = `
for _, section in ipairs({ 'cluster', 'server' }) do
  local info = redis.pcall('INFO', section)
  if type(info) == 'string' then
    if string.find(info, 'cluster_enabled:1', 1, true) or string.find(info, 'redis_mode:cluster', 1, true) then
      return 1
    end
  end
end
return 0`;

const PUBLISH = `return redis.call('PUBLISH', ARGV[1], ARGV[2])`;

/**
 * Receives the messages of the scripts on one connection to a server; in a Cluster, on one to each of its masters.
 *
 * A server replies to a PING only after it has sent everything that was published there before. A Cluster passes each
 * message to all its servers, but in no certain order relative to their replies; a master's own messages come before
 * its PONG.
 */
export class RedisLinkTransport implements LinkTransport {
  /** Whether the server is a member of a Cluster; undefined before the first connection. */
  #isCluster: boolean | undefined;

  constructor(
    private readonly connection: RedisConnection,
    private readonly namespace: string,
  ) {}

  /** Known after the first connection, for a Cluster that the client does not know of. */
  get unprovable(): string | undefined {
    // the client may learn late that a slot has another master, which the link is not connected to yet
    if (this.connection.isCluster) {
      return 'a Redis Cluster, whose link has no sharded Pub/Sub of its own for each master';
    }
    if (this.#isCluster === true) {
      return 'a Redis Cluster behind one address, whose servers pass messages to each other in no certain order';
    }
    return this.connection.mayLoseMaster;
  }

  /** In a Cluster the messages are in no certain order, see above. */
  registryOf(realm: string): RedisNodeRegistry | undefined {
    if (this.connection.isCluster) return undefined;
    return new RedisNodeRegistry(this.connection, namespaceOf({ namespace: this.namespace, realm }));
  }

  async connect(realms: readonly string[], { heard, spoken, closed }: LinkReceiver): Promise<LinkConnection> {
    const channels = new Map(
      realms.map((realm) => [channelOf(this.connection, namespaceOf({ namespace: this.namespace, realm })), realm]),
    );
    const probe = probeMessage(randomUUID());
    let isProbed = (): void => undefined;
    const probed = new Promise<void>((resolve) => (isProbed = resolve));
    let isGivenUp = false;
    const receiver = {
      closed: () => {
        // some clients report the end of a connection that this side closes; its reason is known
        if (!isGivenUp) closed(unavailable('Redis has closed the connection'));
      },
      heard: (channel: string, message: string) => {
        if (message === probe) return isProbed();
        const realm = channels.get(channel)!;
        const told = nodeMessageOf(message);
        if (told !== undefined) return spoken(realm, told);
        for (const signal of signalsOf(message, realm)) heard(signal);
      },
    };
    let servers: readonly RedisServer[] = [];
    const subscribers: RedisSubscriber[] = [];
    const listen = async (server: RedisServer): Promise<void> => {
      const subscriber = await server.subscriber();
      if (isGivenUp) return;
      subscribers.push(subscriber);
      await subscriber.listen([...channels.keys()], receiver);
    };
    const connect = async (): Promise<void> => {
      // before their first command, clients may neither be connected nor know the masters of a Cluster
      if (this.#isCluster !== undefined) await this.connection.eval('return 1', 0);
      else this.#isCluster = (await this.connection.eval(IS_CLUSTER, 0)) === 1;
      servers = this.#servers();
      await Promise.all(servers.map(listen));
      // through the stores' client: with their user, on their server
      await this.connection.eval(PUBLISH, 0, [...channels.keys()][0]!, probe);
      await probed;
      await Promise.all(subscribers.map((subscriber) => subscriber.ping()));
    };
    const close = (): void => {
      isGivenUp = true;
      for (const subscriber of subscribers) subscriber.close();
    };
    try {
      await within(CONNECT_TIMEOUT, 'receiving its own test message', connect());
    } catch (error) {
      close();
      throw isWithoutRights(error) ? refused(error) : error;
    }
    return { beat: () => this.#beat(servers, subscribers), close };
  }

  #servers(): readonly RedisServer[] {
    const servers = this.connection.servers();
    if (servers.length === 0) throw unavailable('the servers of Redis are not known yet');
    return servers;
  }

  async #beat(servers: readonly RedisServer[], subscribers: readonly RedisSubscriber[]): Promise<void> {
    const present = this.#servers();
    // another server may be the master by now
    if (present.length !== servers.length || present.some((server) => !isOneOf(servers, server))) {
      throw unavailable('Redis has another master');
    }
    await Promise.all(subscribers.map((subscriber) => subscriber.ping()));
  }
}

function isOneOf(servers: readonly RedisServer[], { address }: RedisServer): boolean {
  return servers.some((server) => server.address === address);
}

function refused(cause: unknown): SessionAuthError {
  return new SessionAuthError(
    'invalid_configuration',
    'redisStorage.link: given a Redis user without the rights for the link; allowed is a user with the channels and ' +
      `commands of docs/redis.md (${(cause as Error).message})`,
    { cause },
  );
}
