---The calls of `connectly`; they return nil and a connectly.Error instead of raising
---it. Misuse of the library itself (a wrong type of argument, for example) still raises.

local connectly = require "connectly"
local client = require "connectly.client"

---@class connectly.safe: connectly
local safe = setmetatable({}, { __index = connectly })

---Creates a client whose methods return nil and an error. Returns nil and an error
---when the options are wrong.
---@param options connectly.Options?
---@return connectly.SafeClient? client
---@return connectly.Error?
function safe.new(options)
  return client.new_safe(options)
end

return safe
