-- KEYS queue; ARGV now, lease in ms, owner, time to keep the dead in ms
local q, now = KEYS[1], tonumber(ARGV[1])
local old = redis.call('ZRANGEBYSCORE', q .. ':dead', '-inf', now - ARGV[4], 'LIMIT', 0, 100)
for _, number in ipairs(old) do
  redis.call('ZREM', q .. ':dead', number)
  redis.call('DEL', q .. ':m:' .. number)
end
local group = redis.call('ZRANGEBYSCORE', q .. ':due', '-inf', now, 'LIMIT', 0, 1)[1]
if not group then
  return {}
end
local number = redis.call('LINDEX', q .. ':t:' .. group, 0)
redis.call('ZADD', q .. ':due', now + ARGV[2], group)
redis.call('HSET', q .. ':owner', group, ARGV[3])
local m = redis.call('HMGET', q .. ':m:' .. number, 'id', 'body', 'attempts')
return { group, m[1], m[2], m[3] }
