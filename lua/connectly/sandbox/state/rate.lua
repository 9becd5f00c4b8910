--- Limits the requests per second with a sliding window over the times of the allowed
--- requests. Disabled by default. API: rate limits.

local second = 1

---@class connectly.sandbox.rate
local rate = {}
rate.__index = rate

---@param clock fun(): number  monotonic seconds
---@param enabled boolean
---@return connectly.sandbox.rate
function rate.new(clock, enabled)
  local self = setmetatable({ clock = clock, enabled_at_start = enabled }, rate)
  self:reset()
  return self
end

function rate:reset()
  self.enabled = self.enabled_at_start
  self.most = { sends = 200, assets = 100 } -- in any second
  self.windows = { sends = { first = 1, last = 0 }, assets = { first = 1, last = 0 } }
end

---@param wish { enabled: boolean?, sends: number?, assets: number? }
function rate:configure(wish)
  self.enabled = wish.enabled ~= false
  self.most.sends = wish.sends or self.most.sends
  self.most.assets = wish.assets or self.most.assets
end

local function forget_older_than(window, moment)
  while window.first <= window.last and window[window.first] <= moment do
    window[window.first] = nil
    window.first = window.first + 1
  end
end

--- Whether one more request is allowed now. An allowed request is counted.
---@param kind "sends"|"assets"
---@return boolean
function rate:allows(kind)
  if not self.enabled then
    return true
  end
  local window, now = self.windows[kind], self.clock()
  forget_older_than(window, now - second)
  if window.last - window.first + 1 >= self.most[kind] then
    return false
  end
  window.last = window.last + 1
  window[window.last] = now
  return true
end

return rate
