-- KEYS write; ARGV run, lease in ms, journal, time to keep in ms. The same run may begin again.
local found = redis.call('HMGET', KEYS[1], 'run', 'until', 'journal')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if found[1] and found[1] ~= ARGV[1] and tonumber(found[2]) > now then
  redis.call('HSET', KEYS[1], 'waited', 1)
  return { 'busy', found[1], tostring(found[2] - now) }
end
-- Without memory, the first write fails as a whole only if it adds something.
redis.call('HSET', KEYS[1], 'run', ARGV[1], 'until', now + ARGV[2])
redis.call('HDEL', KEYS[1], 'waited')
redis.call('PEXPIRE', KEYS[1], ARGV[4])
if found[3] and found[3] ~= ARGV[3] then
  return { 'yours', found[3] }
end
redis.call('HSET', KEYS[1], 'journal', ARGV[3])
return { 'yours' }
