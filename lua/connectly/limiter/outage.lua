-- How a process limits itself while it cannot reach Redis: it waits until all reserved permits
-- have expired and one window of the rate has passed, then grants permits at a fraction of the
-- rate, evenly spaced, and regularly probes whether Redis is back. It does not know how much the other processes send.

local pace = require "connectly.limiter.pace"

-- Seconds: the window of the rate, plus the time by which an attempt may start late.
local WINDOW = 1 + pace.GOOD_FOR
-- Seconds between two probes.
local PROBE = 1

local outage = { WINDOW = WINDOW, PROBE = PROBE }
outage.__index = outage

--- `rate` is the rate of this process during an outage.
function outage.new(rate)
  return setmetatable({
    interval = pace.interval(rate), is_on = false, is_told = false, next_at = 0, last_at = -math.huge,
    paused_until = -math.huge, probe_at = 0, is_probing_until = 0,
  }, outage)
end

--- Records that Redis cannot be reached.
function outage:note(reason, now)
  self.is_probing_until = 0
  if self.is_on then
    return
  end
  self.is_on, self.reason = true, reason
  self.next_at = math.max(now + pace.HORIZON + WINDOW, self.paused_until)
  self.probe_at = now + PROBE
end

--- Tells whether to probe now; `longest` is how long the probe may take, in seconds. No permits
--- are granted during a probe.
function outage:begins_probe(now, longest)
  if now < self.probe_at or now < self.is_probing_until then
    return false
  end
  self.probe_at, self.is_probing_until = now + PROBE, now + longest
  return true
end

--- Grants permits. Returns the seconds after which to ask again, or nil.
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

--- Returns the seconds for which no attempt may start at the full rate, because of the permits
--- granted here and the pauses received.
function outage:debt(now)
  return math.max(self.last_at + WINDOW - now, self.paused_until - now, 0)
end

function outage:finish()
  self.is_on, self.is_probing_until = false, 0
end

--- Returns the name and reason of an event to emit, or nil; each change is reported once.
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
