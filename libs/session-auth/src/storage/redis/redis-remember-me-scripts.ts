import { LATEST_RECORD_VERSION, RECORD_VERSION } from '../../session/record-version.js';
import { GENERATION_FUNCTIONS } from './redis-generations.js';
import { KIND, USER_KEY_LENGTH } from './redis-keys.js';
import { RedisScript } from './redis-script.js';

/*
 * The keys are those of redis-keys.ts: a token is a hash, the index of a user a sorted set of handle and selector (20
 * and 22 characters, the selector without its tag) by createdAt.
 *
 * Fields of a token: handle `id`, user `u`, the user's name in keys `k`, digest of the present validator `c`, revision
 * `v`, createdAt `n`, lastUsedAt `l`, expiresAt `x`, session `s`, address `i`, user agent `g`. Those of a successor, if
 * there is one: digest `q`, nonce `o`, time `a`, session `t`, and `r`, which is 1 for a repeated one. `p` holds
 * recently replaced validators, the latest first: each 43 characters of digest and 13 digits of time. `z` is the
 * version of the record, see record-version.ts; it defaults to 1. `y` is its generation, see redis-generations.ts.
 * Other fields belong to later versions, and are kept.
 */
const PRELUDE = `${GENERATION_FUNCTIONS}
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

-- the key of the generation of a token, by its key
local function generationKey(key) return string.sub(key, 1, -SELECTOR - 3) .. '${KIND.rememberMeGeneration}:' end

-- whether a token is there, and has neither expired nor ended with its realm
local function isLive(key, now)
  local expires, own, created = unpack(redis.call('HMGET', key, 'x', 'y', 'n'))
  if not (expires and tonumber(expires) > now) then return false end
  local generation, before = generationAt(generationKey(key))
  return (own or '0') == generation and (before == 0 or (tonumber(created) or 0) >= before)
end

-- whether a token has this revision, or '' was given; one of version 0.1 has none
local function hasRevision(key, revision)
  return revision == '' or (redis.call('HGET', key, 'v') or '0') == revision
end

-- the version of a token, see record-version.ts
local function versionOf(key) return tonumber(redis.call('HGET', key, 'z')) or 1 end

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
redis.call('HSET', KEYS[1], 'y', generationAt(generationKey(KEYS[1])), unpack(ARGV, 6))
keepGeneration(generationKey(KEYS[1]))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('ZADD', index, ARGV[2], ARGV[3])
keepIndex(index, tonumber(ARGV[4]))
return 1
`);

/** KEYS token. ARGV now. Returns the fields of a live token, else nil. */
export const FIND = script(`
return isLive(KEYS[1], tonumber(ARGV[1])) and redis.call('HGETALL', KEYS[1]) or nil
`);

/** KEYS token. ARGV now, revision, new end ('': unchanged), then fields and values. Returns status, fields. */
export const REPLACE = script(`
local key, now = KEYS[1], tonumber(ARGV[1])
if not isLive(key, now) then return { 'absent' } end
local version = versionOf(key)
-- one of a later version, which the codec refuses, stays as it is
if version > ${LATEST_RECORD_VERSION} or not hasRevision(key, ARGV[2]) then
  return { 'changed', redis.call('HGETALL', key) }
end
redis.call('HSET', key, 'z', math.max(version, ${RECORD_VERSION}), unpack(ARGV, 4))
-- token and index live as long as the new end says
if ARGV[3] ~= '' then
  keepGeneration(generationKey(key))
  redis.call('PEXPIRE', key, tonumber(ARGV[3]) - now)
  keepIndex(indexOf(key, redis.call('HGET', key, 'k')), tonumber(ARGV[3]) - now)
end
return { 'replaced', redis.call('HGETALL', key) }
`);

/** KEYS token. ARGV now, revision ('' any). Returns the fields of a live token that was removed, else nil. */
export const DELETE = script(`
if not hasRevision(KEYS[1], ARGV[2]) then return nil end
local live = isLive(KEYS[1], tonumber(ARGV[1]))
local fields = redis.call('HGETALL', KEYS[1])
remove(KEYS[1])
return live and fields or nil
`);

/**
 * KEYS index. ARGV now, 'handle' or 'session', its value, 'only' (removes the tokens that have it) or 'but' (removes
 * the others). Returns how many of the removed ones were live.
 */
export const DELETE_FROM_INDEX = script(`
local removed = 0
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local key = keyOf(KEYS[1], member)
  local has = string.sub(member, 1, 20) == ARGV[3]
  if ARGV[2] == 'session' then
    local session, next = unpack(redis.call('HMGET', key, 's', 't'))
    has = session == ARGV[3] or next == ARGV[3]
  end
  if has == (ARGV[4] == 'only') then
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
