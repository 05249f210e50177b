import { randomInt } from 'node:crypto';
import { DAY } from '../../time/units.js';
import { keyOf, type Kind } from './redis-keys.js';
import type { RedisConnection } from './redis-connection.js';
import { RedisScript } from './redis-script.js';

/*
 * How all sessions of a realm, or all its remembered devices, end without reading them: the decision is in
 * docs/decisions/0042-generations.md.
 *
 * For each shard tag there is a key with the present generation, a random number, and a time: `<generation> <time>`.
 * `0 0` if there is no such key. A record has the generation that was present when it was created; without one it is of
 * generation 0. It is absent if another generation is present, or if it was created before the time.
 */

/** Longer than any session or remembered device, which have these keys live on: see `keepGeneration`. */
const TIME_TO_LIVE = 3650 * DAY;

/** Functions of the scripts. `PRESENT` is the letter of the key. */
export const GENERATION_FUNCTIONS = `
local GENERATION_TTL = ${TIME_TO_LIVE}

-- the present generation, as text, and the time before which all records have ended, by the key of both
local generations = {}
local function generationAt(key)
  local known = generations[key]
  if not known then
    local generation, before = string.match(redis.call('GET', key) or '', '^(%d+) (%d+)$')
    known = { generation or '0', tonumber(before) or 0 }
    generations[key] = known
  end
  return known[1], known[2]
end

-- lets the generation live on for longer than a record that has it
local function keepGeneration(key)
  if generationAt(key) ~= '0' then redis.call('PEXPIRE', key, GENERATION_TTL) end
end
`;

/** Every shard tag: two characters of base64url. */
const TAGS = tagsOf('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');

/** The most keys of one command: Redis does nothing else until it is done. */
const STEP = 256;

/** How many commands to a Cluster are under way at once. */
const AT_ONCE = 128;

/**
 * KEYS generations. ARGV the new generation ('': unchanged), time before which all records have ended (0: unchanged),
 * channel ('': publishes nothing), message. Without keys it only publishes.
 */
const END = new RedisScript(`${GENERATION_FUNCTIONS}
for _, key in ipairs(KEYS) do
  local generation, before = generationAt(key)
  if ARGV[1] ~= '' then generation = ARGV[1] end
  before = math.max(before, tonumber(ARGV[2]))
  redis.call('SET', key, generation .. ' ' .. string.format('%.0f', before), 'PX', GENERATION_TTL)
end
if ARGV[3] ~= '' then redis.call('PUBLISH', ARGV[3], ARGV[4]) end
return 1
`);

/** What has ended, and what to publish about it. */
export interface EndedRecords {
  /** The letter of the keys with the generations. */
  readonly kind: Kind;
  /** Only records with an earlier `createdAt`. @default all */
  readonly createdBefore?: number;
  /** @default publishes nothing */
  readonly told?: { readonly channel: string; readonly message: string };
}

/**
 * Ends the records of all shard tags. All keys are written, or tried, before it publishes; it publishes also if some
 * could not be written. Then it rejects.
 */
export async function endRecords(
  connection: RedisConnection,
  namespace: string,
  { kind, createdBefore, told = { channel: '', message: '' } }: EndedRecords,
): Promise<void> {
  const generation = createdBefore === undefined ? randomInt(1, 2 ** 47) : '';
  const before = Math.max(Math.ceil(createdBefore ?? 0), 0);
  const keys = TAGS.map((tag) => keyOf(namespace, kind, tag));
  const write = (some: readonly string[]): Promise<unknown> => END.run(connection, some, [generation, before, '', '']);
  const failures: unknown[] = [];
  const inTurn = async (steps: readonly (readonly string[])[], width: number): Promise<void> => {
    for (let at = 0; at < steps.length; at += width) {
      const outcomes = await Promise.allSettled(steps.slice(at, at + width).map(write));
      for (const outcome of outcomes) if (outcome.status === 'rejected') failures.push(outcome.reason);
    }
  };
  const [first, ...others] = steps(keys, STEP);
  let isOneServer = !connection.isCluster;
  if (isOneServer) {
    await write(first!).catch((error: unknown) => {
      // a proxy can hide a Cluster, where a command must stay within a slot
      if (connection.isRefusal(error) && error.message.startsWith('CROSSSLOT')) isOneServer = false;
      else failures.push(error);
    });
  }
  if (isOneServer) await inTurn(others, 1);
  else await inTurn(steps(keys, 1), AT_ONCE);
  if (told.channel !== '') await END.run(connection, [], [generation, before, told.channel, told.message]);
  if (failures.length > 0) throw failures[0];
}

function steps(keys: readonly string[], size: number): (readonly string[])[] {
  return Array.from({ length: Math.ceil(keys.length / size) }, (_, i) => keys.slice(i * size, (i + 1) * size));
}

function tagsOf(alphabet: string): string[] {
  return [...alphabet].flatMap((first) => [...alphabet].map((second) => first + second));
}
