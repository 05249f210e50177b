import type { Redis } from 'ioredis';

// what a connection says about itself, not about sessions
const HOUSEKEEPING = new Set([
  'info',
  'config|resetstat',
  'hello',
  'client|setinfo',
  'client|setname',
  'select',
  'ping',
  'script|load',
]);

/** Commands that change something; scripts are counted as themselves and by what they call. */
const WRITES = new Set([
  'set',
  'setrange',
  'del',
  'unlink',
  'expire',
  'pexpire',
  'zadd',
  'zrem',
  'hset',
  'hdel',
  'getex',
  'restore',
]);

/** What a Redis server did, by its own count. */
export interface CommandCount {
  /** Commands and scripts that a client sent. */
  readonly sent: number;
  /** Commands that wrote, those inside scripts included. */
  readonly writes: number;
  readonly byName: Readonly<Record<string, number>>;
}

/** Runs something and answers what the server was made to do meanwhile. The server must be the test's alone. */
export async function countCommands(redis: Redis, run: () => Promise<unknown>): Promise<CommandCount> {
  await redis.config('RESETSTAT');
  await run();
  const stats = await redis.info('commandstats');
  const byName: Record<string, number> = {};
  for (const [, name, calls] of stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)) {
    if (!HOUSEKEEPING.has(name!)) byName[name!] = Number(calls);
  }
  const scripts = (byName['evalsha'] ?? 0) + (byName['eval'] ?? 0);
  const all = Object.values(byName).reduce((sum, calls) => sum + calls, 0);
  const writes = Object.entries(byName).reduce((sum, [name, calls]) => sum + (WRITES.has(name) ? calls : 0), 0);
  // all that this library sends are scripts; a plain command outside one would show as a surplus without any script
  return { sent: scripts > 0 ? scripts : all, writes, byName };
}
