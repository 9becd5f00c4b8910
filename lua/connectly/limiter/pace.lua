-- Computes the times of permits: evenly spaced, and not far ahead, so that few reserved
-- permits are lost when they are not used.

local pace = {}

-- Permits are granted for at most this many seconds ahead of now.
pace.HORIZON = 0.25
-- Seconds after its time at which a permit expires (core/rate/permits).
pace.GOOD_FOR = 0.025
-- Upper limit of the pause after a 429, in seconds (io/engine).
pace.LONGEST_PAUSE = 60

-- Share of the rate that is used: attempts that start late must not exceed the rate in any second.
local USED = 0.975
-- Share of the horizon that one request for permits may take, so that other processes get some too.
local SHARE = 0.25
-- Minimum and maximum of the seconds after which to ask again.
local SOONEST, LATEST = 0.002, 1

function pace.interval(rate)
  return 1 / (rate * USED)
end

--- Returns how many permits one request gets at most.
function pace.batch(interval)
  return math.max(1, math.floor(pace.HORIZON * SHARE / interval))
end

--- Takes up to `count` permits when the next one is due at `next_at`. Returns their number, the
--- time of the first, and when the next one is due afterwards.
function pace.take(next_at, now, interval, count)
  local first = math.max(next_at, now)
  local room = math.floor((now + pace.HORIZON - first) / interval) + 1
  local given = math.max(0, math.min(count, room, pace.batch(interval)))
  return given, first, given > 0 and first + given * interval or next_at
end

--- Returns the seconds after which to ask again. A process that got no permit asks again as soon
--- as there is one; a process that got some waits until there is a batch, and so comes later.
function pace.again(next_at, now, interval, given)
  local more = given > 0 and (pace.batch(interval) - 1) * interval or 0
  return math.min(math.max(next_at + more - now - pace.HORIZON, SOONEST), LATEST)
end

--- Passes the permits that pace.take took to `give`.
function pace.hand_out(give, first, interval, given)
  for index = 0, given - 1 do
    give(first + index * interval)
  end
end

--- Limits the length of a requested pause, in seconds; returns 0 for an invalid one.
function pace.pause(seconds)
  return seconds > 0 and math.min(seconds, pace.LONGEST_PAUSE) or 0
end

return pace
