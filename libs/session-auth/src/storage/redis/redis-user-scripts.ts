import { sessionScript } from './redis-session-prelude.js';

/* The scripts that take the index of a user. The last argument of each is the channel of the link, or ''. */

/**
 * KEYS index. ARGV now, limit, createdAt and handle of the last session of the previous page ('' for the first page).
 * Returns createdAt and handle of the last session of this page, separated by a dot, or '' on the last page; then
 * handle and value of each session.
 */
export const LIST = sessionScript(`
-- byte by byte, as a sorted set does: the operator goes by the server's locale
local function isLess(handle, other)
  for i = 1, HANDLE do
    local ours, others = string.byte(handle, i), string.byte(other, i)
    if ours ~= others then return ours < others end
  end
  return false
end

local index, now, limit = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local from, after = ARGV[3] ~= '' and ARGV[3] or '+inf', tonumber(ARGV[3])
local found, page, offset, place = 0, { '' }, 0, ''
while true do
  -- the index in steps of 256 members, newest first
  local gone = 0
  local members = redis.call('ZREVRANGEBYSCORE', index, from, '-inf', 'WITHSCORES', 'LIMIT', offset, 256)
  for i = 1, #members, 2 do
    local member, score = members[i], members[i + 1]
    local handle = string.sub(member, 1, HANDLE)
    -- of the members with the place's own score, those with lower handles come after it
    if tonumber(score) ~= after or isLess(handle, ARGV[4]) then
      local value = liveValue(index, member, now)
      if not value then
        gone = gone + 1
      elseif found == limit then
        page[1] = place
        return page
      else
        found, place = found + 1, score .. '.' .. handle
        page[#page + 1] = handle
        page[#page + 1] = value
      end
    end
  end
  if #members < 512 then return page end
  -- what liveValue removed does not count
  offset = offset + 256 - gone
end
`);

/**
 * KEYS index, key of the reply. ARGV now, limit, handle to keep ('': keep none), JSON of the reason. Returns 'more' or
 * 'end', and the handles of ended sessions, separated by blanks; the same if the command is sent again.
 */
export const DELETE_BY_USER = sessionScript(`
local given = redis.call('GET', KEYS[2])
if given then return given end
local index, now, limit = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local members = redis.call('ZRANGE', index, 0, limit + 1)
local seen, reply, ended, user = 0, { 'end' }, {}, nil
for _, member in ipairs(members) do
  local handle = string.sub(member, 1, HANDLE)
  if handle ~= ARGV[3] then
    if seen == limit then
      reply[1] = 'more'
      break
    end
    seen = seen + 1
    local value = liveValue(index, member, now)
    if value then
      removeMember(index, member)
      reply[#reply + 1] = handle
      ended[#ended + 1] = handle
      user = user or userOf(value)
    end
  end
end
tell('ended', ARGV[4], ended, user)
local answer = table.concat(reply, ' ')
if #reply > 1 then keepAnswer(KEYS[2], answer) end
return answer
`);

/**
 * KEYS index. ARGV now, lowest score, the most sessions to read, JSON of roles ('': unchanged), then pairs of line and
 * JSON. Adds 1 to the revision of each session, and appends its roles to formerRoles if they change. Returns how many
 * it changed, and the score after which the next step starts ('' at the end). Sessions of one score are changed in one
 * step. If one session of a step is of a later version, none is changed.
 */
export const UPDATE_BY_USER = sessionScript(`
local index, now, roles = KEYS[1], tonumber(ARGV[1]), ARGV[4]
local members = redis.call('ZRANGEBYSCORE', index, ARGV[2], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3])
if #members == 0 then return { 0, '' } end
local last = members[#members]
local todo = {}
for i = 1, #members, 2 do
  if members[i + 1] ~= last then todo[#todo + 1] = members[i] end
end
for _, member in ipairs(redis.call('ZRANGEBYSCORE', index, last, last)) do todo[#todo + 1] = member end
local live = {}
for _, member in ipairs(todo) do
  local value, key = liveValue(index, member, now)
  if value and isLater(value) then return later() end
  if value then live[#live + 1] = { member, value, key } end
end
local changed, user = {}, nil
for i, session in ipairs(live) do
  local member, value, key = unpack(session)
  local lines = { '"v":', string.format('%.0f', (tonumber(field(value, 'v')) or 0) + 1) }
  local before = field(value, 'r')
  if roles ~= '' and before and before ~= roles then
    local former = field(value, 'h')
    lines[3], lines[4] = '"r":', roles
    lines[5], lines[6] = '"h":', (former and string.sub(former, 1, -2) .. ',' or '[') .. before .. ']'
  end
  for place = 5, #ARGV do lines[#lines + 1] = ARGV[place] end
  redis.call('SET', key, string.sub(value, 1, HEADER) .. merge(value, lines, 1), 'KEEPTTL')
  changed[i] = string.sub(member, 1, HANDLE)
  user = user or userOf(value)
end
-- fewer than the most: these were the last
if #members < 2 * tonumber(ARGV[3]) then last = '' end
tell('changed', 'null', changed, user)
return { #changed, last }
`);
