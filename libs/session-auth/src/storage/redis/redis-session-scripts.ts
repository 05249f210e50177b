import { HASH_LENGTH, HEADER_LENGTH, LINE_END } from './redis-session-codec.js';
import { RedisScript } from './redis-script.js';

/*
 * Every script works on keys of one hash slot: `…{tag}:s:<hash>` (a session) and `…{tag}:u:<user key>` (the index of
 * a user's sessions: a sorted set of handle and hash by createdAt). A script that is given one of them makes the
 * other by exchanging the end, so it holds for any prefix that the client puts in front.
 *
 * After a rotation the old session key holds `>`, the time its grace ends (13 digits) and the new hash. A chain of them
 * ends where a newer one is dead, so no digest outlives a newer one.
 */
const PRELUDE = `
local HASH, HEADER = ${HASH_LENGTH}, ${HEADER_LENGTH}

-- the session's key and value, following what rotations left behind; false when there is none
local function locate(key, now)
  local value = redis.call('GET', key)
  for _ = 1, 1000 do
    if not value or string.byte(value) ~= 62 or #value ~= HASH + 14 then break end
    if (tonumber(string.sub(value, 2, 14)) or 0) <= now then return key, false end
    key = string.sub(key, 1, -HASH - 1) .. string.sub(value, 15)
    value = redis.call('GET', key)
  end
  return key, value
end

-- lastActivityAt, expiresAt, absoluteExpiresAt; nil for what is no record
local TIMES = '^' .. string.rep('%d', 39)
local function times(value)
  if #value < HEADER or not string.find(value, TIMES) then return nil end
  return tonumber(string.sub(value, 1, 13)), tonumber(string.sub(value, 14, 26)), tonumber(string.sub(value, 27, 39))
end

-- Redis refuses a time to live of 0, in the middle of a script
local function ttl(time) return math.max(time, 1) end

local function stamp(time) return string.format('%013.0f', time) end

local function corrupt() return redis.error_reply('CORRUPT session record') end

-- from a session's key and value: its user's index and its member there; nil for an anonymous session
local function indexOf(key, value)
  local user = string.sub(value, 60, 81)
  if string.byte(user) == 46 then return nil end
  return string.sub(key, 1, -HASH - 3) .. 'u:' .. user, string.sub(value, 40, 59) .. string.sub(key, -HASH)
end

-- from an index and a member of it: the session's key
local function sessionOf(index, member)
  return string.sub(index, 1, -25) .. 's:' .. string.sub(member, 21)
end

local function remove(key, value)
  redis.call('DEL', key)
  local index, member = indexOf(key, value)
  if index then redis.call('ZREM', index, member) end
end

-- the value of an index's member if that session is live; what is left of one that is not is removed
local function liveValue(index, member, now)
  local key = sessionOf(index, member)
  local value = redis.pcall('GET', key)
  if type(value) == 'string' then
    local _, expires = times(value)
    if expires and expires > now then return value, key end
  end
  if value then redis.call('DEL', key) end
  redis.call('ZREM', index, member)
  return nil
end

-- an index lives as long as the longest session in it may
local function keepIndex(index, time)
  if redis.call('PTTL', index) < time then redis.call('PEXPIRE', index, time) end
end

-- the beginning of a line up to its colon: the first quote after an even number of backslashes ends the name
local function beginningOf(line)
  local from = 2
  while true do
    local quote = string.find(line, '"', from, true)
    if not quote then return line end
    local before = quote - 1
    while string.byte(line, before) == 92 do before = before - 1 end
    if (quote - before) % 2 == 1 then return string.sub(line, 1, quote + 1) end
    from = quote + 1
  end
end

-- the lines of a value after those in ARGV, pairs of beginning and JSON from number first on, have replaced theirs;
-- with the bytes of session data before and after
local function merge(value, first)
  local given, merged, before, after = {}, {}, 0, 0
  for i = first, #ARGV, 2 do given[ARGV[i]] = ARGV[i + 1] end
  local function add(line)
    merged[#merged + 1] = line
    if string.byte(line, 2) == 46 then after = after + #line - 1 end
  end
  for line in string.gmatch(string.sub(value, HEADER + 1) .. '${LINE_END.replace('\n', '\\n')}', '(.-),\\n') do
    if string.byte(line, 2) == 46 then before = before + #line - 1 end
    local beginning = beginningOf(line)
    local json = given[beginning]
    if not json then add(line) elseif json ~= '' then add(beginning .. json) end
    given[beginning] = nil
  end
  for i = first, #ARGV, 2 do
    if given[ARGV[i]] and ARGV[i + 1] ~= '' then add(ARGV[i] .. ARGV[i + 1]) end
    given[ARGV[i]] = nil
  end
  return table.concat(merged, '${LINE_END.replace('\n', '\\n')}'), before, after
end
`;

