import { KIND, USER_KEY_LENGTH } from './redis-keys.js';
import { RedisScript } from './redis-script.js';

/*
 * A token is a hash at `…{tag}:r:<selector without its tag>`, its user's index a sorted set at `…{tag}:v:<user key>` of
 * handle and selector by createdAt. A script that is given one of them makes the other by exchanging the end.
 *
 * The field `p` holds the validators that were replaced, the latest first: digest and the time until which it is
 * honoured, 43 and 13 characters each.
 */
const PRELUDE = `
local SELECTOR, USER_KEY = 22, ${USER_KEY_LENGTH}

local function keyOf(index, member) return string.sub(index, 1, -USER_KEY - 3) .. '${KIND.rememberMeToken}:' .. string.sub(member, 21) end

local function indexOf(key, user) return string.sub(key, 1, -SELECTOR - 3) .. '${KIND.userRememberMeTokens}:' .. user end

local function remove(key)
  local user, id = unpack(redis.call('HMGET', key, 'k', 'id'))
  redis.call('DEL', key)
  if user then redis.call('ZREM', indexOf(key, user), id .. string.sub(key, -SELECTOR)) end
end

local function isLive(key, now)
  local expires = redis.call('HGET', key, 'x')
  return expires and tonumber(expires) > now
end

local function keepIndex(index, ttl)
  if redis.call('PTTL', index) < ttl then redis.call('PEXPIRE', index, ttl) end
end
`;

function script(body: string): RedisScript {
  return new RedisScript(PRELUDE + body);
}

/** KEYS token, index. ARGV now, createdAt, member, ttl, most of the user, then fields and values. */
export const CREATE = script(`
local index, now = KEYS[2], tonumber(ARGV[1])
for _, member in ipairs(redis.call('ZRANGE', index, 0, -1)) do
  if not isLive(keyOf(index, member), now) then
    redis.call('DEL', keyOf(index, member))
    redis.call('ZREM', index, member)
  end
end
for _, member in ipairs(redis.call('ZRANGE', index, 0, -tonumber(ARGV[5]))) do
  redis.call('DEL', keyOf(index, member))
  redis.call('ZREM', index, member)
end
redis.call('HSET', KEYS[1], unpack(ARGV, 6))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('ZADD', index, ARGV[2], ARGV[3])
keepIndex(index, tonumber(ARGV[4]))
return 1
`);

/** KEYS token. ARGV now, presented, successor, grace, new end ('' keeps it), session.
 * Answers status, times replaced, fields. */
export const USE = script(`
local key, now = KEYS[1], tonumber(ARGV[1])
if not isLive(key, now) then return { 'absent' } end
local current, replaced = unpack(redis.call('HMGET', key, 'c', 'p'))
local honoured, place = '', 0
for at = 1, #replaced, 56 do
  if tonumber(string.sub(replaced, at + 43, at + 55)) > now then
    honoured = honoured .. string.sub(replaced, at, at + 55)
    if string.sub(replaced, at, at + 42) == ARGV[2] and place == 0 then place = #honoured / 56 end
  end
end
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
if place > 0 then return { 'reused', place, redis.call('HGETALL', key) } end
local stolen = redis.call('HGETALL', key)
remove(key)
return { 'theft', 0, stolen }
`);

/** KEYS token. ARGV now. Answers the fields of what was live. */
export const DELETE = script(`
local live = isLive(KEYS[1], tonumber(ARGV[1]))
local fields = redis.call('HGETALL', KEYS[1])
remove(KEYS[1])
return live and fields or nil
`);

/** KEYS index. ARGV now, what to compare, handle or session, 'only' (those that are equal) or 'but' (the others). */
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

/** KEYS index. ARGV now. Answers selector (without its tag) and fields in turn, newest first. */
export const LIST = script(`
local answer = {}
for _, member in ipairs(redis.call('ZREVRANGE', KEYS[1], 0, -1)) do
  local key = keyOf(KEYS[1], member)
  if isLive(key, tonumber(ARGV[1])) then
    answer[#answer + 1] = string.sub(member, 21)
    answer[#answer + 1] = redis.call('HGETALL', key)
  end
end
return answer
`);
