-- KEYS queue; ARGV now, and the ids, all if there is none
local q, now, wanted, put = KEYS[1], tonumber(ARGV[1]), {}, 0
for at = 2, #ARGV do
  wanted[ARGV[at]] = true
end
for _, number in ipairs(redis.call('ZRANGE', q .. ':dead', 0, -1)) do
  local m = redis.call('HMGET', q .. ':m:' .. number, 'id', 'group')
  if #ARGV == 1 or wanted[m[1]] then
    redis.call('ZREM', q .. ':dead', number)
    redis.call('HSET', q .. ':m:' .. number, 'attempts', 0)
    redis.call('HDEL', q .. ':m:' .. number, 'died')
    redis.call('RPUSH', q .. ':t:' .. m[2], number)
    redis.call('ZADD', q .. ':due', 'NX', now, m[2])
    redis.call('INCR', q .. ':waiting')
    put = put + 1
  end
end
return put
