--- ledger.lua - records what the server received, and which faults are armed.

local cjson = require "cjson.safe"
local condition = require "cqueues.condition"
local cqueues = require "cqueues"

local MOST_BODIES = 20000
local MOST_BODY_BYTES = 64 * 1024 * 1024
local MOST_ARRIVALS = 200000

local ledger = {}
ledger.__index = ledger

function ledger.new()
  local self = setmetatable({ open = 0, resumed = condition.new() }, ledger)
  self:reset()
  return self
end

function ledger:reset()
  self.connections, self.handshakes, self.requests, self.elsewhere = 0, 0, 0, 0
  self.bodies, self.targets, self.body_bytes, self.arrivals = {}, {}, 0, {}
  self.by_behaviour, self.by_key, self.by_protocol = {}, {}, {}
  self.accepted, self.drawn = {}, {}
  self.begun, self.touched = {}, {}
  self.is_resumed = false
  self.armed, self.random = {}, {}
end

local function add(counts, name)
  counts[name] = (counts[name] or 0) + 1
end

--- What a test gave the message to know it again by.
local function key_of(request)
  if request.headers.callbackdata then
    return request.headers.callbackdata
  end
  local fields = cjson.decode(request.body)
  local value = type(fields) == "table" and fields.callbackData
  return type(value) == "table" and cjson.encode(value) or value or nil
end

--- The number of a message, from its traceparent: known as soon as its head is there.
local function number_of(request)
  local number = (request.headers.traceparent or ""):match("^00%-0*(%x+)%-")
  return number and tostring(tonumber(number, 16))
end

--- The head of a request has arrived; the rest may follow or not. A refusal by status
--- is the one thing after which a client may say that nothing was done with it.
function ledger:began(exchange)
  local number, behaviour = number_of(exchange.request), exchange.behaviour
  if number then
    add(self.begun, number)
    if not behaviour or not behaviour.refuses or behaviour.resets then
      add(self.touched, number)
    end
  end
end

local function keep(self, request)
  local body = request.body
  if #self.bodies < MOST_BODIES and self.body_bytes + #body <= MOST_BODY_BYTES then
    self.bodies[#self.bodies + 1] = body
    self.targets[#self.targets + 1] = request.method .. " " .. request.path
    self.body_bytes = self.body_bytes + #body
  end
end

--- The whole request has arrived: from here on it counts as delivered.
function ledger:received(exchange)
  local key = key_of(exchange.request)
  self.requests = self.requests + 1
  if #self.arrivals < MOST_ARRIVALS then
    self.arrivals[#self.arrivals + 1] = cqueues.monotime()
  end
  add(self.by_behaviour, exchange.name)
  add(self.by_protocol, exchange.protocol)
  if key ~= nil and key ~= cjson.null then
    add(self.by_key, tostring(key))
    if not exchange.behaviour.refuses then
      add(self.accepted, tostring(key))
    end
  end
  keep(self, exchange.request)
end

--- How many requests came within the second that ends with the last one.
function ledger:arrivals_in_the_last_second()
  local arrivals, count = self.arrivals, 0
  while arrivals[#arrivals - count] and arrivals[#arrivals - count] > arrivals[#arrivals] - 1 do
    count = count + 1
  end
  return count
end

--- What is to stop reading waits here, until resume() or for so many seconds.
function ledger:wait_for_resume(seconds)
  if not self.is_resumed then
    self.resumed:wait(seconds)
  end
end

--- What waits reads on, and until the next reset nothing stops.
function ledger:resume()
  self.is_resumed = true
  self.resumed:signal()
end

--- A behaviour was drawn at random; also those that leave the request unread.
function ledger:drew(name)
  add(self.drawn, name)
end

function ledger:counts()
  return {
    connections = self.connections, open = self.open, handshakes = self.handshakes, requests = self.requests,
    elsewhere = self.elsewhere, bodies = self.bodies, targets = self.targets, by_behaviour = self.by_behaviour,
    by_key = self.by_key, by_protocol = self.by_protocol,
    accepted = self.accepted, drawn = self.drawn, begun = self.begun, touched = self.touched,
  }
end

--- `place` is "connection" or "request": which of the two the fault waits for. It is
--- over after `times`, and after `seconds` if they are given.
function ledger:arm(place, name, times, seconds)
  local ends = seconds and cqueues.monotime() + seconds or math.huge
  table.insert(self.armed, { place = place, name = name, times = times, ends = ends })
end

--- The name of the fault that was armed first for `place`, or nil.
function ledger:take_armed(place)
  local now = cqueues.monotime()
  for index, entry in ipairs(self.armed) do
    if entry.place == place and now < entry.ends then
      entry.times = entry.times - 1
      if entry.times <= 0 then
        table.remove(self.armed, index)
      end
      return entry.name
    end
  end
end

return ledger
