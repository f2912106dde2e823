-- KEYS queue; ARGV now, id, group, body, time to remember ids in ms, most that may wait
local q, now = KEYS[1], tonumber(ARGV[1])
for _, id in ipairs(redis.call('ZRANGEBYSCORE', q .. ':seen', '-inf', now, 'LIMIT', 0, 100)) do
  redis.call('ZREM', q .. ':seen', id)
end
if tonumber(redis.call('ZSCORE', q .. ':seen', ARGV[2]) or now) > now then
  return 'repeat'
end
if tonumber(redis.call('GET', q .. ':waiting') or '0') >= tonumber(ARGV[6]) then
  return 'full'
end
redis.call('ZADD', q .. ':seen', now + ARGV[5], ARGV[2])
-- Numbers of one length sort as texts, too: of the dead, those of one moment keep their order.
local number = string.format('%016d', redis.call('INCR', q .. ':number'))
redis.call('HSET', q .. ':m:' .. number, 'id', ARGV[2], 'group', ARGV[3], 'body', ARGV[4], 'attempts', 0)
redis.call('RPUSH', q .. ':t:' .. ARGV[3], number)
redis.call('ZADD', q .. ':due', 'NX', now, ARGV[3])
redis.call('INCR', q .. ':waiting')
return 'stored'
