import { HANDLE_LENGTH, HASH_LENGTH } from '../../crypto/session-token.js';
import { corruptRecord } from '../../session/corrupt-record.js';
import { LATEST_RECORD_VERSION, laterRecord, RECORD_VERSION } from '../../session/record-version.js';
import { GENERATION_FUNCTIONS } from './redis-generations.js';
import { KIND, USER_KEY_LENGTH } from './redis-keys.js';
import { HEADER_LENGTH, LINE_END } from './redis-session-codec.js';
import { RedisScript } from './redis-script.js';

/*
 * Every script works on keys of one user or one anonymous session, named in redis-keys.ts: `…{tag}:s:<handle>`, a
 * session, and `…{tag}:u:<user key>`, the index of a user's sessions. A member of an index is the handle of a session,
 * and its device if it has one. A script removes members whose session no longer exists.
 *
 * Scripts find a field by the line break before it, so never inside the data: JSON text has no raw line break, and the
 * keys of data begin with a dot. The first line has no line break before it; it is that of userId or roles.
 */
const PRELUDE = `
local HANDLE, HASH, HEADER, USER_KEY = ${HANDLE_LENGTH}, ${HASH_LENGTH}, ${HEADER_LENGTH}, ${USER_KEY_LENGTH}
${GENERATION_FUNCTIONS}
local VERSION, LATEST = ${RECORD_VERSION}, ${LATEST_RECORD_VERSION}
local LINE_END = '${LINE_END.replace('\n', '\\n')}'
-- the channel on which ends and changes are told, '' for none: always the last argument
local CHANNEL = table.remove(ARGV)

-- lastActivityAt, expiresAt, absoluteExpiresAt of a value; nil when it is no record
local TIMES = '^' .. string.rep('%d', 39)
local function times(value)
  if #value < HEADER or not string.find(value, TIMES) then return nil end
  return tonumber(string.sub(value, 1, 13)), tonumber(string.sub(value, 14, 26)), tonumber(string.sub(value, 27, 39))
end

-- the JSON of a field; nil when there is no line of it
local function field(value, name)
  local _, last = string.find(value, '\\n"' .. name .. '":', 1, true)
  if not last then return nil end
  local next = string.find(value, LINE_END, last, true) or #value + 1
  return string.sub(value, last + 1, next - 1)
end

-- the key of the generation of a session, by its key
local function generationKey(key) return string.sub(key, 1, -HANDLE - 3) .. '${KIND.sessionGeneration}:' end

-- whether a session has ended with its realm
local function hasEnded(key, value)
  local generation, before = generationAt(generationKey(key))
  if (field(value, 'y') or '0') ~= generation then return true end
  return before > 0 and (tonumber(field(value, 'c')) or 0) < before
end

-- whether the token with a hash lets requests pass, see session-tokens.ts
local function isHonoured(value, hash, now)
  if string.sub(value, 40, 39 + HASH) == hash then return true end
  local tokens = field(value, 'k') or ''
  -- ["<kind>","<hash>",<at>
  local first, last = string.find(tokens, '","' .. hash .. '",', 1, true)
  if not first then return false end
  local kind, at = string.sub(tokens, first - 1, first - 1), tonumber(string.match(tokens, '^[^],]+', last + 1)) or 0
  return kind == 's' or (kind == 'h' and at > now)
end

-- a time to live for Redis, which refuses 0 and would stop in the middle of a script
local function ttl(time) return math.max(time, 1) end

local function stamp(time) return string.format('%013.0f', time) end

local function corrupt() return redis.error_reply('CORRUPT session record') end

-- the version of a value, see record-version.ts
local function versionOf(value) return tonumber(field(value, 'z')) or 1 end

-- whether only later nodes may read and change a value
local function isLater(value) return versionOf(value) > LATEST end

local function later() return redis.error_reply('LATER session record') end

-- the index of a session's user and the member there, from its key and value; nil for an anonymous session
local function indexOf(key, value)
  local user = string.sub(value, 40 + HASH, HEADER)
  if string.byte(user) == 46 then return nil end
  local index = string.sub(key, 1, -HANDLE - 3) .. '${KIND.userSessions}:' .. user
  return index, string.sub(key, -HANDLE) .. string.sub(field(value, 'd') or '', 2, -2)
end

-- the session's key, from an index and a member of it
local function sessionOf(index, member)
  return string.sub(index, 1, -USER_KEY - 3) .. '${KIND.session}:' .. string.sub(member, 1, HANDLE)
end

-- the JSON of a session's user, null for an anonymous one: userId has the first line, if any
local function userOf(value)
  if string.sub(value, HEADER + 1, HEADER + 4) ~= '"u":' then return 'null' end
  local next = string.find(value, LINE_END, HEADER + 5, true) or #value + 1
  return string.sub(value, HEADER + 5, next - 1)
end

-- tells the nodes of sessions of a user, see redis-link-message.ts: kind, JSON of the reason, handles
local function tell(kind, reason, handles, user)
  if CHANNEL == '' or #handles == 0 then return end
  local message = '["' .. kind .. '",' .. reason .. ',"' .. table.concat(handles, ' ') .. '",' .. user .. ']'
  redis.call('PUBLISH', CHANNEL, message)
end

-- removes a session that an index has
local function removeMember(index, member)
  redis.call('DEL', sessionOf(index, member))
  redis.call('ZREM', index, member)
end

-- removes a session, whether or not it has a user
local function remove(key, value)
  redis.call('DEL', key)
  local index, member = indexOf(key, value)
  if index then redis.call('ZREM', index, member) end
end

-- value and key of an index's member if its session is live; otherwise removes both and returns nil
local function liveValue(index, member, now)
  local key = sessionOf(index, member)
  local value = redis.pcall('GET', key)
  local expires
  if type(value) == 'string' then
    local _
    _, expires = times(value)
    if expires and hasEnded(key, value) then
      expires = nil
    elseif expires and expires > now then
      return value, key
    end
  end
  if value then redis.call('DEL', key) end
  redis.call('ZREM', index, member)
  if expires then tell('ended', '"expired"', { string.sub(member, 1, HANDLE) }, userOf(value)) end
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

-- A client that loses its connection sends a command again (autoResendUnfulfilledCommands, and always in a cluster). What
-- the first one has ended is not there any more, so its answer is kept for as long as that may take.
local function keepAnswer(key, answer)
  redis.call('SET', key, answer, 'PX', 60000)
end

-- merges lines into those of a value: from place first on, a list has pairs of beginning and JSON, where empty JSON
-- removes a line, and of two pairs with one beginning the latter counts; returns all lines, and the bytes of session
-- data before and after
local function merge(value, list, first)
  local given, merged, before, after = {}, {}, 0, 0
  -- what has been changed here is of this version, unless it is of a later one
  if versionOf(value) < VERSION then list[#list + 1], list[#list + 2] = '"z":', tostring(VERSION) end
  for i = first, #list, 2 do given[list[i]] = list[i + 1] end
  local function add(line)
    merged[#merged + 1] = line
    if string.byte(line, 2) == 46 then after = after + #line - 1 end
  end
  for line in string.gmatch(string.sub(value, HEADER + 1) .. LINE_END, '(.-)' .. LINE_END) do
    if string.byte(line, 2) == 46 then before = before + #line - 1 end
    local beginning = beginningOf(line)
    local json = given[beginning]
    if not json then add(line) elseif json ~= '' then add(beginning .. json) end
    given[beginning] = nil
  end
  for i = first, #list, 2 do
    local json = given[list[i]]
    if json and json ~= '' then add(list[i] .. json) end
    given[list[i]] = nil
  end
  return table.concat(merged, LINE_END), before, after
end
`;

/**
 * Returns a script of the session store: the shared functions, then the body. A shortcut runs before the functions, and
 * can return before Redis creates them, which happens in each call.
 */
export function sessionScript(body: string, { shortcut = '' } = {}): RedisScript {
  return new RedisScript(shortcut + PRELUDE + body);
}

/** Returns the store's error for an error of Redis: `corrupt_session_record` for a value that is not a record. */
export function asStoreError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error.message.includes('LATER session record')) return laterRecord('of a later version', error);
  return /CORRUPT session record|WRONGTYPE/.test(error.message) ? corruptRecord(error) : error;
}
