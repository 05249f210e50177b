/** Sends a script with the number of its keys, the keys and its arguments, in the order of Redis. */
export type RunScript = (
  script: string,
  numberOfKeys: number,
  ...keysAndArguments: (string | number)[]
) => Promise<unknown>;

/** The part of a client that the stores and their link use, the same for all libraries. */
export interface RedisConnection {
  /** In a Cluster, a command must stay within a slot. */
  readonly isCluster: boolean;
  /**
   * Why the link may stay connected to a server that the client has left, to follow `given`; undefined if it notices.
   */
  readonly mayLoseMaster?: string;
  /** The client's prefix for each key; it does not apply to channels. */
  readonly keyPrefix: string;
  /** Runs a script by its SHA-1. With every client, replies are strings, numbers, null and lists of these. */
  readonly evalsha: RunScript;
  /** Runs a script that is sent in full. */
  readonly eval: RunScript;
  /** Whether the error comes from Redis itself, not from the client or the network. */
  isRefusal(error: unknown): error is Error;
  /**
   * Why the client's present state cannot serve requests: its value and the allowed values; undefined when no problem
   * is known.
   */
  defect(): { readonly given: string; readonly allowed: string } | undefined;
  /**
   * Returns the servers whose channels together carry everything that is published: the one server, or each master of a
   * Cluster. Empty while the client does not know them.
   */
  servers(): readonly RedisServer[];
}

/** A server to listen to. */
export interface RedisServer {
  /** Changes when the client goes to another server, and when it connects again, which may be to another one. */
  readonly address: string;
  /** Returns a separate connection, which is not open yet. Once closed, it cannot be opened again. */
  subscriber(): RedisSubscriber | Promise<RedisSubscriber>;
}

/** A connection that only listens. */
export interface RedisSubscriber {
  /** Connects and subscribes. */
  listen(channels: readonly string[], receiver: RedisMessageReceiver): Promise<void>;
  /** Resolves after everything that the server sent before its reply has been read. */
  ping(): Promise<unknown>;
  close(): void;
}

/** Receives the messages and the state of a connection. */
export interface RedisMessageReceiver {
  readonly heard: (channel: string, message: string) => void;
  /** May be called more than once, and after `close`. */
  readonly closed: () => void;
}
