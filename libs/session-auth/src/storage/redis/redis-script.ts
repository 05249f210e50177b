import { createHash } from 'node:crypto';
import type { RedisConnection } from './redis-connection.js';

/** A Lua script. It is sent by its SHA-1, and in full only to a server that does not know it yet (NOSCRIPT). */
export class RedisScript {
  readonly sha: string;

  constructor(private readonly source: string) {
    this.sha = createHash('sha1').update(source).digest('hex');
  }

  run(connection: RedisConnection, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return connection
      .evalsha(this.sha, keys.length, ...keys, ...args)
      .catch((error: unknown) => this.runInFull(error, connection, keys, args));
  }

  /** Sends the script in full after its SHA-1 failed with NOSCRIPT. Rethrows any other error. */
  runInFull(
    error: unknown,
    connection: RedisConnection,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return connection.eval(this.source, keys.length, ...keys, ...args);
  }
}