function script(body: string): RedisScript {
  return new RedisScript(PRELUDE + body);
}

/** KEYS session, index (none: anonymous). Answers 'exists', 'limit_reached' or the handles evicted. ARGV now, value, ttl, member, createdAt, index ttl, max (0: none), policy. */
export const CREATE = script(`
local evicted = {}
local index, now = KEYS[2], tonumber(ARGV[1])
local key, value = locate(KEYS[1], now)
if value then
  local _, expires = times(value)
  if expires and expires > now then return 'exists' end
  if expires then remove(key, value) end
end
if index then
  local max = tonumber(ARGV[7])
  -- without a limit nothing has to be counted: a few of the oldest are looked at so that the index stays small
  local live = {}
  for place, member in ipairs(redis.call('ZRANGE', index, 0, max > 0 and -1 or 9)) do
    local value = liveValue(index, member, now)
    if value then live[#live + 1] = { member = member, place = place, last = tonumber(string.sub(value, 1, 13)) } end
  end
  local surplus = max > 0 and #live - max + 1 or 0
  if surplus > 0 then
    if ARGV[8] == 'reject' then return 'limit_reached' end
    if ARGV[8] == 'evict-least-recent' then
      table.sort(live, function(a, b) return a.last < b.last or (a.last == b.last and a.place < b.place) end)
    end
    for i = 1, surplus do
      redis.call('DEL', sessionOf(index, live[i].member))
      redis.call('ZREM', index, live[i].member)
      evicted[i] = string.sub(live[i].member, 1, 20)
    end
  end
  redis.call('ZADD', index, ARGV[5], ARGV[4])
  keepIndex(index, tonumber(ARGV[6]))
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return evicted
`);

/** KEYS session. ARGV now, idle, interval. Answers the value; { hash, value } by an old digest; { '', value } expired. */
export const FIND = script(`
local key, value = locate(KEYS[1], tonumber(ARGV[1]))
if not value then return nil end
local now = tonumber(ARGV[1])
local last, expires, absolute = times(value)
if not expires then return corrupt() end
if expires <= now then
  remove(key, value)
  return { '', value }
end
if now - last >= tonumber(ARGV[3]) then
  local deadline = math.min(now + tonumber(ARGV[2]), absolute)
  local touched = stamp(now) .. stamp(deadline)
  redis.call('SETRANGE', key, 0, touched)
  redis.call('PEXPIRE', key, ttl(deadline - now))
  value = touched .. string.sub(value, 27)
end
if key == KEYS[1] then return value end
return { string.sub(key, -HASH), value }
`);

/** KEYS session. ARGV now, most bytes, then pairs. Answers the new value, 'too_large', or nil. */
export const UPDATE = script(`
local key, value = locate(KEYS[1], tonumber(ARGV[1]))
if not value then return nil end
local _, expires = times(value)
if not expires then return corrupt() end
if expires <= tonumber(ARGV[1]) then return nil end
local body, before, after = merge(value, 3)
if after > tonumber(ARGV[2]) and after > before then return 'too_large' end
value = string.sub(value, 1, HEADER) .. body
redis.call('SET', key, value, 'KEEPTTL')
return value
`);

/**
 * KEYS old session, new session. ARGV now, grace, lastActivityAt, expiresAt, absoluteExpiresAt, createdAt ('' keeps
 * each), then pairs. Answers the new value, 'superseded', or nil.
 */
export const ROTATE = script(`
local now, grace = tonumber(ARGV[1]), tonumber(ARGV[2])
local key, value = locate(KEYS[1], now)
if not value then return nil end
local last, expires, absolute = times(value)
if not expires then return corrupt() end
if expires <= now then return nil end
if key ~= KEYS[1] then return 'superseded' end
last, expires, absolute = tonumber(ARGV[3]) or last, tonumber(ARGV[4]) or expires, tonumber(ARGV[5]) or absolute
local body = merge(value, 7)
local rotated = stamp(last) .. stamp(expires) .. stamp(absolute) .. string.sub(value, 40, HEADER) .. body
local index, member = indexOf(key, value)
if index then
  local score = ARGV[6] ~= '' and ARGV[6] or redis.call('ZSCORE', index, member) or now
  redis.call('ZREM', index, member)
  redis.call('ZADD', index, score, string.sub(member, 1, 20) .. string.sub(KEYS[2], -HASH))
  keepIndex(index, ttl(absolute - now))
end
redis.call('SET', KEYS[2], rotated, 'PX', ttl(expires - now))
if grace > 0 then
  redis.call('SET', key, '>' .. stamp(now + grace) .. string.sub(KEYS[2], -HASH), 'PX', grace)
else
  redis.call('DEL', key)
end
return rotated
`);

