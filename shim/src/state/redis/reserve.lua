-- KEYS refusal, rate, day; ARGV interval in µs (0: no rate), burst, longest wait in µs,
-- calls a day (0: any number), time to keep the day in ms, subject (0: none).
-- The generic cell rate algorithm; the rate is the µs at which the next call is due.
local refused = redis.call('GET', KEYS[1])
if refused and (refused == '0' or refused == ARGV[6]) then
  return -1
end
local daily = tonumber(ARGV[4])
if daily > 0 and tonumber(redis.call('GET', KEYS[3]) or '0') >= daily then
  return -1
end
local interval, wait = tonumber(ARGV[1]), 0
if interval > 0 then
  local time = redis.call('TIME')
  local now = time[1] * 1000000 + time[2]
  local due = tonumber(redis.call('GET', KEYS[2]) or '0')
  -- A failover may have moved the clock by more than any backlog.
  if due < now or due > now + 60000000 then
    due = now
  end
  wait = math.max(due - (ARGV[2] - 1) * interval - now, 0)
  if wait > tonumber(ARGV[3]) then
    return -1
  end
  local next = due + interval
  redis.call('SET', KEYS[2], string.format('%.0f', next), 'PX', math.ceil((next - now) / 1000) + 1000)
end
if daily > 0 and redis.call('INCR', KEYS[3]) == 1 then
  redis.call('PEXPIRE', KEYS[3], ARGV[5])
end
return math.ceil(wait)
