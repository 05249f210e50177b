import { RedisScript } from './redis-script.js';

/*
 * All counts of a subject are fields of one hash, each `<count> <until>`. Each script has one key, so it works on a
 * Cluster too. The hash lives as long as the longest of its counts.
 */
const PRELUDE = `
local key, now = KEYS[1], tonumber(ARGV[1])

-- Redis refuses a time to live of 0
local function keep(till)
  local ttl = math.max(till - now, 1)
  if redis.call('PTTL', key) < ttl then redis.call('PEXPIRE', key, ttl) end
end

-- of what is over, some is taken out with each count that begins: more than begins, so it cannot pile up
local function sweep()
  local some = redis.call('HRANDFIELD', key, 20, 'WITHVALUES')
  for i = 1, #some, 2 do
    local till = tonumber(string.match(some[i + 1], '%d+$') or 0)
    if till <= now then redis.call('HDEL', key, some[i]) end
  end
end
`;

/** KEYS subject. ARGV now, then counters. Returns their values. */
export const READ = new RedisScript(`
return redis.call('HMGET', KEYS[1], unpack(ARGV, 2))
`);

/** KEYS subject. ARGV now, then alternating counter and end of a first count. Returns the new values. */
export const ADD = new RedisScript(`${PRELUDE}
local values = {}
for i = 2, #ARGV, 2 do
  local value = redis.call('HGET', key, ARGV[i])
  local count, till = 0, ARGV[i + 1]
  if value then
    local present, ending = string.match(value, '^(%d+) (%d+)$')
    -- a value that cannot be read is an error here
    if tonumber(ending) > now then count, till = present, ending end
  end
  local begins = count == 0
  if begins then sweep() end
  value = string.format('%.0f %s', count + 1, till)
  redis.call('HSET', key, ARGV[i], value)
  -- a further failure does not prolong what the first one has set
  if begins then keep(tonumber(till)) end
  values[#values + 1] = value
end
return values
`);

/** KEYS subject. ARGV now, counter, value, its end. */
export const SET = new RedisScript(`${PRELUDE}
if not redis.call('HGET', key, ARGV[2]) then sweep() end
redis.call('HSET', key, ARGV[2], ARGV[3])
keep(tonumber(ARGV[4]))
return 1
`);

/** KEYS subject. ARGV now, then counters. Returns how many of each were removed. */
export const DELETE = new RedisScript(`
local removed = {}
for i = 2, #ARGV do removed[i - 1] = redis.call('HDEL', KEYS[1], ARGV[i]) end
return removed
`);

/** KEYS subject. Returns alternating counters and values. */
export const LIST = new RedisScript(`
return redis.call('HGETALL', KEYS[1])
`);
