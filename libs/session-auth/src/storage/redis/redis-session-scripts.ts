import { sessionScript } from './redis-session-prelude.js';

/* The scripts that take the key of one session. The last argument of each is the channel of the link, or ''. */

/**
 * KEYS session, index (absent: anonymous). ARGV now, value, ttl, member, createdAt, ttl of the index, max (0: no
 * limit), policy, sharedFor, handle of the session to replace ('': no session), how long that may have been used (''
 * any time). Returns { 'exists', handle }, { 'in_use' }, { 'limit_reached' }, or { 'created', evicted handles, replaced
 * handles }.
 */
export const CREATE = sessionScript(`
local key, index, now = KEYS[1], KEYS[2], tonumber(ARGV[1])
-- a live session that has the handle stays; what is left of another one is overwritten
local namesake = redis.pcall('GET', key)
if type(namesake) == 'string' then
  local _, expires = times(namesake)
  if expires and expires > now and not hasEnded(key, namesake) then return { 'exists', string.sub(key, -HANDLE) } end
end
local evicted, replaced = {}, {}
if index then
  local max, device, named = tonumber(ARGV[7]), string.sub(ARGV[4], HANDLE + 1), ARGV[10]
  local members = {}
  if max > 0 then
    members = redis.call('ZRANGE', index, 0, -1)
  else
    -- nothing is counted: a few of the oldest are looked at, so that the index stays small
    for _, member in ipairs(redis.call('ZRANGE', index, 0, 9)) do liveValue(index, member, now) end
    if device ~= '' or named ~= '' then members = redis.call('ZRANGE', index, -500, -1) end
  end
  -- the live sessions that are to leave, and with a limit the others, in the order of createdAt
  local leaving, others, shared, isInUse = {}, {}, nil, false
  for place, member in ipairs(members) do
    local handle = string.sub(member, 1, HANDLE)
    local isNamed, isOfDevice = handle == named, device ~= '' and string.sub(member, HANDLE + 1) == device
    local value = (max > 0 or isNamed or isOfDevice) and liveValue(index, member, now)
    if value and (isNamed or isOfDevice) then
      local last, created = times(value), tonumber(field(value, 'c'))
      if isOfDevice and created and math.max(now - created, 0) < tonumber(ARGV[9]) then shared = shared or handle end
      if isNamed and created and last - created > (tonumber(ARGV[11]) or math.huge) then isInUse = true end
      leaving[#leaving + 1] = member
    elseif value then
      others[#others + 1] = { member = member, place = place, last = times(value) }
    end
  end
  if shared then return { 'exists', shared } end
  if isInUse then return { 'in_use' } end
  -- how many of the others have to leave
  local surplus = max > 0 and #others - max + 1 or 0
  if surplus > 0 then
    if ARGV[8] == 'reject' then return { 'limit_reached' } end
    if ARGV[8] == 'evict-least-recent' then
      table.sort(others, function(a, b) return a.last < b.last or (a.last == b.last and a.place < b.place) end)
    end
    for i = 1, surplus do
      removeMember(index, others[i].member)
      evicted[i] = string.sub(others[i].member, 1, HANDLE)
    end
  end
  for i, member in ipairs(leaving) do
    removeMember(index, member)
    replaced[i] = string.sub(member, 1, HANDLE)
  end
  local user = userOf(ARGV[2])
  tell('ended', '"evicted"', evicted, user)
  tell('ended', '"replaced"', replaced, user)
  redis.call('ZADD', index, ARGV[5], ARGV[4])
  keepIndex(index, tonumber(ARGV[6]))
end
local value, generation = ARGV[2], generationAt(generationKey(key))
if generation ~= '0' then
  value = value .. LINE_END .. '"y":' .. generation
  keepGeneration(generationKey(key))
end
redis.call('SET', key, value, 'PX', ARGV[3])
return { 'created', evicted, replaced }
`);

