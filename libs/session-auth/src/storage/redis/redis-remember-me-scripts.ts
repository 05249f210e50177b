import { KIND, USER_KEY_LENGTH } from './redis-keys.js';
import { RedisScript } from './redis-script.js';

/*
 * The keys are those of redis-keys.ts: a token is a hash, the index of a user a sorted set of handle and selector (20
 * and 22 characters, the selector without its tag) by createdAt.
 *
 * The field `p` of a token holds the validators that were replaced, the latest first: 43 characters of digest and the
 * 13 digits of the time until which it is honoured.
 */
const PRELUDE = `
local SELECTOR, USER_KEY = 22, ${USER_KEY_LENGTH}

-- the key of a token, from an index and its member there
local function keyOf(index, member)
  return string.sub(index, 1, -USER_KEY - 3) .. '${KIND.rememberMeToken}:' .. string.sub(member, 21)
end

-- the index of a user, from the key of a token
local function indexOf(key, user)
  return string.sub(key, 1, -SELECTOR - 3) .. '${KIND.userRememberMeTokens}:' .. user
end

-- removes a token and its member in the index
local function remove(key)
  local user, id = unpack(redis.call('HMGET', key, 'k', 'id'))
  redis.call('DEL', key)
  if user then redis.call('ZREM', indexOf(key, user), id .. string.sub(key, -SELECTOR)) end
end

-- whether a token is there and has not expired
local function isLive(key, now)
  local expires = redis.call('HGET', key, 'x')
  return expires and tonumber(expires) > now
end

-- an index lives as long as the longest token in it
local function keepIndex(index, ttl)
  if redis.call('PTTL', index) < ttl then redis.call('PEXPIRE', index, ttl) end
end
`;

function script(body: string): RedisScript {
  return new RedisScript(PRELUDE + body);
}

/** KEYS token, index. ARGV now, createdAt, member, ttl, the most tokens of the user, then fields and values. */
export const CREATE = script(`
local index, now = KEYS[2], tonumber(ARGV[1])
-- what has expired counts for nothing
for _, member in ipairs(redis.call('ZRANGE', index, 0, -1)) do
  if not isLive(keyOf(index, member), now) then
    redis.call('DEL', keyOf(index, member))
    redis.call('ZREM', index, member)
  end
end
-- the oldest go until there is room for one more
for _, member in ipairs(redis.call('ZRANGE', index, 0, -tonumber(ARGV[5]))) do
  redis.call('DEL', keyOf(index, member))
  redis.call('ZREM', index, member)
end
-- the token, and its member in the index
redis.call('HSET', KEYS[1], unpack(ARGV, 6))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('ZADD', index, ARGV[2], ARGV[3])
keepIndex(index, tonumber(ARGV[4]))
return 1
`);

/**
 * KEYS token. ARGV now, presented, successor, grace, new end ('' keeps it), session. Returns status, how often it was
 * replaced since, fields.
 */
export const USE = script(`
local key, now = KEYS[1], tonumber(ARGV[1])
if not isLive(key, now) then return { 'absent' } end
local current, replaced = unpack(redis.call('HMGET', key, 'c', 'p'))
-- the replaced validators that are still honoured, and the place of the presented one among them
local honoured, place = '', 0
for at = 1, #replaced, 56 do
  if tonumber(string.sub(replaced, at + 43, at + 55)) > now then
    honoured = honoured .. string.sub(replaced, at, at + 55)
    if string.sub(replaced, at, at + 42) == ARGV[2] and place == 0 then place = #honoured / 56 end
  end
end
-- the present validator: its successor takes its place
if current == ARGV[2] then
  local entry = ARGV[2] .. string.format('%013.0f', now + tonumber(ARGV[4]))
  redis.call('HSET', key, 'c', ARGV[3], 'l', ARGV[1], 's', ARGV[6], 'p', entry .. honoured)
  if ARGV[5] ~= '' then
    redis.call('HSET', key, 'x', ARGV[5])
    redis.call('PEXPIRE', key, tonumber(ARGV[5]) - now)
    keepIndex(indexOf(key, redis.call('HGET', key, 'k')), tonumber(ARGV[5]) - now)
  end
  return { 'used', 0, redis.call('HGETALL', key) }
end
-- one that was replaced a moment ago: nothing changes
if place > 0 then return { 'reused', place, redis.call('HGETALL', key) } end
-- any other: the token is gone
local stolen = redis.call('HGETALL', key)
remove(key)
return { 'theft', 0, stolen }
`);

/** KEYS token. ARGV now. Returns the fields of a token that was live, else nil. */
export const DELETE = script(`
local live = isLive(KEYS[1], tonumber(ARGV[1]))
local fields = redis.call('HGETALL', KEYS[1])
remove(KEYS[1])
return live and fields or nil
`);

/**
 * KEYS index. ARGV now, 'handle' or 'session', a value to compare it with, 'only' (removes those that are equal) or
 * 'but' (removes the others). Returns how many of those removed were live.
 */
export const DELETE_FROM_INDEX = script(`
local removed = 0
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local key = keyOf(KEYS[1], member)
  local value = ARGV[2] == 'handle' and string.sub(member, 1, 20) or redis.call('HGET', key, 's')
  if (value == ARGV[3]) == (ARGV[4] == 'only') then
    if isLive(key, tonumber(ARGV[1])) then removed = removed + 1 end
    redis.call('DEL', key)
    redis.call('ZREM', KEYS[1], member)
  end
end
return removed
`);

/** KEYS index. ARGV now. Returns selector (without its tag) and fields of each live token, newest first. */
export const LIST = script(`
local tokens = {}
for _, member in ipairs(redis.call('ZREVRANGE', KEYS[1], 0, -1)) do
  local key = keyOf(KEYS[1], member)
  if isLive(key, tonumber(ARGV[1])) then
    tokens[#tokens + 1] = string.sub(member, 21)
    tokens[#tokens + 1] = redis.call('HGETALL', key)
  end
end
return tokens
`);
