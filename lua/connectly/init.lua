---connectly: sends WhatsApp messages through the Connectly Business API.
---Calls raise a connectly.Error. The calls of `require "connectly.safe"` return nil
---and the error instead.

local native = require "connectly.loader"
local client = require "connectly.client"
local errors = require "connectly.errors"

-- Loaded on first use, so that a short script does not load modules it never uses.
local PARTS = { limiter = true, loop = true, openresty = true, template = true, webhook = true }

---@class connectly
---@field _VERSION string
---@field null lightuserdata JSON's null; equal to cjson.null and ngx.null
---@field errors connectly.errors
local connectly = setmetatable({ _VERSION = native._VERSION, errors = errors, null = native.null }, {
  __index = function(self, name)
    if PARTS[name] then
      self[name] = require("connectly." .. name)
    end
    return rawget(self, name)
  end,
})

---Creates a client. It opens no connection before its first call.
---@param options connectly.Options?
---@return connectly.Client client
function connectly.new(options)
  return client.new(options)
end

---Tells whether a value is an error of this library.
---@param value any
---@return boolean
function connectly.is_error(value)
  return errors.is_error(value)
end

---Returns the time at which a message was accepted, as encoded in its id (a ULID).
---@param id string
---@return number? Unix seconds; nil when the id is not a ULID
function connectly.message_time(id)
  return type(id) == "string" and native.message_time(id) or nil
end

return connectly
