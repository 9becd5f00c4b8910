-- The signals to set when a message's status changes. Signals (connectly.client.host) are held
-- weakly: nginx may end a request while it waits, without running any more of its code.

local FEW = 64

local watchers = {}
watchers.__index = watchers

function watchers.new()
  return setmetatable({ signals_of = {}, count = 0, limit = FEW }, watchers)
end

--- Removes ids without signals. Runs each time the number of ids may have doubled.
local function sweep(self)
  self.count = 0
  for id, signals in pairs(self.signals_of) do
    if next(signals) == nil then
      self.signals_of[id] = nil
    else
      self.count = self.count + 1
    end
  end
  self.limit = math.max(FEW, 2 * self.count)
end

---Sets the signal at each status change of the id, as long as the caller holds the signal.
---@param id string
---@param signal table
function watchers:add(id, signal)
  local signals = self.signals_of[id]
  if not signals then
    if self.count >= self.limit then
      sweep(self)
    end
    signals = setmetatable({}, { __mode = "k" })
    self.signals_of[id] = signals
    self.count = self.count + 1
  end
  signals[signal] = true
end

---@param id string
function watchers:wake(id)
  for signal in pairs(self.signals_of[id] or {}) do
    signal:set()
  end
end

return watchers
