--- Makes one POST within a deadline. Must run in a coroutine of a cqueues loop.

local http_client = require "http.client"
local monotime = require("cqueues").monotime
local new_headers = require("http.headers").new
local yieldable_pcall = require("http.util").yieldable_pcall

local function request_headers(target, body, headers)
  local all = new_headers()
  all:append(":method", "POST")
  all:append(":scheme", target.tls and "https" or "http")
  all:append(":authority", target.authority)
  all:append(":path", target.path)
  all:append("content-length", ("%d"):format(#body))
  all:append("connection", "close")
  for name, value in pairs(headers) do
    all:append(name, value)
  end
  return all
end

local function send(stream, headers, body, left)
  local ok, reason = stream:write_headers(headers, false, left())
  if not ok then
    return nil, reason
  end
  return stream:write_chunk(body, true, left())
end

--- Returns the final status; skips informational ones (1xx).
local function read_status(stream, left)
  repeat
    local headers, reason = stream:get_headers(left())
    local status = headers and tonumber(headers:get(":status"))
    if not status or status >= 200 then
      return status, reason
    end
  until left() == 0
  return nil, "announcements, but no answer"
end

--- Takes the socket from lua-http, which ends the stream at once. A regular shutdown would
--- wait for a peer that may be gone.
local function drop(connection)
  local socket = connection:take_socket()
  if socket then
    socket:close()
  end
end

local function exchange(target, headers, body, left)
  local connection, reason = http_client.connect({
    host = target.host, port = target.port, tls = target.tls, version = 1.1,
  }, left())
  if not connection then
    return nil, reason
  end
  local ok, status, trouble = yieldable_pcall(function()
    local stream = connection:new_stream()
    local sent, refusal = send(stream, headers, body, left)
    if not sent then
      return nil, refusal
    end
    return read_status(stream, left)
  end)
  drop(connection)
  return ok and status or nil, trouble or not ok and status
end

---@param target connectly.sandbox.address
---@param body string
---@param headers table<string, string>
---@param timeout number  seconds for all of it
---@return integer|nil status
---@return string|nil reason
return function(target, body, headers, timeout)
  local deadline = monotime() + timeout
  local function left()
    return math.max(0, deadline - monotime())
  end
  local ok, status, reason = yieldable_pcall(exchange, target, request_headers(target, body, headers), body, left)
  if ok and status then
    return status
  end
  return nil, tostring((ok and reason) or (not ok and status) or "no answer")
end
