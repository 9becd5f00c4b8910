---connectly: WhatsApp messages through the Connectly Business API.
---Calls raise a connectly.Error; `require "connectly.safe"` has the same calls
---returning nil and the error.

local native = require "connectly.loader"
local client = require "connectly.client"
local errors = require "connectly.errors"

-- Loaded when they are asked for: a short script should not pay for them.
local PARTS = { limiter = true, loop = true, openresty = true, template = true, webhook = true }

---@class connectly
---@field _VERSION string
---@field null lightuserdata JSON's null: equal to cjson.null and ngx.null
---@field errors connectly.errors
local connectly = setmetatable({ _VERSION = native._VERSION, errors = errors, null = native.null }, {
  __index = function(self, name)
    if PARTS[name] then
      self[name] = require("connectly." .. name)
    end
    return rawget(self, name)
  end,
})

---Makes a client. Nothing is opened before its first call.
---@param options connectly.Options?
---@return connectly.Client client
function connectly.new(options)
  return client.new(options)
end

---Whether a value is an error of this library.
---@param value any
---@return boolean
function connectly.is_error(value)
  return errors.is_error(value)
end

---When a message was accepted, from its id (a ULID).
---@param id string
---@return number? Unix seconds; nil when the id is not a ULID
function connectly.message_time(id)
  return type(id) == "string" and native.message_time(id) or nil
end

return connectly
