-- Ensures that one request handles an event: the first, in any worker, to put its claim into the
-- shared dictionary. The claim is released when the handler raises, and expires when the worker
-- dies, so that the event's next delivery is handled.

local ngx = ngx -- luacheck: ignore 113

local BUSY, DONE = 1, 2
-- Seconds after which a claim expires while its handler runs.
local HANDLING = 60
-- Seconds for which another delivery of the same event waits for the first one's result. If it were
-- answered 200 at once and the first handler then raised, the event would be lost.
local PATIENCE = 5
local PAUSE = 0.02

local claims = {}
claims.__index = claims

---@param dict table of ngx.shared
---@param seconds number how long to remember a handled event
---@return table claims with take(key), finish(key) and release(key)
function claims.new(dict, seconds)
  return setmetatable({ dict = dict, seconds = seconds }, claims)
end

local function complain(problem)
  ngx.log(ngx.WARN, "connectly: webhook: the dictionary of duplicates takes no entry: ", problem)
end

--- Tries once: "taken", "done" or "busy". When the dictionary cannot store the claim, the event is
--- handled anyway: twice is better than never.
local function try(self, key)
  local is_added, problem, is_forced = self.dict:add(key, BUSY, HANDLING)
  if is_forced then
    complain("it is full, and forgot older ones for a new one")
  end
  if is_added then
    return "taken"
  elseif problem ~= "exists" then
    complain(problem)
    return "taken"
  end
  return self.dict:get(key) == DONE and "done" or "busy"
end

--- "taken": the caller must handle the event. "done": it has been handled. "busy": another request
--- is handling it.
function claims:take(key)
  local deadline = ngx.now() + PATIENCE
  local answer = try(self, key)
  while answer == "busy" and ngx.now() < deadline do
    ngx.sleep(PAUSE)
    answer = try(self, key)
  end
  return answer
end

function claims:finish(key)
  local is_set, problem = self.dict:set(key, DONE, self.seconds)
  if not is_set then
    complain(problem)
  end
end

function claims:release(key)
  self.dict:delete(key)
end

return claims
