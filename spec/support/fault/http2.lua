--- http2.lua - a hand-written HTTP/2 server (RFC 9113) that can break off at any frame. It
--- implements only what these tests need.
---
--- http2.serve(peer, server) reads frames and runs each stream's behaviour in a coroutine of its
--- own. It uses lua-http only to decode headers (HPACK).

local behaviours = require "spec.support.fault.behaviours"
local condition = require "cqueues.condition"
local cqueues = require "cqueues"
local frames = require "spec.support.fault.frames"
local hpack = require "http.hpack"
local new_stream = require "spec.support.fault.http2_stream".new

local PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
local PREFACE_REST = "SM\r\n\r\n" -- after http1 took the first part for a head
local LARGEST_HEAD = 64 * 1024
local LARGEST_BODY = 4 * 1024 * 1024
local MOST_STREAMS = 1000
local PATIENCE = 120 -- seconds for windows to open and for streams to come

local DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION =
  0, 1, 3, 4, 6, 7, 8, 9
local END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY = 1, 1, 4, 8, 32
local MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE = 3, 4
local NO_ERROR, PROTOCOL_ERROR, REFUSED_STREAM = 0, 1, 7

local http2 = {}

-- The connection ---------------------------------------------------------------

local connection = {}
connection.__index = connection

local function new_connection(peer, server, armed)
  return setmetatable({
    peer = peer, server = server, armed = armed or {}, decoder = hpack.new(4096), changed = condition.new(),
    streams = {}, open_streams = 0, requests = 0, send_window = 65535, initial_window = 65535,
    unacknowledged = 0, received = 0,
  }, connection)
end

--- Frames of several streams must not be mixed inside each other.
function connection:write(bytes)
  while self.writing do
    self.changed:wait()
  end
  if self.ending or self.mute then
    return nil
  end
  self.writing = true
  local written = self.peer:write(bytes)
  self.writing = false
  self.changed:signal()
  return written
end

function connection:goaway(last_id, code)
  self:write(frames.frame(GOAWAY, 0, 0, string.pack(">I4 I4", last_id, code)))
end

function connection:limit_streams(count)
  self.most_streams = count
  self:write(frames.frame(SETTINGS, 0, 0, string.pack(">I2 I4", MAX_CONCURRENT_STREAMS, count)))
end

--- Promises to answer what began up to now and nothing later, and closes when all of
--- that is answered: what nginx does after its keepalive_requests.
function connection:retire(last_id)
  self.last_id = last_id
  self:goaway(last_id, NO_ERROR)
end

function connection:close_when_retired()
  if self.last_id and self.open_streams == 0 and not self.ending then
    self:close()
  end
end

--- The read loop goes on and forgets what still comes.
function connection:close()
  self.ending = true
  self.peer:hang_up()
  self.changed:signal()
end

function connection:cut()
  self.ending = true
  self.peer:cut_off()
  self.changed:signal()
end

function connection:reset()
  self.ending = true
  self.peer:reset()
  self.changed:signal()
end

--- Waits until `ready()`, or returns false after a long time.
function connection:wait_until(ready)
  local deadline = cqueues.monotime() + PATIENCE
  while not ready() do
    local left = deadline - cqueues.monotime()
    if self.ending or left <= 0 then
      return false
    end
    self.changed:wait(left)
  end
  return not self.ending
end

-- Streams in --------------------------------------------------------------------

local function decode_request(self, block)
  local list = self.decoder:decode_headers(block)
  local headers = {}
  for name, value in list:each() do
    headers[name] = value
  end
  return { method = headers[":method"], path = headers[":path"] or "", headers = headers, body = "" }
end

local function run(stream)
  cqueues.running():wrap(function()
    pcall(stream.behaviour.run, stream)
  end)
end

local function act_at(stream, stage)
  if stream.stage == stage and not stream.acted then
    stream.acted = true
    run(stream)
  end
end

--- A body of another length than content-length says is malformed (RFC 9113 8.1.1).
local function is_malformed(request)
  local length = request.headers["content-length"]
  return length ~= nil and tonumber(length) ~= #request.body
end

local function complete(stream)
  if stream.acted then
    return
  end
  stream.request.body = table.concat(stream.parts)
  if is_malformed(stream.request) then
    stream.acted = true
    return stream:reset_stream(PROTOCOL_ERROR)
  end
  stream.connection.server.ledger:received(stream)
  stream.stage = "body" -- also what wanted half of a body that never came
  act_at(stream, "body")
end

local function open_stream(self, id, request)
  self.requests = self.requests + 1
  self.open_streams = self.open_streams + 1
  self.streams[id] = new_stream(self, id, request)
  return self.streams[id]
end

local function half_length(stream)
  return (tonumber(stream.request.headers["content-length"]) or 0) // 2
end

local function refuse_stream(stream)
  stream.acted = true
  stream.connection.server.ledger:began(stream)
  return stream:reset_stream(REFUSED_STREAM)
end

--- A behaviour of the connection may have its own for each of its streams.
local function choose(stream)
  local armed = stream.connection.armed
  stream.behaviour, stream.name = behaviours.choose(stream)
  stream.behaviour = armed.request and armed.request(stream) or stream.behaviour
  stream.stage = behaviours.stage(stream.behaviour, stream)
  stream.connection.server.ledger:began(stream)
