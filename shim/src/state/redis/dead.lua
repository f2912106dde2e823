-- KEYS queue; ARGV limit
local q, letters = KEYS[1], {}
for _, number in ipairs(redis.call('ZRANGE', q .. ':dead', 0, ARGV[1] - 1)) do
  local m = redis.call('HMGET', q .. ':m:' .. number, 'id', 'body', 'died')
  if m[1] then
    letters[#letters + 1] = m
  end
end
return letters
