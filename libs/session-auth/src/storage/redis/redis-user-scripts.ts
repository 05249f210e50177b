import { sessionScript } from './redis-session-prelude.js';

/* The scripts that take the index of a user. */

/**
 * KEYS index. ARGV now, limit, createdAt and handle of the last session of the page before ('' for the first page).
 * Returns createdAt and handle of the last session of this page, with a dot between, or '' when there are no more; then
 * hash and value of each session.
 */
export const LIST = sessionScript(`
local index, now, limit = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local from, after = ARGV[3] ~= '' and ARGV[3] or '+inf', tonumber(ARGV[3])
local found, page, offset, place = 0, { '' }, 0, ''
while true do
  -- the index in steps of 256 members, newest first
  local gone = 0
  local members = redis.call('ZREVRANGEBYSCORE', index, from, '-inf', 'WITHSCORES', 'LIMIT', offset, 256)
  for i = 1, #members, 2 do
    local member, score = members[i], members[i + 1]
    local handle = string.sub(member, 1, 20)
    -- of the members with the place's own score, those with lower handles come after it
    if tonumber(score) ~= after or handle < ARGV[4] then
      local value = liveValue(index, member, now)
      if not value then
        gone = gone + 1
      elseif found == limit then
        page[1] = place
        return page
      else
        found, place = found + 1, score .. '.' .. handle
        page[#page + 1] = string.sub(member, 21)
        page[#page + 1] = value
      end
    end
  end
  if #members < 512 then return page end
  -- what liveValue removed does not count
  offset = offset + 256 - gone
end
`);

/** KEYS index. ARGV now, handle. Returns 1 when it ended a live session, else 0. */
export const DELETE_BY_HANDLE = sessionScript(`
local index = KEYS[1]
local member = memberOf(index, ARGV[2])
if not member then return 0 end
local value, key = liveValue(index, member, tonumber(ARGV[1]))
if not value then return 0 end
redis.call('DEL', key)
redis.call('ZREM', index, member)
return 1
`);

/**
 * KEYS index. ARGV now, limit, handle to leave ('' none). Returns 'more' or 'end', then the handles of ended sessions.
 */
export const DELETE_BY_USER = sessionScript(`
local index, now, limit = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local members = redis.call('ZRANGE', index, 0, limit + 1)
local seen, reply = 0, { 'end' }
for _, member in ipairs(members) do
  local handle = string.sub(member, 1, 20)
  if handle ~= ARGV[3] then
    if seen == limit then
      reply[1] = 'more'
      return reply
    end
    seen = seen + 1
    local value, key = liveValue(index, member, now)
    if value then
      redis.call('DEL', key)
      redis.call('ZREM', index, member)
      reply[#reply + 1] = handle
    end
  end
end
return reply
`);

/**
 * KEYS index. ARGV now, lowest score, the most sessions to look at, then pairs of line and JSON. Returns how many it
 * changed, and the score after which the next step starts ('' at the end). Sessions of one score are changed in one
 * step.
 */
export const UPDATE_BY_USER = sessionScript(`
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
-- fewer than the most: these were the last
if #members < 2 * tonumber(ARGV[3]) then last = '' end
return { changed, last }
`);
