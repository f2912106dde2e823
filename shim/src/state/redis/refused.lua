-- KEYS refusal; ARGV subject (0: anybody), time in ms
local subject, time = ARGV[1], tonumber(ARGV[2])
local known = redis.call('GET', KEYS[1])
if known and known ~= subject then
  subject = '0'
end
redis.call('SET', KEYS[1], subject, 'PX', math.max(time, redis.call('PTTL', KEYS[1])))