/**
 * KEYS sessions, each followed by the key of its generation. ARGV now, idle, interval, then for each session the hash
 * of the presented token, and JSON of the client's address and user agent ('': unchanged). Returns for each: the value;
 * nil if missing; { value } when it expired; {} when it cannot be read.
 */
export const FIND = sessionScript(
  `
local function find(key, hash, ip, agent)
  local value = redis.pcall('GET', key)
  if not value then return false end
  if type(value) ~= 'string' then return {} end
  local last, expires, absolute = times(value)
  if not expires then return {} end
  if hasEnded(key, value) then return false end
  if expires <= now then
    remove(key, value)
    tell('ended', '"expired"', { string.sub(key, -HANDLE) }, userOf(value))
    return { value }
  end
  -- a token that was replaced keeps no session alive
  if now - last < interval or not isHonoured(value, hash, now) then return value end
  -- the codec refuses it
  if isLater(value) then return value end
  local deadline = math.min(now + tonumber(ARGV[2]), absolute)
  local touched = stamp(now) .. stamp(deadline)
  -- a Redis that is full refuses SETRANGE, but not after a write that takes no memory: users stay signed in
  redis.call('PEXPIRE', key, ttl(deadline - now))
  value = touched .. string.sub(value, 27)
  if (ip == '' or ip == field(value, 'i')) and (agent == '' or agent == field(value, 'g')) then
    redis.call('SETRANGE', key, 0, touched)
  else
    local seen = {}
    if ip ~= '' then seen[1], seen[2] = '"i":', ip end
    if agent ~= '' then seen[#seen + 1], seen[#seen + 2] = '"g":', agent end
    value = string.sub(value, 1, HEADER) .. merge(value, seen, 1)
    redis.call('SET', key, value, 'KEEPTTL')
  end
  -- a node whose clock is late lets the session live for longer than its index was made for
  local index = indexOf(key, value)
  if index then keepIndex(index, ttl(deadline - now)) end
  return value
end
for place in pairs(rest) do
  local at = 3 * place + 1
  found[place] = find(KEYS[2 * place - 1], ARGV[at], ARGV[at + 1], ARGV[at + 2])
end
return found
`,
  {
    // sessions that are live and need no touch; the codec checks the rest of the value
    shortcut: `
local now, interval, rest = tonumber(ARGV[1]), tonumber(ARGV[3]), nil
local read, found = redis.call('MGET', unpack(KEYS)), {}
for place = 1, #KEYS / 2 do
  local value, state = read[2 * place - 1], read[2 * place]
  local last, expires = value and tonumber(string.sub(value, 1, 13)), value and tonumber(string.sub(value, 14, 26))
  if last and expires and expires > now and now - last < interval then
    -- as hasEnded: most often there is neither a generation nor a line of it
    local _, at = string.find(value, '\\n"y":', 1, true)
    if at or state then
      local generation, before = string.match(state or '', '^(%d+) (%d+)$')
      if (at and string.match(value, '^%d+', at + 1) or '0') ~= (generation or '0') then value = false end
      if value and before and before ~= '0' then
        local _, from = string.find(value, '\\n"c":', 1, true)
        if (tonumber(from and string.match(value, '^%d+', from + 1)) or 0) < tonumber(before) then value = false end
      end
    end
    found[place] = value
  else
    found[place] = false
    rest = rest or {}
    rest[place] = true
  end
end
if not rest then return found end
`,
  },
);

/**
 * KEYS session. ARGV now, hash, most bytes, then pairs of line and JSON. Returns the new value; 'too_large'; nil
 * without a live session, or if the token of the hash is not honoured. Without a
 * channel the change is not published.
 */