/** KEYS session. ARGV now. Answers the value of what was live; what cannot be read goes as well. */
export const DELETE = script(`
local now = tonumber(ARGV[1])
-- a key of another type is nothing that can be followed
if type(redis.pcall('GET', KEYS[1])) == 'table' then
  redis.call('DEL', KEYS[1])
  return nil
end
local key, value = locate(KEYS[1], now)
redis.call('DEL', KEYS[1])
if not value then return nil end
local _, expires = times(value)
if not expires then
  redis.call('DEL', key)
  return nil
end
remove(key, value)
if expires <= now then return nil end
return value
`);

/**
 * KEYS index. ARGV now, limit, createdAt and handle of the place to go on behind ('' from the start). Answers the place
 * of the last one, as createdAt and handle with a dot between, when there are more ('' at the end); then hash and value
 * in turn.
 */
export const LIST = script(`
local index, now, limit = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local from, after = ARGV[3] ~= '' and ARGV[3] or '+inf', tonumber(ARGV[3])
local found, answer, offset, place = 0, { '' }, 0, ''
while true do
  local gone = 0
  local members = redis.call('ZREVRANGEBYSCORE', index, from, '-inf', 'WITHSCORES', 'LIMIT', offset, 256)
  for i = 1, #members, 2 do
    local member, score = members[i], members[i + 1]
    local handle = string.sub(member, 1, 20)
    if tonumber(score) ~= after or handle < ARGV[4] then
      local value = liveValue(index, member, now)
      if not value then
        gone = gone + 1
      elseif found == limit then
        answer[1] = place
        return answer
      else
        found, place = found + 1, score .. '.' .. handle
        answer[#answer + 1] = string.sub(member, 21)
        answer[#answer + 1] = value
      end
    end
  end
  if #members < 512 then return answer end
  offset = offset + 256 - gone
end
`);

/** KEYS index. ARGV now, handle. Answers whether that session was live and is ended. */
export const DELETE_BY_HANDLE = script(`
local index = KEYS[1]
for _, member in ipairs(redis.call('ZRANGE', index, 0, -1)) do
  if string.sub(member, 1, 20) == ARGV[2] then
    local value, key = liveValue(index, member, tonumber(ARGV[1]))
    if not value then return 0 end
    redis.call('DEL', key)
    redis.call('ZREM', index, member)
    return 1
  end
end
return 0
`);

/** KEYS index. ARGV now, limit, handle to leave ('' none). Answers 'more' or 'end', then the handles ended. */
export const DELETE_BY_USER = script(`
local index, now, limit = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local members = redis.call('ZRANGE', index, 0, limit + 1)
local seen, answer = 0, { 'end' }
for _, member in ipairs(members) do
  local handle = string.sub(member, 1, 20)
  if handle ~= ARGV[3] then
    if seen == limit then
      answer[1] = 'more'
      return answer
    end
    seen = seen + 1
    local value, key = liveValue(index, member, now)
    if value then
      redis.call('DEL', key)
      redis.call('ZREM', index, member)
      answer[#answer + 1] = handle
    end
  end
end
return answer
`);

/**
 * KEYS index. ARGV now, score to go on behind, the most sessions to look at, then pairs. Answers how many were
 * changed, and the score to go on behind ('' at the end). Sessions of one score are done in one step.
 */
export const UPDATE_BY_USER = script(`
local index, now = KEYS[1], tonumber(ARGV[1])
local members = redis.call('ZRANGEBYSCORE', index, ARGV[2], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3])
if #members == 0 then return { 0, '' } end
local last = members[#members]
local todo = {}
for i = 1, #members, 2 do
  if members[i + 1] ~= last then todo[#todo + 1] = members[i] end
end
for _, member in ipairs(redis.call('ZRANGEBYSCORE', index, last, last)) do todo[#todo + 1] = member end
local changed = 0
for _, member in ipairs(todo) do
  local value, key = liveValue(index, member, now)
  if value then
    redis.call('SET', key, string.sub(value, 1, HEADER) .. merge(value, 4), 'KEEPTTL')
    changed = changed + 1
  end
end
-- fewer than asked for: these were the last
if #members < 2 * tonumber(ARGV[3]) then last = '' end
return { changed, last }
`);
