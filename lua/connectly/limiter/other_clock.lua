-- Another machine's clock, seen from here: each answer tells its time, and was given
-- between the question and its arrival here. What all answers agree on is narrower
-- than one alone, which may have been long on its way.

-- By how much two clocks can drift apart, seconds a second.
local DRIFT = 0.0001

local other_clock = {}
other_clock.__index = other_clock

function other_clock.new()
  return setmetatable({ low = -math.huge, high = math.huge, measured_at = 0 }, other_clock)
end

--- It was `there` there at some moment from `asked` to `answered` here.
function other_clock:measure(there, asked, answered)
  local slack = DRIFT * (answered - self.measured_at)
  self.low = math.max(self.low - slack, asked - there)
  self.high = math.min(self.high + slack, answered - there)
  if self.low > self.high then -- one of the two was set
    self.low, self.high = asked - there, answered - there
  end
  self.measured_at = answered
end

--- A moment there, as one of here.
function other_clock:here(there)
  return there + (self.low + self.high) / 2
end

return other_clock