export const UPDATE = sessionScript(`
local key, now = KEYS[1], tonumber(ARGV[1])
local value = redis.call('GET', key)
if not value then return nil end
local _, expires = times(value)
if not expires then return corrupt() end
if expires <= now or hasEnded(key, value) then return nil end
if isLater(value) then return later() end
if not isHonoured(value, ARGV[2], now) then return nil end
local body, before, after = merge(value, ARGV, 4)
if after > tonumber(ARGV[3]) and after > before then return 'too_large' end
value = string.sub(value, 1, HEADER) .. body
redis.call('SET', key, value, 'KEEPTTL')
tell('changed', 'null', { string.sub(key, -HANDLE) }, userOf(value))
return value
`);

/**
 * KEYS session. ARGV now, revision, lastActivityAt, expiresAt, absoluteExpiresAt, hash, createdAt ('': unchanged, for
 * each of the last five), then pairs of line and JSON. Returns the new value; { value } when the revision differs; nil
 * without a live session. Called without a channel when the change is not published.
 */
export const ROTATE = sessionScript(`
local key, now = KEYS[1], tonumber(ARGV[1])
local value = redis.call('GET', key)
if not value then return nil end
local last, expires, absolute = times(value)
local created = tonumber(field(value, 'c'))
if not expires or not created then return corrupt() end
if expires <= now or hasEnded(key, value) then return nil end
if isLater(value) then return later() end
if (tonumber(field(value, 'v')) or 0) ~= tonumber(ARGV[2]) then return { value } end
last, expires, absolute = tonumber(ARGV[3]) or last, tonumber(ARGV[4]) or expires, tonumber(ARGV[5]) or absolute
local hash = ARGV[6] ~= '' and ARGV[6] or string.sub(value, 40, 39 + HASH)
-- what has no line of its own is equal to createdAt: it gets one before createdAt changes
if ARGV[7] ~= '' then
  local isAnonymous = string.byte(value, HEADER) == 46
  for _, name in ipairs(isAnonymous and { 't' } or { 't', 'a' }) do
    if not field(value, name) then
      table.insert(ARGV, 8, stamp(created))
      table.insert(ARGV, 8, '"' .. name .. '":')
    end
  end
end
local header = stamp(last) .. stamp(expires) .. stamp(absolute) .. hash .. string.sub(value, 40 + HASH, HEADER)
local rotated = header .. merge(value, ARGV, 8)
-- the index goes by createdAt and device
local index, before = indexOf(key, value)
if index then
  local _, member = indexOf(key, rotated)
  if member ~= before then redis.call('ZREM', index, before) end
  if member ~= before or ARGV[7] ~= '' then redis.call('ZADD', index, field(rotated, 'c'), member) end
  keepIndex(index, ttl(absolute - now))
end
if ARGV[5] ~= '' then keepGeneration(generationKey(key)) end
if ARGV[4] ~= '' then
  redis.call('SET', key, rotated, 'PX', ttl(expires - now))
else
  redis.call('SET', key, rotated, 'KEEPTTL')
end
tell('changed', 'null', { string.sub(key, -HANDLE) }, userOf(rotated))
return rotated
`);

/**
 * KEYS session, and for the session of a user the key of the reply. ARGV now, user key ('': any user), JSON of the
 * reason. Removes it, even if it cannot be read. Returns the value of a session that was live; '1' when the same
 * command came before and ended it.
 */
export const DELETE = sessionScript(`
local key, answer = KEYS[1], KEYS[2]
local value = redis.pcall('GET', key)
if not value then return answer and redis.call('GET', answer) or nil end
local _, expires
if type(value) == 'string' then _, expires = times(value) end
if not expires then
  redis.call('DEL', key)
  return nil
end
if ARGV[2] ~= '' and string.sub(value, 40 + HASH, HEADER) ~= ARGV[2] then return nil end
local isOver = hasEnded(key, value)
remove(key, value)
-- the end of the realm's sessions was told
if isOver then return nil end
local isLive = expires > tonumber(ARGV[1])
tell('ended', isLive and ARGV[3] or '"expired"', { string.sub(key, -HANDLE) }, userOf(value))
if not isLive then return nil end
if answer then keepAnswer(answer, '1') end
return value
`);
