import { Redis } from 'ioredis';

/** A client of the server that is the master at present. */
export function connectToSentinel(sentinels: readonly { host: string; port: number }[], name: string): Redis {
  return new Redis({ sentinels: [...sentinels], name, maxRetriesPerRequest: 1 });
}
