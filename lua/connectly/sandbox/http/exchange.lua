--- Reads one request from a lua-http stream and writes one answer. This module does not
--- interpret the requests.

local cqueues = require "cqueues"
local new_headers = require("http.headers").new

local most_body_bytes = 1024 * 1024
local patience = 10 -- seconds for one step of reading or writing
local most_discarded_bytes = 64 * 1024 * 1024
local discard_patience = 1

---@class connectly.sandbox.request
---@field method string
---@field path string  without the query
---@field query string  after the question mark; "" if there is none
---@field headers table  of lua-http
---@field body string|nil  nil when it was too large
---@field http_version "1.0"|"1.1"|"2"
---@field peer string  address of the client

local exchange = {}

--- Returns nil if Content-Length is not a number; 0 if it is absent.
local function announced_bytes(headers)
  return tonumber((headers:get("content-length") or "0"):match("^%d+$"))
end

--- lua-http treats a closed connection as the end of the body.
local function is_cut_short(stream)
  return stream.body_read_type == "length" and stream.body_read_left > 0
end

--- Returns the body, or nil and the problem.
local function read_chunks(stream)
  local chunks, size = {}, 0
  while true do
    local chunk, reason = stream:get_next_chunk(patience)
    if chunk == nil then
      local lost = reason or is_cut_short(stream)
      return not lost and table.concat(chunks) or nil, lost and "lost"
    end
    size = size + #chunk
    if size > most_body_bytes then
      return nil, "large"
    end
    chunks[#chunks + 1] = chunk
  end
end

local function read_body(stream, headers)
  local announced = announced_bytes(headers)
  if not announced then
    return nil, "lost"
  elseif announced > most_body_bytes then
    return nil, "large"
  end
  if (headers:get("expect") or ""):lower() == "100-continue" then
    stream:write_continue(patience)
  end
  return read_chunks(stream)
end

local function http_version(stream)
  local version = stream.connection.version
  return version == 2 and "2" or ("%.1f"):format(stream.peer_version or version)
end

local function peer_address(stream)
  local _, address = stream:peername()
  return address or ""
end

--- Returns a fingerprint of everything that a step can change.
local function progress(stream)
  local socket = stream.connection.socket
  return table.concat({
    stream.state, stream.stats_recv, tostring(stream.has_main_headers),
    stream.headers_fifo:length(), socket and socket:pending() or "gone",
  }, " ")
end

--- If a peer leaves in the middle of a body, or its headers were refused, lua-http 0.4 loops
--- forever while shutting the stream down: every step succeeds but does nothing. This makes
--- such a step fail.
local function guard_against_endless_shutdown(stream)
  local step = stream.step
  if stream.connection.version == 2 then
    return
  end
  function stream:step(timeout)
    local before = progress(self)
    local ok, reason, code = step(self, timeout)
    if ok and progress(self) == before then
      return nil, "no progress"
    end
    return ok, reason, code
  end
end

--- Reads a request. Returns nil if the peer is gone; a request without a body if the body is too large.
---@param stream table
---@return connectly.sandbox.request?
---@return string? reason
function exchange.read(stream)
  guard_against_endless_shutdown(stream)
  local headers, reason = stream:get_headers(patience)
  if not headers then
    return nil, reason and "malformed" or "gone"
  end
  local body, trouble = read_body(stream, headers)
  if trouble == "lost" then
    return nil, "malformed"
  end
  local target = headers:get(":path") or ""
  return {
    method = headers:get(":method"),
    path = target:match("^[^?]*"),
    query = target:match("%?(.*)$") or "",
    headers = headers,
    body = body,
    http_version = http_version(stream),
    peer = peer_address(stream),
  }
end

local function reply_headers(answer, closes)
  local headers = new_headers()
  headers:append(":status", ("%d"):format(answer.status))
  headers:append("content-type", "application/json")
  headers:append("content-length", ("%d"):format(#answer.body))
  if closes then
    headers:append("connection", "close")
  end
  for name, value in pairs(answer.headers) do
    headers:upsert(name:lower(), tostring(value))
  end
  return headers
end

--- Ends the whole connection, as a dying server does; over HTTP/2 this also ends the other
--- streams.
local function hang_up(stream)
  local socket = stream.connection.socket
  if socket then
    socket:shutdown()
  end
end

--- Uses LuaSocket to set SO_LINGER, so that close sends RST. Returns false without LuaSocket.
local function set_linger(socket)
  local is_there, luasocket = pcall(require, "socket")
  if is_there then
    local borrower = luasocket.tcp()
    borrower:setfd(socket:pollfd())
    borrower:setoption("linger", { on = true, timeout = 0 })
    borrower:setfd(-1) -- otherwise LuaSocket would close the descriptor
  end
  return is_there
end

--- Ends the connection with RST, as after a crash of the machine; with FIN if LuaSocket is missing.
local function reset(stream)
  local socket = stream.connection.socket
  if socket and set_linger(socket) then
    stream.connection.socket = nil
    socket:close()
  else
    hang_up(stream)
  end
end

local function write_half(stream, headers, body)
  stream:write_headers(headers, false, patience)
  local half = math.max(1, math.floor(#body / 2))
  stream:write_chunk(body:sub(1, half), false, patience)
  hang_up(stream)
end

--- Reads the rest of the body. Closing a socket with unread bytes would reset the connection,
--- and the peer might never see the answer.
local function discard_body(stream)
  local size = 0
  while size < most_discarded_bytes do
    local chunk = stream:get_next_chunk(discard_patience)
    if chunk == nil then
      return
    end
    size = size + #chunk
  end
end

local function write_whole(stream, headers, body, method)
  local bodiless = body == "" or method == "HEAD"
  stream:write_headers(headers, bodiless, patience)
  if not bodiless then
    stream:write_chunk(body, true, patience)
  end
end

---@param stream table
---@param request connectly.sandbox.request
---@param answer connectly.sandbox.answer
function exchange.write(stream, request, answer)
  if answer.delay then
    cqueues.sleep(answer.delay)
  end
  if answer.hang_up == "before_reply" then
    return hang_up(stream)
  elseif answer.hang_up == "reset" then
    return reset(stream)
  end
  -- Unread bytes of the body would be taken for the next request, so close the connection.
  local closes = not request.body and request.http_version ~= "2"
  local headers = reply_headers(answer, closes)
  if answer.hang_up == "in_body" then
    return write_half(stream, headers, answer.body)
  end
  write_whole(stream, headers, answer.body, request.method)
  if not request.body then
    discard_body(stream)
  end
end

local bare_reply = "HTTP/1.1 %d Bad Request\r\nConnection: close\r\n"
  .. "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"

--- Answers bytes that could not be parsed as a request, if the peer is still connected. Writes
--- to the socket: lua-http has no stream to answer on if the request line is malformed.
---@param stream table
---@param reason "malformed"|"gone"
---@param answer connectly.sandbox.answer
function exchange.refuse(stream, reason, answer)
  local connection = stream.connection
  if reason ~= "malformed" or connection.version == 2 or not connection.socket then
    return
  end
  if not stream.body_write_type then
    connection.socket:xwrite(bare_reply:format(answer.status, #answer.body, answer.body), "bn", patience)
  end
  hang_up(stream)
end

return exchange
