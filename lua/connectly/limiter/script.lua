-- What Redis runs, in one go: it takes departures on Redis's own clock. The key is a
-- hash: `next`, when the next may leave; `last`, when the script ran last; `heard`,
-- the latest of its times that somebody is known to have been told; `run`, of which
-- start of Redis that is true. Wants Redis 5 or newer.
--
-- ARGV: 1 what to answer with, 2 how many, 3 seconds from one to the next, 4 how far
-- ahead they may be, 5 the soonest, 6 a pause, 7 the grace, 8 "1" from who was cut
-- off, 9 "1" on a new connection, 10 the time that was in the last answer.
-- It answers { 1, how many, the first, the next, now }.
--
-- The grace: when Redis was away, some may still send on their own. They are let
-- notice that it is back before anything leaves at the whole rate. Whoever comes
-- first is the one to know: as he was cut off, and nobody was answered lately (that
-- the script ran says less: a Redis that hung runs what was asked long ago); or
-- because this is another start of Redis than the one that wrote the key (each
-- connection ends with Redis, so looking on new ones is enough).

return [[
local function number(index) return tonumber(ARGV[index]) end
local function text(seconds) return string.format("%.6f", seconds) end

local time = redis.call("TIME")
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local known = redis.call("HMGET", KEYS[1], "next", "last", "heard", "run")
local next, last, run = tonumber(known[1]), tonumber(known[2]), known[4] or ""
local heard = math.min(math.max(tonumber(known[3]) or 0, number(10)), now)
local is_missing = not (next and last)

if is_missing then -- new, or dropped: then what was reserved is waited for
  next = now + number(4)
elseif now < last then -- the clock was set back
  next = next - (last - now)
end

local needs_grace = ARGV[8] == "1" and heard < now - 1
if ARGV[9] == "1" or is_missing then
  local info = redis.pcall("INFO", "server")
  info = type(info) == "string" and info or ""
  local this = string.match(info, "run_id:(%x+)") or ""
  if this ~= run then
    local uptime = tonumber(string.match(info, "uptime_in_seconds:(%d+)")) or 0
    needs_grace = needs_grace or run ~= "" or uptime < number(7) + 1
    run = this
  end
end
if needs_grace then
  next = math.max(next, now + number(7))
end
next = math.max(next, now + number(6))

local first = math.max(next, now + number(5))
local room = math.floor((now + number(4) - first) / number(3)) + 1
local given = math.max(0, math.min(number(2), room))
if given > 0 then
  next = first + given * number(3)
end
redis.call("HSET", KEYS[1], "next", text(next), "last", text(now), "heard", text(heard), "run", run)
redis.call("PEXPIRE", KEYS[1], 86400000)
return { ARGV[1], given, text(first), text(next), text(now) }
]]
