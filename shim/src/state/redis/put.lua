-- KEYS queue; ARGV now, id, group, body, time to remember ids in ms, most that may wait, time to keep
-- the dead in ms
local q, now = KEYS[1], tonumber(ARGV[1])
redis.call('ZREMRANGEBYSCORE', q .. ':seen', '-inf', now)
if redis.call('ZSCORE', q .. ':seen', ARGV[2]) then
  return 'repeat'
end
if tonumber(redis.call('GET', q .. ':waiting') or '0') >= tonumber(ARGV[6]) then
  return 'full'
end
redis.call('ZADD', q .. ':seen', now + ARGV[5], ARGV[2])
local number = redis.call('INCR', q .. ':number')
redis.call('HSET', q .. ':m:' .. number, 'id', ARGV[2], 'group', ARGV[3], 'body', ARGV[4], 'attempts', 0)
redis.call('RPUSH', q .. ':t:' .. ARGV[3], number)
redis.call('ZADD', q .. ':due', 'NX', now, ARGV[3])
redis.call('INCR', q .. ':waiting')
return 'stored'
