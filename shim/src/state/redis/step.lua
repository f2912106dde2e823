-- KEYS write; ARGV run, lease in ms, time to keep in ms, and the journal if it changed
if redis.call('HGET', KEYS[1], 'run') ~= ARGV[1] then
  return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'until', now + ARGV[2])
if ARGV[4] then
  redis.call('HSET', KEYS[1], 'journal', ARGV[4])
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
