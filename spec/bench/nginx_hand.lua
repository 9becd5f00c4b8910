--- The yardstick of nginx.lua: what a careful program would write without this library. It
--- implements one endpoint of the API on nginx's cosockets, over HTTP/1.1 without TLS, with
--- nginx's connection pool. Runs in nginx.

local cjson = require "cjson"
local ngx = ngx -- luacheck: ignore 113

local POOL, IDLE = 256, 60000

local HEAD = "POST /v1/businesses/business/send/whatsapp_templated_messages HTTP/1.1\r\nHost: localhost\r\n"
  .. "X-API-Key: key\r\nContent-Type: application/json\r\nAccept: application/json\r\nContent-Length: "

local function read_headers(socket)
  local headers = {}
  while true do
    local line = assert(socket:receive())
    if line == "" then
      return headers
    end
    local colon = line:find(":", 1, true)
    headers[line:sub(1, colon - 1):lower()] = line:sub(colon + 2)
  end
end

local function read_reply(socket)
  local status = tonumber(assert(socket:receive()):sub(10, 12))
  local headers = read_headers(socket)
  local body = assert(socket:receive(tonumber(headers["content-length"])))
  return status, body, headers.connection ~= "close"
end

--- Sends to a port of this machine: the id, and the status.
return function(port, message)
  local body = cjson.encode(message)
  local socket = ngx.socket.tcp()
  socket:settimeouts(5000, 30000, 30000)
  assert(socket:connect("127.0.0.1", port))
  assert(socket:send { HEAD, #body, "\r\n\r\n", body })
  local status, reply, is_kept = read_reply(socket)
  if is_kept then
    assert(socket:setkeepalive(IDLE, POOL))
  end
  assert(status == 200, reply)
  return cjson.decode(reply).id, { status = status }
end
