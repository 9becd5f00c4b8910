-- The script that Redis runs atomically: it reserves permits by Redis's own clock. The key is a
-- hash: `next`, when the next permit is due; `last`, when the script last ran; `heard`, the
-- latest of its times that a process is known to have received; `run`, the run id of the Redis
-- that wrote the key. Needs Redis 5 or newer.
--
-- ARGV: 1 a mark to repeat in the reply, 2 the number of permits, 3 seconds between two permits,
-- 4 how many seconds ahead they may be, 5 seconds until the first at the earliest, 6 seconds to
-- pause, 7 the grace in seconds, 8 "1" from a process that could not reach Redis, 9 "1" on a new
-- connection, 10 the time in the last reply that the process received.
-- The reply: { the mark, permits reserved, time of the first, time of the next, now }.
--
-- The grace: after Redis was unreachable, some processes may still send on their own. They get
-- time to notice that Redis is back before any attempt starts at the full rate. The first process
-- to ask must detect this case: it could not reach Redis and no process received a reply lately
-- (that the script ran proves less: a Redis that hung runs requests from long ago); or Redis has
-- restarted since the key was written (a restart ends every connection, so it is enough to check
-- this on new ones).

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
