--- http2_stream.lua - one request in HTTP/2. It has the same methods as http1's exchange, so
--- that most behaviours work with both.

local frames = require "spec.support.fault.frames"

local DATA, RST_STREAM = 0, 3
local END_STREAM = 1

local exchange = {}
exchange.__index = exchange

function exchange.new(connection, id, request)
  return setmetatable({
    connection = connection, server = connection.server, id = id, request = request,
    number = connection.requests, protocol = "http2", send_window = connection.initial_window,
    parts = {}, size = 0,
  }, exchange)
end

--- The stream is closed for the client as soon as it has read the frame that ends it,
--- which may be before the write of that frame returns.
local function stop_counting(self)
  if not self.is_uncounted then
    self.is_uncounted = true
    self.connection.open_streams = self.connection.open_streams - 1
  end
end

function exchange:finish()
  if not self.finished then
    self.finished = true
    stop_counting(self)
    self.connection.streams[self.id] = nil
    self.connection.changed:signal()
    self.connection:close_when_retired()
  end
end

function exchange:write(bytes)
  return not self.finished and self.connection:write(bytes)
end

function exchange:interim(status, headers)
  self:write(frames.headers(self.id, { status = status, headers = headers }, 0))
end

--- How much may be sent now; waits until that is anything.
local function take_window(self, wanted)
  local link, room = self.connection, nil
  local opened = link:wait_until(function()
    room = math.min(wanted, frames.LARGEST, link.send_window, self.send_window)
    return room > 0 or self.finished
  end)
  if not opened or self.finished then
    return nil
  end
  link.send_window, self.send_window = link.send_window - room, self.send_window - room
  return room
end

local function write_data(self, body, flags)
  local sent = 0
  repeat
    local room = #body == 0 and 0 or take_window(self, #body - sent)
    if not room then
      return
    end
    local part = body:sub(sent + 1, sent + room)
    sent = sent + room
    local is_last = sent == #body
    if is_last and flags & END_STREAM ~= 0 then
      stop_counting(self)
    end
    self:write(frames.frame(DATA, is_last and flags or 0, self.id, part))
  until sent >= #body
end

function exchange:reply(reply)
  if frames.has_no_body(reply.status) then
    stop_counting(self)
    self:write(frames.headers(self.id, reply, END_STREAM))
  else
    self:write(frames.headers(self.id, reply, 0))
    write_data(self, reply.body, END_STREAM)
  end
  local armed = self.connection.armed
  if armed.on_reply then
    armed.on_reply(self.connection, self)
  end
  self:finish()
end

--- A whole reply to a request that is not whole, and no wish to see the rest of it.
function exchange:reply_and_reset(reply)
  stop_counting(self)
  self:write(frames.headers(self.id, reply, 0) .. frames.frame(DATA, END_STREAM, self.id, reply.body)
    .. frames.frame(RST_STREAM, 0, self.id, string.pack(">I4", 0)))
  self:finish()
end

-- How much of a reply is on the wire when it is cut at a point.
local CUTS = {
  ["in-status-line"] = function(id, reply) return frames.headers(id, reply, 0):sub(1, 5) end,
  ["in-headers"] = function(id, reply) return frames.headers(id, reply, 0):sub(1, -6) end,
  ["after-headers"] = function(id, reply) return frames.headers(id, reply, 0) end,
  ["in-body"] = function(id, reply)
    local half = reply.body:sub(1, #reply.body // 2)
    return frames.headers(id, reply, 0) .. frames.frame(DATA, 0, id, half)
  end,
}

-- After half a frame nothing else on the connection can be understood.
local CUTS_THE_FRAME = { ["in-status-line"] = true, ["in-headers"] = true }

function exchange:write_until(point, reply)
  self:write(CUTS[point](self.id, reply))
  self.connection.mute = CUTS_THE_FRAME[point]
end

function exchange:pieces(reply)
  return coroutine.wrap(function()
    coroutine.yield(frames.headers(self.id, reply, 0))
    for letter in reply.body:gmatch(".") do
      coroutine.yield(frames.frame(DATA, 0, self.id, letter))
    end
    coroutine.yield(frames.frame(DATA, END_STREAM, self.id, ""))
  end)
end

function exchange:goaway(last_id, code)
  self.connection:goaway(last_id, code)
end

function exchange:reset_stream(code)
  stop_counting(self)
  self:write(frames.frame(RST_STREAM, 0, self.id, string.pack(">I4", code)))
  self:finish()
end

function exchange:limit_streams(count)
  self.connection:limit_streams(count)
end

--- True for the last of `count` streams that wait here together.
function exchange:wait_for_streams(count)
  local link = self.connection
  link.waiting = (link.waiting or 0) + 1
  if link.waiting >= count then
    return true
  end
  link:wait_until(function() return self.finished end)
  return false
end

function exchange:close()
  self.connection:close()
end

function exchange:cut()
  self.connection:cut()
end

function exchange:reset()
  self.connection:reset()
end

--- The stream stays open, and with it the client's hope.
function exchange.silence()
end

return exchange
