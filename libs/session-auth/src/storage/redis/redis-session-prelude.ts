import { corruptRecord } from '../../session/corrupt-record.js';
import { KIND, USER_KEY_LENGTH } from './redis-keys.js';
import { HASH_LENGTH, HEADER_LENGTH, LINE_END } from './redis-session-codec.js';
import { RedisScript } from './redis-script.js';

/*
 * Every script works on keys of one user or one anonymous session, named in redis-keys.ts: `…{tag}:s:<hash>`, a
 * session, and `…{tag}:u:<user key>`, the index of a user's sessions. A member of an index is handle and hash, 20 and
 * 43 characters.
 *
 * After a rotation the old session key holds `>`, the time when its grace ends (13 digits) and the new hash. Several
 * rotations make a chain, which is followed up to the first key whose grace is over: no digest outlives a newer one.
 */
const PRELUDE = `
local HASH, HEADER, USER_KEY = ${HASH_LENGTH}, ${HEADER_LENGTH}, ${USER_KEY_LENGTH}

-- the session's key and value, through the chain that rotations have left; false when there is none
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

-- lastActivityAt, expiresAt, absoluteExpiresAt of a value; nil when it is no record
local TIMES = '^' .. string.rep('%d', 39)
local function times(value)
  if #value < HEADER or not string.find(value, TIMES) then return nil end
  return tonumber(string.sub(value, 1, 13)), tonumber(string.sub(value, 14, 26)), tonumber(string.sub(value, 27, 39))
end

-- a time to live for Redis, which refuses 0 and would stop in the middle of a script
local function ttl(time) return math.max(time, 1) end

local function stamp(time) return string.format('%013.0f', time) end

local function corrupt() return redis.error_reply('CORRUPT session record') end

-- the index of a session's user and the member there, from its key and value; nil for an anonymous session
local function indexOf(key, value)
  local user = string.sub(value, 60, 81)
  if string.byte(user) == 46 then return nil end
  local index = string.sub(key, 1, -HASH - 3) .. '${KIND.userSessions}:' .. user
  return index, string.sub(value, 40, 59) .. string.sub(key, -HASH)
end

-- the session's key, from an index and a member of it
local function sessionOf(index, member)
  return string.sub(index, 1, -USER_KEY - 3) .. '${KIND.session}:' .. string.sub(member, 21)
end

local function remove(key, value)
  redis.call('DEL', key)
  local index, member = indexOf(key, value)
  if index then redis.call('ZREM', index, member) end
end

-- value and key of an index's member if its session is live; otherwise removes both and returns nil
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

-- the member of a handle in an index, found without sending all members to the script; nil when there is none
local function memberOf(index, handle)
  -- not a handle, and MATCH could take it for a pattern
  if string.find(handle, '[^%w_-]') then return nil end
  local cursor = '0'
  repeat
    local page = redis.call('ZSCAN', index, cursor, 'MATCH', handle .. '*', 'COUNT', 1000)
    for i = 1, #page[2], 2 do
      if string.sub(page[2][i], 1, 20) == handle then return page[2][i] end
    end
    cursor = page[1]
  until cursor == '0'
  return nil
end

-- lets an index live at least as long as a session in it can
local function keepIndex(index, time)
  if redis.call('PTTL', index) < time then redis.call('PEXPIRE', index, time) end
end

-- the beginning of a line up to its colon: a quote after an even number of backslashes ends the name
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

-- merges lines into those of a value: from number first on, ARGV has pairs of beginning and JSON, where empty JSON
-- removes a line; returns all lines, and the bytes of session data before and after
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
    local json = given[ARGV[i]]
    if json and json ~= '' then add(ARGV[i] .. json) end
    given[ARGV[i]] = nil
  end
  return table.concat(merged, '${LINE_END.replace('\n', '\\n')}'), before, after
end
`;

/**
 * Returns a script of the session store: the functions that all of them share, then the body. A shortcut runs before
 * the functions, and can return before Redis creates them, which it does anew in each call.
 */
export function sessionScript(body: string, { shortcut = '' } = {}): RedisScript {
  return new RedisScript(shortcut + PRELUDE + body);
}

/** Returns the error that a store throws for an error of Redis: `corrupt_session_record` where a value is no record. */
export function asStoreError(error: unknown): unknown {
  const isCorrupt = error instanceof Error && /CORRUPT session record|WRONGTYPE/.test(error.message);
  return isCorrupt ? corruptRecord(error) : error;
}
