import type { NodeRedisClient, NodeRedisEval } from './redis-client.js';
import type { RedisConnection, RedisMessageReceiver, RedisServer, RedisSubscriber } from './redis-connection.js';

/** The part of every client of `redis` that is used besides its scripts. */
interface AnyNodeRedis extends NodeRedisClient {
  /** Since version 6; undefined without a prefix. */
  readonly _keyPrefix?: string | Buffer;
  withTypeMapping(mapping: object): NodeRedisClient;
}

/** From `createClient`. */
interface SingleClient extends AnyNodeRedis {
  readonly isPubSubActive: boolean;
  readonly options?: { readonly socket?: object };
  duplicate(overrides: object): DuplicatedClient;
  on(event: 'ready', listener: () => void): unknown;
}

/** From `createClientPool`. */
interface ClientPool extends AnyNodeRedis {
  execute<T>(use: (client: SingleClient) => T): Promise<T>;
}

/** From `createSentinel`. */
interface SentinelClient extends AnyNodeRedis {
  getMasterNode(): { readonly host: string; readonly port: number } | undefined;
  _execute<T>(isReadonly: boolean, use: (client: SingleClient) => Promise<T>): Promise<T>;
}

/** From `createCluster`. */
interface ClusterClient extends AnyNodeRedis {
  readonly masters: readonly { readonly address: string }[];
  nodeClient(node: { readonly address: string }): SingleClient | Promise<SingleClient>;
}

interface DuplicatedClient {
  readonly isOpen: boolean;
  connect(): Promise<unknown>;
  subscribe(channels: readonly string[], listener: (message: string, channel: string) => void): Promise<unknown>;
  ping(): Promise<unknown>;
  on(event: 'error' | 'end', listener: () => void): unknown;
  once(event: 'connect', listener: () => void): unknown;
  destroy(): void;
}

const POOL =
  'a pool of redis (createClientPool), which does not report when it connects again: ' +
  'pass a client of createClient() or createSentinel()';

/** A client of `redis`. It sends all commands of one turn of the event loop together. */
export class NodeRedisConnection implements RedisConnection {
  readonly isCluster: boolean;
  readonly keyPrefix: string;
  readonly mayLoseMaster: string | undefined;
  readonly #client: AnyNodeRedis;
  readonly #scripts: NodeRedisClient;
  /** How often a single client has connected: each time it may be to another server, behind the same address. */
  #connects = 0;

  constructor(client: NodeRedisClient) {
    this.#client = client as AnyNodeRedis;
    this.isCluster = isCluster(this.#client);
    this.keyPrefix = String(this.#client._keyPrefix ?? '');
    this.mayLoseMaster = isPool(this.#client) ? POOL : undefined;
    // replies are strings and numbers, even if the application's replies are buffers
    this.#scripts = this.#client.withTypeMapping({});
    if (isSingle(this.#client)) this.#client.on('ready', () => (this.#connects += 1));
  }

  evalsha(sha: string, ...given: [number, ...(string | number)[]]): Promise<unknown> {
    return this.#scripts.evalSha(sha, evalOf(given));
  }

  eval(script: string, ...given: [number, ...(string | number)[]]): Promise<unknown> {
    return this.#scripts.eval(script, evalOf(given));
  }

  isRefusal(error: unknown): error is Error {
    // its error classes have no distinct names; errors of Redis begin with a word in capitals, errors of the client do
    // not
    return error instanceof Error && /^[A-Z][A-Z0-9]+ /.test(error.message);
  }

  defect(): ReturnType<RedisConnection['defect']> {
    if (!this.#client.isOpen) {
      return {
        given: 'a client of redis that is not connected',
        allowed: 'a client whose connect() has been called before',
      };
    }
    if ((this.#client as Partial<SingleClient>).isPubSubActive !== true) return undefined;
    return {
      given: 'a client of redis in subscriber mode',
      allowed: 'a client that runs commands: subscribe with client.duplicate()',
    };
  }

  servers(): readonly RedisServer[] {
    const client = this.#client;
    if (isCluster(client)) {
      return client.masters.map((master) => ({
        address: master.address,
        subscriber: async () => subscriberOf(await client.nodeClient(master)),
      }));
    }
    if (isSentinel(client)) {
      const { host, port } = client.getMasterNode() ?? {};
      const subscriber = (): Promise<RedisSubscriber> =>
        client._execute(false, (master) => Promise.resolve(subscriberOf(master)));
      return host === undefined ? [] : [{ address: `${host}:${port}`, subscriber }];
    }
    if (isPool(client)) return [{ address: '', subscriber: () => client.execute(subscriberOf) }];
    return [{ address: String(this.#connects), subscriber: () => subscriberOf(client as SingleClient) }];
  }
}

function isCluster(client: AnyNodeRedis): client is ClusterClient {
  return 'nodeClient' in client;
}

function isSentinel(client: AnyNodeRedis): client is SentinelClient {
  return 'getMasterNode' in client;
}

function isSingle(client: AnyNodeRedis): client is SingleClient {
  return !isCluster(client) && !isSentinel(client) && !isPool(client);
}

function isPool(client: AnyNodeRedis): client is ClientPool {
  return 'execute' in client;
}

/** The hub opens a new connection, to the server that is the right one then. */
function subscriberOf(client: SingleClient): RedisSubscriber {
  return new NodeRedisSubscriber(
    client.duplicate({
      // the heartbeat shows whether the server is alive, and pauses at times
      socket: { ...client.options?.socket, reconnectStrategy: false, socketTimeout: undefined },
      pingInterval: undefined,
      disableOfflineQueue: false,
      commandsQueueMaxLength: undefined,
      commandOptions: {},
      clientSideCache: undefined,
      emitInvalidate: false,
      maintNotifications: 'disabled',
    }),
  );
}

class NodeRedisSubscriber implements RedisSubscriber {
  #isThere = false;

  constructor(private readonly client: DuplicatedClient) {}

  async listen(channels: readonly string[], { heard, closed }: RedisMessageReceiver): Promise<void> {
    // without a strategy to reconnect, any error ends the connection
    this.client.on('error', closed);
    this.client.on('end', closed);
    this.client.once('connect', () => (this.#isThere = true));
    await this.client.connect();
    await this.client.subscribe(channels, (message, channel) => heard(channel, message));
  }

  ping(): Promise<unknown> {
    return this.client.ping();
  }

  close(): void {
    const destroy = (): void => {
      if (this.client.isOpen) this.client.destroy();
    };
    // in redis 5, a client that is destroyed while it connects still connects
    if (this.#isThere) destroy();
    else this.client.once('connect', destroy);
  }
}

function evalOf([numberOfKeys, ...keysAndArguments]: readonly [number, ...(string | number)[]]): NodeRedisEval {
  const texts = keysAndArguments.map(String);
  return { keys: texts.slice(0, numberOfKeys), arguments: texts.slice(numberOfKeys) };
}
