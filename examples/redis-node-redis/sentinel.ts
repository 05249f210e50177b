import { createSentinel } from 'redis';

/** A client of the server that is the master at present. */
export function clientOfSentinels(sentinels: readonly { host: string; port: number }[], name: string) {
  return createSentinel({ name, sentinelRootNodes: [...sentinels] });
}
