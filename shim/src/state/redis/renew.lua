-- KEYS queue; ARGV now, lease in ms, group, owner
local q = KEYS[1]
if redis.call('HGET', q .. ':owner', ARGV[3]) ~= ARGV[4] then
  return 0
end
redis.call('ZADD', q .. ':due', tonumber(ARGV[1]) + ARGV[2], ARGV[3])
return 1
