-- A limiter for all workers of one nginx: a shared dictionary holds the time at which the next
-- permit is due, by the clock that all processes of a machine share.

local native = require "connectly.loader"
local options = require "connectly.limiter.options"
local pace = require "connectly.limiter.pace"
local private = require "connectly.private"

-- Attempts to take the lock: its holder needs only microseconds, unless it was stopped.
local TRIES = 300
-- Seconds after which a lock expires, in case its worker died.
local LOCK_EXPIRES = 1
-- Seconds after which to ask again when the lock was taken, or the dictionary full.
local LOCKED, FULL = 0.001, 0.1

local rules = {
  dict = { type = "string", is_required = true }, rate = options.rate, key = options.text "connectly:limiter",
}

-- The private state of each limiter.
local inner_of = private.new("limiter", "limiter")

-- The number of the last lock that this worker took, and the number at which it wraps around.
local locks_taken, LOCKS = 0, 2 ^ 20

--- Returns a lock value that is unique among workers.
local function new_token(self)
  locks_taken = (locks_taken + 1) % LOCKS
  return self.pid() * LOCKS + locks_taken
end

--- Takes the lock and returns its token; or nil and the reason: "exists" when another worker holds it.
local function lock(self)
  local token = new_token(self)
  local is_ours, problem
  for _ = 1, TRIES do
    is_ours, problem = self.dict:add(self.lock, token, LOCK_EXPIRES)
    if is_ours or problem ~= "exists" then
      break
    end
  end
  return is_ours and token or nil, problem
end

--- Tells whether this worker still holds the lock: if the process was stopped, the lock may have
--- expired and another worker may have taken it.
local function holds(self, token)
  return self.dict:get(self.lock) == token
end

local function unlock(self, token)
  if holds(self, token) then
    self.dict:delete(self.lock)
  end
end

--- Returns when the next permit is due. When the entry is missing, the full dictionary has dropped
--- it: then waits as long as permits may have been granted ahead. A pause never exceeds the longest.
local function read(self, now)
  local next_at = self.dict:get(self.key)
  if type(next_at) ~= "number" then
    next_at = now + pace.HORIZON
  end
  next_at = math.min(next_at, now + pace.LONGEST_PAUSE + pace.HORIZON)
  return math.max(next_at, self.paused_until)
end

--- Takes up to `count` permits under the lock: { given, first, next_at, now }; or nil and the
--- reason. No code in here may yield to other light threads.
local function take(self, count)
  local token, problem = lock(self)
  if not token then
    return nil, problem
  end
  local now = native.clock()
  local given, first, next_at = pace.take(read(self, now), now, self.interval, count)
  local is_kept, refusal = false, "exists"
  if holds(self, token) then -- otherwise another worker has granted the same permits
    is_kept, refusal = self.dict:set(self.key, next_at)
  end
  unlock(self, token)
  if not is_kept then
    return nil, refusal
  end
  return { given = given, first = first, next_at = next_at, now = now }
end

--- Emits an event when the dictionary becomes full, and when it has room again.
local function note(self, is_full, problem, tell)
  if is_full and not self.is_full then
    tell("limiter_lost", "lua_shared_dict: " .. problem)
  elseif self.is_full and not is_full then
    tell("limiter_back")
  end
  self.is_full = is_full
end

local function reserve(self, count, give, tell)
  local wait = self.not_before - native.clock()
  if wait > 0 then
    return wait
  end
  local taken, problem = take(self, count)
  if problem == "exists" then
    return LOCKED
  end
  note(self, taken == nil, problem, tell)
  if not taken then
    return FULL
  end
  pace.hand_out(give, taken.first, self.interval, taken.given)
  if taken.given < count then
    local again = pace.again(taken.next_at, taken.now, self.interval, taken.given)
    self.not_before = taken.now + again
    return again
  end
end

local methods = {}

function methods.reserve(limiter, count, give, tell)
  return reserve(inner_of[limiter], count, give, tell)
end

--- When the lock cannot be taken, the other workers see the pause at this worker's next reserve.
function methods.pause(limiter, seconds)
  local self = inner_of[limiter]
  self.paused_until = math.max(self.paused_until, native.clock() + pace.pause(seconds))
  take(self, 0)
end

local metatable = {
  __name = "connectly.limiter.shared_dict", __metatable = "connectly.limiter.shared_dict", __index = methods,
  __tostring = function(limiter) return ("connectly.limiter.shared_dict (%s)"):format(inner_of[limiter].name) end,
}

local function find_dict(name, ngx)
  if type(ngx) ~= "table" or not ngx.shared then
    options.refuse("dict", "a shared dictionary is there in nginx alone")
  end
  return ngx.shared[name] or options.refuse("dict", ("no `lua_shared_dict %s …;` in nginx's configuration"):format(name))
end

---@class connectly.limiter.SharedDictOptions
---@field dict string name of a lua_shared_dict; best used for nothing else; 64k is plenty
---@field rate number? requests in any second, of all workers together; default 200
---@field key string? distinguishes several limiters in one dictionary; default "connectly:limiter"

---A limiter that all workers of one nginx share. It grants permits up to a quarter of a
---second ahead, so after a 429 other workers may continue for that long. When the
---dictionary has no room for two numbers, no request starts (event `limiter_lost`, with
---the reason; then `limiter_back`).
---@param given connectly.limiter.SharedDictOptions
---@return connectly.Limiter limiter for connectly.new
local function new(given)
  local checked = options.check(given, rules)
  local ngx = rawget(_G, "ngx")
  local dict = find_dict(checked.dict, ngx)
  local limiter = setmetatable({}, metatable)
  inner_of[limiter] = {
    dict = dict, pid = ngx.worker.pid, name = checked.dict, key = checked.key, lock = checked.key .. ":lock",
    interval = pace.interval(checked.rate), not_before = 0, paused_until = 0, is_full = false,
  }
  dict:add(checked.key, 0)
  return limiter
end

return { new = new }
