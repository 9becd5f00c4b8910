--- One request in and one answer out, over a stream of lua-http. Nothing here
--- knows what the requests mean.

local cqueues = require "cqueues"
local new_headers = require("http.headers").new

local most_body_bytes = 1024 * 1024
local patience = 10 -- seconds for one step of reading or writing
local most_discarded_bytes = 64 * 1024 * 1024
local discard_patience = 1

---@class connectly.sandbox.request
---@field method string
---@field path string  without the query
---@field query string  what follows the question mark, "" when nothing does
---@field headers table  of lua-http
---@field body string|nil  nil when it was too large
---@field http_version "1.0"|"1.1"|"2"
---@field peer string  address of who asks

local exchange = {}

--- nil when the length is none.
local function announced_bytes(headers)
  return tonumber((headers:get("content-length") or "0"):match("^%d+$"))
end

--- lua-http takes the end of the connection for the end of the body.
local function is_cut_short(stream)
  return stream.body_read_type == "length" and stream.body_read_left > 0
end

--- nil and what was wrong, when the body is not to be had.
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

--- All by which a step can be seen to have done something.
local function progress(stream)
  local socket = stream.connection.socket
  return table.concat({
    stream.state, stream.stats_recv, tostring(stream.has_main_headers),
    stream.headers_fifo:length(), socket and socket:pending() or "gone",
  }, " ")
end

--- A peer that leaves in the middle of a body, or whose headers were refused,
--- makes lua-http 0.4 shut the stream down for ever: every step succeeds and
--- none does anything. Here such a step is a failure, as it should have been.
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

--- nil when the peer is gone; a request without a body when that is too large.
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

--- Ends the whole connection, as a server that dies would: over HTTP/2 the
--- other streams go with it.
local function hang_up(stream)
  local socket = stream.connection.socket
  if socket then
    socket:shutdown()
  end
end

--- LuaSocket sets the option by which a close sends RST. False without LuaSocket.
local function set_linger(socket)
  local is_there, luasocket = pcall(require, "socket")
  if is_there then
    local borrower = luasocket.tcp()
    borrower:setfd(socket:pollfd())
    borrower:setoption("linger", { on = true, timeout = 0 })
    borrower:setfd(-1) -- else it would close the descriptor
  end
  return is_there
end

--- The same by RST, as from a machine that crashed; without LuaSocket by FIN.
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

--- Closing on bytes that were not read would reset the connection, and the
--- peer might never see the answer.
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
  -- What is left of a body that was not read would pass for the next request.
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

--- Answers what could not even be read as a request, as far as the peer still
--- listens. lua-http has no stream to answer on when the first line is broken.
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
