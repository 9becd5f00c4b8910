--- http1.lua - a hand-written HTTP/1.1 server that can cut a reply at any byte.
---
--- http1.serve(peer, server) reads requests one after the other; the behaviour that a request
--- names answers it.

local behaviours = require "spec.support.fault.behaviours"

local LARGEST_HEAD = 64 * 1024
local LARGEST_BODY = 4 * 1024 * 1024
local MOST_REQUESTS = 1000000

local REASONS = {
  [100] = "Continue", [103] = "Early Hints", [200] = "OK", [201] = "Created", [204] = "No Content",
  [400] = "Bad Request", [404] = "Not Found", [413] = "Content Too Large", [429] = "Too Many Requests",
}

local http1 = {}

-- Reading ------------------------------------------------------------------

local function read_lines(peer)
  local lines, size = {}, 0
  while true do
    local line = peer:read_line()
    size = size + #(line or "")
    if not line or size > LARGEST_HEAD then
      return nil
    elseif line:find("^\r?\n$") then
      return lines
    end
    lines[#lines + 1] = line:gsub("\r?\n$", "")
  end
end

local function parse_headers(lines)
  local headers = {}
  for index = 2, #lines do
    local name, value = lines[index]:match("^([^:]+):%s*(.-)%s*$")
    if name then
      headers[name:lower()] = value
    end
  end
  return headers
end

--- The request without its body, or nil when no whole head came.
function http1.read_head(peer)
  local lines = read_lines(peer)
  local method, path, version = (lines and lines[1] or ""):match("^(%S+) (%S+) HTTP/(%d%.%d)$")
  if method then
    return { method = method, path = path, version = version, headers = parse_headers(lines), body = "" }
  end
end

local function read_chunk(peer, room)
  local line = peer:read_line()
  local size = line and tonumber(line:match("^%x+") or "", 16)
  if not size or size > room then
    return nil
  end
  local chunk = peer:read(size)
  return chunk and peer:read_line() and chunk
end

local function read_chunks(peer)
  local chunks, size = {}, 0
  repeat
    local chunk = read_chunk(peer, LARGEST_BODY - size)
    chunks[#chunks + 1] = chunk
    size = size + #(chunk or "")
  until not chunk or chunk == ""
  return chunks[#chunks] == "" and table.concat(chunks) or nil
end

local function length_of(request)
  return tonumber(request.headers["content-length"]) or 0
end

--- The whole body, or nil when it did not come whole.
function http1.read_body(peer, request)
  if request.headers["transfer-encoding"] == "chunked" then
    return read_chunks(peer)
  elseif length_of(request) <= LARGEST_BODY then
    return peer:read(length_of(request))
  end
end

-- Writing ------------------------------------------------------------------

local function head_bytes(reply, framing)
  local reason = reply.reason or REASONS[reply.status] or "Status"
  local lines = { ("HTTP/1.1 %d %s"):format(reply.status, reason) }
  for _, header in ipairs(reply.headers or {}) do
    lines[#lines + 1] = header[1] .. ": " .. header[2]
  end
  lines[#lines + 1] = framing
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

local function has_no_body(status)
  return status < 200 or status == 204 or status == 304
end

local function sized_head(reply)
  if has_no_body(reply.status) then
    return head_bytes(reply)
  end
  return head_bytes(reply, "content-length: " .. (reply.length or #reply.body))
end

local function half(body)
  return body:sub(1, #body // 2)
end

local function chunked_head(reply)
  return head_bytes(reply, "transfer-encoding: chunked")
end

local function chunk_start(reply)
  return chunked_head(reply) .. ("%x\r\n"):format(#reply.body)
end

-- How much of a reply is on the wire when it is cut at a point.
local CUTS = {
  ["in-status-line"] = function() return "HTTP/1.1 2" end,
  ["in-headers"] = function(reply) return sized_head(reply):sub(1, -12) end,
  ["after-headers"] = sized_head,
  ["in-body"] = function(reply) return sized_head(reply) .. half(reply.body) end,
  ["in-unsized-body"] = function(reply) return head_bytes(reply, "connection: close") .. half(reply.body) end,
  ["in-chunk-size"] = function(reply) return chunked_head(reply) .. "1" end,
  ["in-chunk"] = function(reply) return chunk_start(reply) .. half(reply.body) end,
  ["before-last-chunk"] = function(reply) return chunk_start(reply) .. reply.body .. "\r\n" end,
}

-- One request and the ways to answer it. http2.lua has its twin.
local exchange = {}
exchange.__index = exchange

function exchange:write(bytes)
  return self.peer:write(bytes)
end

function exchange:interim(status, headers)
  self:write(head_bytes({ status = status, headers = headers }))
end

function exchange:reply(reply)
  local body = has_no_body(reply.status) and "" or reply.body
  self:write(sized_head(reply) .. body)
end

function exchange:reply_unsized(reply)
  self:write(head_bytes(reply, "connection: close") .. reply.body)
end

function exchange:reply_chunked(reply)
  self:write(chunk_start(reply) .. reply.body .. "\r\n0\r\n\r\n")
end

--- The body of a reply whose head was sent, and a whole reply after it.
function exchange:reply_rest(reply, another)
  self:write(reply.body .. sized_head(another) .. another.body)
end

function exchange:write_until(point, reply)
  self:write(CUTS[point](reply))
end

--- The reply in the smallest pieces that can be sent one by one.
function exchange.pieces(_, reply)
  return (sized_head(reply) .. reply.body):gmatch(".")
end

function exchange:close()
  self.peer:close()
end

function exchange:cut()
  self.peer:cut()
end

function exchange:reset()
  self.peer:reset()
end

function exchange:silence()
  self.peer:silence()
end

-- Serving ------------------------------------------------------------------

local function expects_continue(request)
  return (request.headers.expect or ""):lower() == "100-continue"
end

--- Reads as much as the behaviour wants to have seen; false when less came.
local function receive(self, stage)
  local request = self.request
  if stage == "head" then
    return true
  elseif expects_continue(request) then
    self:interim(100)
  end
  if self.behaviour.stalls then
    self.server.ledger:wait_for_resume(self.behaviour.stalls)
  end
  if stage == "half" then
    return self.peer:read(length_of(request) // 2)
  end
  request.body = http1.read_body(self.peer, request)
  if request.body then
    self.server.ledger:received(self)
  end
  return request.body
end

local function wants_close(request)
  return request.version == "1.0" or (request.headers.connection or ""):lower() == "close"
end

local function serve_request(self)
  self.behaviour, self.name = behaviours.choose(self)
  self.server.ledger:began(self)
  if not receive(self, behaviours.stage(self.behaviour, self)) then
    return false
  end
  self.behaviour.run(self)
  return not self.peer.ended and not wants_close(self.request)
end

--- Returns "h2" when the client began HTTP/2 without being asked.
function http1.serve(peer, server)
  for number = 1, MOST_REQUESTS do
    local request = http1.read_head(peer)
    if not request then
      return nil
    elseif request.method == "PRI" then
      return "h2"
    end
    local self = { peer = peer, server = server, request = request, number = number, protocol = "http1" }
    if not serve_request(setmetatable(self, exchange)) then
      return nil
    end
  end
end

return http1
