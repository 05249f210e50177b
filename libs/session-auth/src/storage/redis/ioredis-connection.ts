import type { IoredisClient } from './redis-client.js';
import type {
  RedisConnection,
  RedisMessageReceiver,
  RedisServer,
  RedisSubscriber,
  RunScript,
} from './redis-connection.js';

/** The part of an `ioredis` client that is used besides its scripts. */
interface Ioredis extends IoredisClient {
  readonly isCluster?: boolean;
  /** For a `Redis`: `normal`, `subscriber` or `monitor`. */
  readonly mode?: string;
  /** With RESP3 of ioredis 6, the mode stays `normal`. */
  readonly condition?: { readonly subscriber?: unknown } | null;
  readonly options: {
    readonly keyPrefix?: string;
    readonly redisOptions?: { readonly keyPrefix?: string };
    readonly host?: string;
    readonly port?: number;
  };
  duplicate(options: object): DuplicatedClient;
  on(event: 'ready', listener: () => void): unknown;
  /** For a Cluster. */
  nodes?(role: 'master'): readonly Ioredis[];
}

interface DuplicatedClient {
  connect(): Promise<void>;
  subscribe(...channels: string[]): Promise<unknown>;
  ping(): Promise<unknown>;
  on(event: 'message', listener: (channel: string, message: string) => void): unknown;
  on(event: 'error' | 'close', listener: () => void): unknown;
  disconnect(): void;
}

/** The hub opens a new connection, to the server that is the right one then. */
const SUBSCRIBER_OPTIONS = {
  lazyConnect: true,
  retryStrategy: () => null,
  sentinelRetryStrategy: () => null,
  autoResubscribe: false,
  enableAutoPipelining: false,
  keyPrefix: '',
  // the heartbeat shows whether the server is alive, and pauses at times
  socketTimeout: undefined,
  commandTimeout: undefined,
};

/** A client of `ioredis`, or of `iovalkey`, which is derived from it. */
export class IoredisConnection implements RedisConnection {
  readonly isCluster: boolean;
  readonly keyPrefix: string;
  readonly evalsha: RunScript;
  readonly eval: RunScript;
  readonly #client: Ioredis;
  /** How often the client has connected: each time it may be to another server, behind the same address. */
  #connects = 0;

  constructor(client: IoredisClient) {
    this.#client = client as Ioredis;
    const { isCluster, options } = this.#client;
    this.isCluster = isCluster === true;
    this.evalsha = client.evalsha.bind(client);
    this.eval = client.eval.bind(client);
    this.keyPrefix = options.keyPrefix ?? options.redisOptions?.keyPrefix ?? '';
    if (!this.isCluster) this.#client.on('ready', () => (this.#connects += 1));
  }

  isRefusal(error: unknown): error is Error {
    return error instanceof Error && error.name === 'ReplyError';
  }

  defect(): ReturnType<RedisConnection['defect']> {
    const { mode = 'normal', condition } = this.#client;
    const isSubscribed = Boolean(condition?.subscriber);
    if (mode === 'normal' && !isSubscribed) return undefined;
    return {
      given: `a client of ioredis in ${isSubscribed ? 'subscriber' : mode} mode`,
      allowed: 'a client that runs commands: subscribe with client.duplicate()',
    };
  }

  servers(): readonly RedisServer[] {
    const clients = this.isCluster ? this.#client.nodes!('master') : [this.#client];
    return clients.map((client) => ({
      address: this.isCluster ? `${client.options.host}:${client.options.port}` : String(this.#connects),
      subscriber: () => new IoredisSubscriber(client.duplicate(SUBSCRIBER_OPTIONS)),
    }));
  }
}

class IoredisSubscriber implements RedisSubscriber {
  constructor(private readonly client: DuplicatedClient) {}

  async listen(channels: readonly string[], { heard, closed }: RedisMessageReceiver): Promise<void> {
    this.client.on('error', () => undefined);
    this.client.on('close', closed);
    this.client.on('message', heard);
    await this.client.connect();
    await this.client.subscribe(...channels);
  }

  ping(): Promise<unknown> {
    return this.client.ping();
  }

  close(): void {
    this.client.disconnect();
  }
}
