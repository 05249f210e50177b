import { sessionScript } from './redis-session-prelude.js';

/* The scripts that take the key of one session. */

/**
 * KEYS session, index (none: anonymous). ARGV now, value, ttl, member, createdAt, ttl of the index, max (0: no limit),
 * policy. Returns 'exists', 'limit_reached' or the evicted handles.
 */
export const CREATE = sessionScript(`
local evicted = {}
local index, now = KEYS[2], tonumber(ARGV[1])
-- what the digest finds already: a live session stays, what is left of an expired one goes
local key, value = locate(KEYS[1], now)
if value then
  local _, expires = times(value)
  if expires and expires > now then return 'exists' end
  if expires then remove(key, value) end
end
if index then
  -- whether a live session of the user has the handle already
  local max, handle = tonumber(ARGV[7]), string.sub(ARGV[4], 1, 20)
  for _, member in ipairs(redis.call('ZREVRANGE', index, 0, max > 0 and -1 or 499)) do
    if string.sub(member, 1, 20) == handle and liveValue(index, member, now) then return 'exists' end
  end
  -- the live sessions; without a limit only a few of the oldest are looked at, so that the index stays small
  local live = {}
  for place, member in ipairs(redis.call('ZRANGE', index, 0, max > 0 and -1 or 9)) do
    local value = liveValue(index, member, now)
    if value then live[#live + 1] = { member = member, place = place, last = tonumber(string.sub(value, 1, 13)) } end
  end
  -- how many of them have to leave
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

/**
 * KEYS sessions. ARGV now, idle, interval. Returns for each: the value; nil when there is none; { hash, value } when
 * the digest was replaced; { '', value } when it expired; {} when it cannot be read.
 */
export const FIND = sessionScript(
  `
local function find(key)
  local asked, value = key, nil
  key, value = locate(key, now)
  if not value then return false end
  local last, expires, absolute = times(value)
  if not expires then return {} end
  if expires <= now then
    remove(key, value)
    return { '', value }
  end
  if now - last >= interval then
    local deadline = math.min(now + tonumber(ARGV[2]), absolute)
    local touched = stamp(now) .. stamp(deadline)
    -- a Redis that is full refuses SETRANGE, but not after a write that takes no memory: users stay signed in
    redis.call('PEXPIRE', key, ttl(deadline - now))
    redis.call('SETRANGE', key, 0, touched)
    -- a node whose clock is late lets the session live for longer than its index was made for
    local index = indexOf(key, value)
    if index then keepIndex(index, ttl(deadline - now)) end
    value = touched .. string.sub(value, 27)
  end
  if key == asked then return value end
  return { string.sub(key, -HASH), value }
end
for place, key in pairs(rest) do found[place] = find(key) end
return found
`,
  {
    // sessions that are live by this digest and not due for a touch; the codec checks the rest of the value
    shortcut: `
local now, interval, rest = tonumber(ARGV[1]), tonumber(ARGV[3]), nil
local found = redis.call('MGET', unpack(KEYS))
for place, key in ipairs(KEYS) do
  local value = found[place]
  local last, expires = value and tonumber(string.sub(value, 1, 13)), value and tonumber(string.sub(value, 14, 26))
  if not (last and expires and expires > now and now - last < interval) then
    rest = rest or {}
    rest[place] = key
  end
end
if not rest then return found end
`,
  },
);

/** KEYS session. ARGV now, most bytes, then pairs of line and JSON. Returns the new value, 'too_large', or nil. */
export const UPDATE = sessionScript(`
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
 * each), then pairs of line and JSON. Returns the new value, 'superseded', or nil.
 */
export const ROTATE = sessionScript(`
local now, grace = tonumber(ARGV[1]), tonumber(ARGV[2])
local key, value = locate(KEYS[1], now)
if not value then return nil end
local last, expires, absolute = times(value)
if not expires then return corrupt() end
if expires <= now then return nil end
if key ~= KEYS[1] then return 'superseded' end
last, expires, absolute = tonumber(ARGV[3]) or last, tonumber(ARGV[4]) or expires, tonumber(ARGV[5]) or absolute
-- a value without a line for authenticatedAt takes it from createdAt: it gets the line before createdAt changes
if ARGV[6] ~= '' and string.byte(value, 60) ~= 46 and not string.find(value, '\\n"a":', 1, true) then
  table.insert(ARGV, 7, string.match(value, '\\n"c":(%d+)'))
  table.insert(ARGV, 7, '"a":')
end
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

/** KEYS session. ARGV now. Removes it, also when it cannot be read. Returns the value of a session that was live. */
export const DELETE = sessionScript(`
local now = tonumber(ARGV[1])
-- a key of another type leads to no session
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
