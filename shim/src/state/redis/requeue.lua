-- KEYS queue; ARGV now, most that are put back, most that may wait, and the ids, all if there is none
local q, now, wanted, put = KEYS[1], tonumber(ARGV[1]), {}, 0
for at = 4, #ARGV do
  wanted[ARGV[at]] = true
end
local most = math.min(ARGV[2], ARGV[3] - (redis.call('GET', q .. ':waiting') or 0))
local dead
if #ARGV == 3 then
  dead = redis.call('ZRANGEBYSCORE', q .. ':dead', '-inf', now, 'LIMIT', 0, math.max(most, 0))
else
  dead = redis.call('ZRANGEBYSCORE', q .. ':dead', '-inf', now)
end
for _, number in ipairs(dead) do
  local m = redis.call('HMGET', q .. ':m:' .. number, 'id', 'group')
  if not m[1] then
    redis.call('ZREM', q .. ':dead', number)
  elseif put < most and (#ARGV == 3 or wanted[m[1]]) then
    redis.call('ZREM', q .. ':dead', number)
    redis.call('HSET', q .. ':m:' .. number, 'attempts', 0)
    redis.call('HDEL', q .. ':m:' .. number, 'died')
    redis.call('PERSIST', q .. ':m:' .. number)
    redis.call('RPUSH', q .. ':t:' .. m[2], number)
    redis.call('ZADD', q .. ':due', 'NX', now, m[2])
    redis.call('INCR', q .. ':waiting')
    put = put + 1
  end
end
return put