end

local function serve_stream(stream, flags)
  choose(stream)
  act_at(stream, "head")
  if flags & END_STREAM ~= 0 then
    complete(stream)
  end
end

local function begin(self, id, block, flags)
  local request = decode_request(self, block)
  if self.last_id and id > self.last_id then
    return self.server.ledger:began { request = request } -- the client was told not to
  end
  local stream = open_stream(self, id, request)
  if self.most_streams and self.open_streams > self.most_streams then
    return refuse_stream(stream)
  end
  serve_stream(stream, flags)
  if self.armed.on_stream then
    self.armed.on_stream(self, stream)
  end
end

--- Gives the client back what it used up of its window for the connection; a
--- stream's own window is as large as the largest body.
local function acknowledge(self, size)
  self.received = self.received + size
  if self.armed.keeps_window then
    return
  end
  self.unacknowledged = self.unacknowledged + size
  if self.unacknowledged > LARGEST_BODY // 4 then
    self:write(frames.frame(WINDOW_UPDATE, 0, 0, string.pack(">I4", self.unacknowledged)))
    self.unacknowledged = 0
  end
end

-- Frames in ------------------------------------------------------------------------

local function without_padding(flags, payload)
  if flags & PADDED == 0 then
    return payload
  end
  return payload:sub(2, #payload - payload:byte())
end

-- Kind -> function(connection, flags, id, payload); false ends the connection.
local on = {}

on[DATA] = function(self, flags, id, payload)
  acknowledge(self, #payload)
  local stream = self.streams[id]
  if not stream or stream.acted then
    return true
  end
  stream.parts[#stream.parts + 1] = without_padding(flags, payload)
  stream.size = stream.size + #payload
  if stream.size > LARGEST_BODY then
    return false
  elseif stream.size >= half_length(stream) then
    act_at(stream, "half")
  end
  if flags & END_STREAM ~= 0 then
    complete(stream)
  end
  return true
end

on[HEADERS] = function(self, flags, id, payload)
  payload = without_padding(flags, payload)
  if flags & PRIORITY ~= 0 then
    payload = payload:sub(6)
  end
  self.partial = { id = id, flags = flags, block = payload }
  if flags & END_HEADERS ~= 0 then
    begin(self, id, payload, flags)
  end
  return true
end

on[CONTINUATION] = function(self, flags, id, payload)
  local partial = self.partial
  if not partial or partial.id ~= id or #partial.block > LARGEST_HEAD then
    return false
  end
  partial.block = partial.block .. payload
  if flags & END_HEADERS ~= 0 then
    begin(self, id, partial.block, partial.flags)
  end
  return true
end

on[RST_STREAM] = function(self, _, id)
  if self.streams[id] then
    self.streams[id]:finish()
  end
  return true
end

local function set_initial_window(self, size)
  for _, stream in pairs(self.streams) do
    stream.send_window = stream.send_window + size - self.initial_window
  end
  self.initial_window = size
  self.changed:signal()
end

on[SETTINGS] = function(self, flags, _, payload)
  if flags & ACK ~= 0 then
    return true
  end
  for place = 1, #payload - 5, 6 do
    local setting, value = string.unpack(">I2 I4", payload, place)
    if setting == INITIAL_WINDOW_SIZE then
      set_initial_window(self, value)
    end
  end
  self:write(frames.frame(SETTINGS, ACK, 0, ""))
  return true
end

on[PING] = function(self, flags, _, payload)
  if flags & ACK == 0 then
    self:write(frames.frame(PING, ACK, 0, payload))
  end
  return true
end

on[WINDOW_UPDATE] = function(self, _, id, payload)
  local window = id == 0 and self or self.streams[id]
  if window then
    window.send_window = window.send_window + string.unpack(">I4", payload)
    self.changed:signal()
  end
  return true
end

local function ignore()
  return true
end

local function read_frames(self)
  while true do
    local kind, flags, id, payload = frames.read(self.peer)
    if not kind then
      return
    elseif not self.ending and not (on[kind] or ignore)(self, flags, id, payload) then
      return
    end
  end
end

--- With `keeps_window` all windows stay as the protocol has them, 65,535 bytes.
local function greet(self)
  self.most_streams = self.armed.most_streams
  local settings = string.pack(">I2 I4", MAX_CONCURRENT_STREAMS, self.most_streams or MOST_STREAMS)
  if self.armed.keeps_window then
    return self:write(frames.frame(SETTINGS, 0, 0, settings))
  end
  settings = settings .. string.pack(">I2 I4", INITIAL_WINDOW_SIZE, LARGEST_BODY + frames.LARGEST)
  self:write(frames.frame(SETTINGS, 0, 0, settings)
    .. frames.frame(WINDOW_UPDATE, 0, 0, string.pack(">I4", 1 << 30)))
end

--- `armed` is a behaviour of stage "preface", or nil; `begun` is true when http1
--- has read the first part of the preface.
function http2.serve(peer, server, armed, begun)
  local expected = begun and PREFACE_REST or PREFACE
  if peer:read(#expected) ~= expected then
    return
  end
  local self = new_connection(peer, server, armed)
  greet(self)
  if armed and armed.run then
    armed.run(self)
  end
  read_frames(self)
  self.ending = true
  self.changed:signal()
end

return http2
