-- Estimates the offset of another machine's clock. Each reply holds that machine's time, taken
-- between the sending of the request and the arrival of the reply here. The intersection of
-- these intervals is narrower than a single one, whose reply may have been delayed.

-- Maximum drift between two clocks, in seconds per second.
local DRIFT = 0.0001

local other_clock = {}
other_clock.__index = other_clock

function other_clock.new()
  return setmetatable({ low = -math.huge, high = math.huge, measured_at = 0 }, other_clock)
end

--- Records that the other clock showed `there` at some time from `asked` to `answered` of this clock.
function other_clock:measure(there, asked, answered)
  local slack = DRIFT * (answered - self.measured_at)
  self.low = math.max(self.low - slack, asked - there)
  self.high = math.min(self.high + slack, answered - there)
  if self.low > self.high then -- one of the two clocks was set
    self.low, self.high = asked - there, answered - there
  end
  self.measured_at = answered
end

--- Converts a time of the other clock to a time of this one.
function other_clock:here(there)
  return there + (self.low + self.high) / 2
end

return other_clock
