-- KEYS queue; ARGV now, group, owner, 'done', 'dead' or 'retry', time of the retry
local q, now, group = KEYS[1], tonumber(ARGV[1]), ARGV[2]
if redis.call('HGET', q .. ':owner', group) ~= ARGV[3] then
  return 0
end
redis.call('HDEL', q .. ':owner', group)
local list = q .. ':t:' .. group
local number = redis.call('LINDEX', list, 0)
if ARGV[4] == 'retry' then
  redis.call('HINCRBY', q .. ':m:' .. number, 'attempts', 1)
  redis.call('ZADD', q .. ':due', ARGV[5], group)
  return 1
end
redis.call('LPOP', list)
redis.call('DECR', q .. ':waiting')
if ARGV[4] == 'dead' then
  redis.call('ZADD', q .. ':dead', now, number)
  redis.call('HSET', q .. ':m:' .. number, 'died', now)
else
  redis.call('DEL', q .. ':m:' .. number)
end
if redis.call('EXISTS', list) == 1 then
  redis.call('ZADD', q .. ':due', now, group)
else
  redis.call('ZREM', q .. ':due', group)
end
return 1
