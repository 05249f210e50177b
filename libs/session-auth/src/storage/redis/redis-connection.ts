/** Sends a script with its keys, how many they are in front, and its arguments: as Redis takes them. */
export type RunScript = (
  script: string,
  numberOfKeys: number,
  ...keysAndArguments: (string | number)[]
) => Promise<unknown>;

/** What the stores and their link use of a client, whichever library it is of. */
export interface RedisConnection {
  /** In a Cluster, a command has to stay within a slot. */
  readonly isCluster: boolean;
  /** What the client puts before each key, though not before channels. */
  readonly keyPrefix: string;
  /** Runs a script by its SHA-1. Replies are strings, numbers, null and lists of these, by whatever client. */
  readonly evalsha: RunScript;
  /** Runs a script that is sent in full. */
  readonly eval: RunScript;
  /** Whether Redis itself refused a command, and not the client or the network. */
  isRefusal(error: unknown): error is Error;
  /**
   * Why no request can be served by the client as it is now, as what was given and what is allowed; undefined when
   * nothing is known to be wrong.
   */
  defect(): { readonly given: string; readonly allowed: string } | undefined;
  /**
   * Returns the servers whose channels together have all that is published: the one server, or each master of a
   * Cluster. Empty while the client does not know them.
   */
  servers(): readonly RedisServer[];
}

/** A server that can be listened to. */
export interface RedisServer {
  /** Changes when the client goes to another server. */
  readonly address: string;
  /** Returns a connection of its own, which is not open yet. It is lost for good when it is closed. */
  subscriber(): RedisSubscriber | Promise<RedisSubscriber>;
}

/** A connection that only listens. */
export interface RedisSubscriber {
  /** Connects and subscribes. */
  listen(channels: readonly string[], receiver: RedisMessageReceiver): Promise<void>;
  /** Resolves after all that the server sent before its answer has been heard. */
  ping(): Promise<unknown>;
  close(): void;
}

/** What a connection tells who listens. */
export interface RedisMessageReceiver {
  readonly heard: (channel: string, message: string) => void;
  /** May be called more than once, and after `close`. */
  readonly closed: () => void;
}
