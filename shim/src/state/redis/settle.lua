-- KEYS queue; ARGV now, group, owner, 'done', 'dead', 'retry' or 'put_off', time of the retry, id, most
-- dead that are kept, time to keep the dead in ms
local q, now, group, outcome = KEYS[1], tonumber(ARGV[1]), ARGV[2], ARGV[4]
local list = q .. ':t:' .. group
local number = redis.call('LINDEX', list, 0)
local owned = redis.call('HGET', q .. ':owner', group) == ARGV[3]
if not number then
  return 0
end
local current = redis.call('HGET', q .. ':m:' .. number, 'id') == ARGV[6]
-- A delivered message is deleted also by who lost the lease.
if not (owned or current and outcome == 'done') then
  return 0
end
if owned then
  redis.call('HDEL', q .. ':owner', group)
end
if current and (outcome == 'retry' or outcome == 'put_off') then
  if outcome == 'retry' then
    redis.call('HINCRBY', q .. ':m:' .. number, 'attempts', 1)
  end
  redis.call('ZADD', q .. ':due', ARGV[5], group)
  return 1
end
if current then
  redis.call('LPOP', list)
  redis.call('DECR', q .. ':waiting')
  if outcome == 'dead' then
    redis.call('ZADD', q .. ':dead', now, number)
    redis.call('HSET', q .. ':m:' .. number, 'died', now)
    -- Gone in time also if nobody reads the queue any more.
    redis.call('PEXPIRE', q .. ':m:' .. number, ARGV[8])
    local over = redis.call('ZCARD', q .. ':dead') - ARGV[7]
    if over > 0 then
      for _, old in ipairs(redis.call('ZRANGE', q .. ':dead', 0, over - 1)) do
        redis.call('DEL', q .. ':m:' .. old)
      end
      redis.call('ZREMRANGEBYRANK', q .. ':dead', 0, over - 1)
    end
  else
    redis.call('DEL', q .. ':m:' .. number)
  end
end
if redis.call('EXISTS', list) == 0 then
  redis.call('ZREM', q .. ':due', group)
  redis.call('HDEL', q .. ':owner', group)
elseif owned then
  redis.call('ZADD', q .. ':due', now, group)
end
return (owned and current) and 1 or 0
