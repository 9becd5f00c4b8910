--- Webhook addresses: https to any host, http only to this machine.

local native = require "connectly.loader"
local shape = require "connectly.sandbox.check.shape"

---@class connectly.sandbox.address
---@field tls boolean
---@field host string
---@field port integer
---@field authority string  for the Host header
---@field path string  including the query

local address = {}

local function split_authority(authority, usual_port)
  local host, port = authority:match("^%[([%x:.]+)%]:?(%d*)$")
  if not host then
    host, port = authority:match("^([%w._-]+):?(%d*)$")
  end
  return host, port and (port == "" and usual_port or math.floor(tonumber(port)))
end

---@param text any
---@return connectly.sandbox.address?
---@return string? reason
function address.parse(text)
  if not shape.is_url(text) then
    return nil, "an https address expected"
  end
  local scheme, authority, path = text:match("^(%a+)://([^/?#]+)([^#]*)")
  local tls = scheme:lower() == "https"
  local host, port = split_authority(authority, tls and 443 or 80)
  if not host or port < 1 or port > 65535 then
    return nil, "host and port cannot be read"
  elseif not tls and not (host == "::1" or native.is_loopback(host)) then
    return nil, "https expected; http only to this machine"
  end
  path = path:sub(1, 1) == "/" and path or "/" .. path
  return { tls = tls, host = host, port = port, authority = authority, path = path }
end

---@type connectly.sandbox.checker
function address.check(value, path)
  local _, reason = address.parse(value)
  return reason and path .. ": " .. reason
end

return address
