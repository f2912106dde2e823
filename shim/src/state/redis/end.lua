-- KEYS write, generation; ARGV run, 'finished' or 'unfinished', answer or journal, time to keep an
-- answer in ms, time to keep the generation in ms
redis.call('INCR', KEYS[2])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
if redis.call('HGET', KEYS[1], 'run') ~= ARGV[1] then
  return 0
end
if ARGV[2] == 'unfinished' then
  redis.call('HDEL', KEYS[1], 'run', 'until', 'waited')
  redis.call('HSET', KEYS[1], 'journal', ARGV[3])
  return 1
end
if redis.call('HGET', KEYS[1], 'waited') then
  redis.call('HSET', KEYS[1], 'answer:' .. ARGV[1], ARGV[3])
end
-- The answers of earlier runs stay for their own waiting requests.
redis.call('HDEL', KEYS[1], 'run', 'until', 'waited', 'journal')
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
