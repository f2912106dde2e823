-- KEYS write; ARGV run
local answer = redis.call('HGET', KEYS[1], 'answer:' .. ARGV[1])
if answer then
  return { 'finished', answer }
end
local found = redis.call('HMGET', KEYS[1], 'run', 'until')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if found[1] == ARGV[1] and tonumber(found[2]) > now then
  return { 'running' }
end
return { 'gone' }
