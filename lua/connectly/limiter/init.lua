---Limiters that several processes share, for the option `limiter` of connectly.new.
---Each attempt, retries included, counts in the rate, and a 429 pauses all processes
---that share the limiter.
---
---   connectly.limiter.shared_dict{ dict = "name", rate = 200 }   for the workers of one nginx
---   connectly.limiter.redis{ host = "…", rate = 200 }            for all processes that use one Redis
---
---A client calls these methods of a limiter:
---
---   limiter:reserve(count, give, tell) -> seconds?
---     grants up to `count` permits: calls give(at) for each; one attempt may start at
---     `at`, a time of native.clock(). When it grants fewer, it returns the seconds after
---     which to ask again. It calls tell(name, reason) to emit an event
---   limiter:pause(seconds)
---     pauses all processes, because the API answered 429
---
---A limiter must not raise errors and must not block for long.

local members = { shared_dict = true, redis = true }

---@class connectly.Limiter
---@field reserve fun(self: table, count: integer, give: fun(at: number), tell: function): number? as above
---@field pause fun(self: table, seconds: number) as above

---@class connectly.limiter
---@field shared_dict fun(options: connectly.limiter.SharedDictOptions): connectly.Limiter
---@field redis fun(options: connectly.limiter.RedisOptions?): connectly.Limiter
local limiter = {}

-- Each is loaded on first use, because each needs libraries that the other does not.
local function load_member(_, name)
  if not members[name] then
    return nil
  end
  local constructor = require("connectly.limiter." .. name).new
  limiter[name] = constructor
  return constructor
end

return setmetatable(limiter, { __index = load_member })
