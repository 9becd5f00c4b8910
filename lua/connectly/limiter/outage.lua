-- What a process does while the others cannot be asked: after all that was reserved
-- is over, it sends at a part of the rate, evenly, and asks now and then whether they
-- are back. It counts nothing of what the others do.

local pace = require "connectly.limiter.pace"

-- Seconds of which the rate speaks, and how late one may leave.
local WINDOW = 1 + pace.GOOD_FOR
-- Seconds between two probes.
local PROBE = 1

local outage = { WINDOW = WINDOW, PROBE = PROBE }
outage.__index = outage

--- `rate` is what this process may send then.
function outage.new(rate)
  return setmetatable({
    interval = pace.interval(rate), is_on = false, is_told = false, next_at = 0, last_at = -math.huge,
    paused_until = -math.huge, probe_at = 0, is_probing_until = 0,
  }, outage)
end

--- The others were lost now, or still are.
function outage:note(reason, now)
  self.is_probing_until = 0
  if self.is_on then
    return
  end
  self.is_on, self.reason = true, reason
  self.next_at = math.max(now + pace.HORIZON + WINDOW, self.paused_until)
  self.probe_at = now + PROBE
end

--- Whether this is the moment to ask again; `longest` is how long that may take.
--- Meanwhile nothing is given out here.
function outage:begins_probe(now, longest)
  if now < self.probe_at or now < self.is_probing_until then
    return false
  end
  self.probe_at, self.is_probing_until = now + PROBE, now + longest
  return true
end

--- Gives out what may leave: seconds after which to ask again, or nil.
function outage:reserve(count, give, now)
  if now < self.is_probing_until then
    return math.min(self.is_probing_until - now, 0.01)
  end
  local given, first, next_at = pace.take(self.next_at, now, self.interval, count)
  pace.hand_out(give, first, self.interval, given)
  self.next_at = next_at
  if given > 0 then
    self.last_at = first + (given - 1) * self.interval
  end
  if given < count then
    return math.max(math.min(pace.again(next_at, now, self.interval, given), self.probe_at - now), 0.001)
  end
end

function outage:pause(seconds, now)
  self.paused_until = math.max(self.paused_until, now + seconds)
  self.next_at = math.max(self.next_at, self.paused_until)
end

--- Seconds for which nothing may leave at the whole rate, for what was given out
--- here and what was heard of pauses.
function outage:debt(now)
  return math.max(self.last_at + WINDOW - now, self.paused_until - now, 0)
end

function outage:finish()
  self.is_on, self.is_probing_until = false, 0
end

--- What is to be told: a name and a reason, or nil; each once.
function outage:news()
  if self.is_told ~= self.is_on then
    self.is_told = self.is_on
    if self.is_on then
      return "limiter_lost", self.reason
    end
    return "limiter_back"
  end
end

return outage
