---The calls of `connectly`, returning nil and a connectly.Error instead of
---raising it. Wrong use of the library itself raises here as well.

local connectly = require "connectly"
local client = require "connectly.client"

---@class connectly.safe: connectly
local safe = setmetatable({}, { __index = connectly })

---Makes a client whose methods return nil and an error; nil and an error when
---the options are wrong.
---@param options connectly.Options?
---@return connectly.SafeClient? client
---@return connectly.Error?
function safe.new(options)
  return client.new_safe(options)
end

return safe
