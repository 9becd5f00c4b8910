---Limiters that several processes share, as the `limiter` of connectly.new. Each
---attempt of a call, retries included, takes a place of its own in the rate, and a
---429 pauses all who share the limiter.
---
---   connectly.limiter.shared_dict{ dict = "name", rate = 200 }   the workers of one nginx
---   connectly.limiter.redis{ host = "…", rate = 200 }            all processes with one Redis
---
---A client sees of it:
---
---   limiter:reserve(count, give, tell) -> seconds?
---     calls give(at) for at most `count` moments of native.clock() at which one
---     request each may leave; when there were fewer, the seconds after which to ask
---     again; tell(name, reason) for what is to be an event
---   limiter:pause(seconds)
---     the API said 429
---
---Neither raises nor waits for long.

local members = { shared_dict = true, redis = true }

---@class connectly.Limiter
---@field reserve fun(self: table, count: integer, give: fun(at: number), tell: function): number? as above
---@field pause fun(self: table, seconds: number) as above

---@class connectly.limiter
---@field shared_dict fun(options: connectly.limiter.SharedDictOptions): connectly.Limiter
---@field redis fun(options: connectly.limiter.RedisOptions?): connectly.Limiter
local limiter = {}

-- Each wants libraries that the other does without.
local function load_member(_, name)
  if not members[name] then
    return nil
  end
  local constructor = require("connectly.limiter." .. name).new
  limiter[name] = constructor
  return constructor
end

return setmetatable(limiter, { __index = load_member })
