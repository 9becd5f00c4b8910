-- The arithmetic of departures: one after the other, evenly, and not far ahead, so
-- that what is reserved and then not used is little.

local pace = {}

-- Seconds ahead of now for which departures are given out.
pace.HORIZON = 0.25
-- Seconds for which a departure stays good (core/slots).
pace.GOOD_FOR = 0.025
-- Seconds that a 429 stops everybody for, at the most (io/engine).
pace.LONGEST_PAUSE = 60

-- Of the rate: what leaves a little late must not make a second too full.
local USED = 0.975
-- Who asks gets a share of the horizon and no more, so that others get some too.
local SHARE = 0.25
-- Seconds after which to ask again, at least and at most.
local SOONEST, LATEST = 0.002, 1

function pace.interval(rate)
  return 1 / (rate * USED)
end

--- How many are given at a time.
function pace.batch(interval)
  return math.max(1, math.floor(pace.HORIZON * SHARE / interval))
end

--- Up to `count` departures when the next one is due at `next_at`: how many, when
--- the first is, and when the next one is due then.
function pace.take(next_at, now, interval, count)
  local first = math.max(next_at, now)
  local room = math.floor((now + pace.HORIZON - first) / interval) + 1
  local given = math.max(0, math.min(count, room, pace.batch(interval)))
  return given, first, given > 0 and first + given * interval or next_at
end

--- Seconds after which to ask again. Who got none comes back as soon as there is
--- one, and so before those who got some: they wait until there are some again.
function pace.again(next_at, now, interval, given)
  local more = given > 0 and (pace.batch(interval) - 1) * interval or 0
  return math.min(math.max(next_at + more - now - pace.HORIZON, SOONEST), LATEST)
end

--- Hands out what pace.take gave.
function pace.hand_out(give, first, interval, given)
  for index = 0, given - 1 do
    give(first + index * interval)
  end
end

--- What a limiter may be asked for as a pause: seconds, 0 when it makes no sense.
function pace.pause(seconds)
  return seconds > 0 and math.min(seconds, pace.LONGEST_PAUSE) or 0
end

return pace
