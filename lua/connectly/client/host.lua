-- How code that waits for the end of a call gives way to its host's event loop.
-- All that hosts have in common is here; a driver knows one loop:
--
--   driver.place() -> "loop"      here is code that may give way
--                     "block"     here nobody minds being kept waiting
--                     nil, why    here it can do neither
--   driver.signal() -> signal     what code waits at, for several and again and again:
--     signal:wait(seconds)        gives way until the next set, or for so long
--     signal:set()                wakes all that wait; nobody need be waiting
--   driver.listen(host) -> true   makes sure that host:look_around() is called (or
--                                 host:ended(ticket)) when the client has something
--                                 to say, as long as host:is_needed(); may be called
--                                 often; false when nobody does (yet), and then
--                                 whether somebody has been asked to
--
-- The calls are carried by the client's thread; Lua runs only here.

local native = require "connectly.loader"

-- Seconds after which code that waits looks for itself where nobody can tell it.
local POLL = 0.01

---@class connectly.Host
local host = {}
host.__index = host

-- The same where somebody should have told it; and for drivers, between two looks
-- around while nobody says anything.
host.LOOK = 1

--- `client` has native, emit_pending and pump (connectly.client.inner).
function host.new(client, driver)
  return setmetatable({ client = client, native = client.native, driver = driver, signals = {} }, host)
end

--- Whether this code may give way; false when it is to block. What may do neither
--- is told so, by an error: it is the program that is wrong.
function host:may_wait(what)
  local place, why = self.driver.place()
  if place == "loop" and not native.is_yieldable() then
    place, why = nil, "nothing can give way in a function that C called (of string.gsub, table.sort, require); "
      .. "use client:start(...) and wait for the call outside of it"
  end
  if place == "loop" then
    return true
  end
  if not place then
    error(("connectly: %s: %s"):format(what, why), 0)
  end
  return false
end

--- As long as this is so, the driver listens.
function host:is_needed()
  if next(self.signals) ~= nil then
    return true
  end
  return self.client.limiter ~= false and self.native:stats().in_flight > 0
end

--- Whether the client will be looked after.
function host:listen()
  return self.driver.listen(self)
end

function host:ended(ticket)
  local signal = self.signals[ticket]
  if signal then
    self.signals[ticket] = nil
    signal:set()
  end
end

--- Everything that may have happened since; returns seconds until it should be
--- called again, or nil.
function host:look_around()
  for ticket, signal in pairs(self.signals) do
    if self.native:is_done(ticket) then
      self.signals[ticket] = nil
      signal:set()
    end
  end
  return self.client:pump()
end

--- The same, for drivers that are told that something ended and not what.
function host:look_at_ended()
  self.native:acknowledge()
  local ticket = self.native:next_ended()
  while ticket do
    self:ended(ticket)
    ticket = self.native:next_ended()
  end
  return self.client:pump()
end

--- The signal will be set when the call has ended.
function host:expect(ticket, signal)
  self.signals[ticket] = signal
end

function host:signal()
  return self.driver.signal()
end

--- Until the signal is set, or it is time to look. Where nobody listens, those who
--- wait do it themselves, one of them at a time.
function host:wait_a_while(signal, seconds)
  local is_told = self.driver.listen(self)
  signal:wait(math.min(seconds, is_told and self.LOOK or POLL))
  if not is_told and native.clock() >= (self.next_look or 0) then
    self.next_look = native.clock() + POLL
    self:look_around()
  end
  self.client:emit_pending()
end

--- Waits for the end of a call: true, or false after `timeout` seconds. `signal` is one
--- that was made before, or nil.
function host:wait(ticket, timeout, signal)
  local until_then = native.clock() + (timeout or math.huge)
  signal = self.signals[ticket] or signal or self.driver.signal()
  while not self.native:is_done(ticket) do
    local left = until_then - native.clock()
    if left <= 0 then
      return false
    end
    self.signals[ticket] = signal
    self:wait_a_while(signal, left)
  end
  self:ended(ticket) -- others may wait for it, to whom nobody names it once it is read
  return true
end

--- Nobody waits for the end of this call any more.
function host:forget(ticket)
  self.signals[ticket] = nil
end

--- Waits until some call that the signal was promised to has ended, or a moment;
--- of room for one more call nobody tells.
function host:wait_at(signal, is_for_room)
  self:wait_a_while(signal, is_for_room and POLL or self.LOOK)
end

--- Gives way until no call is under way, for `seconds` at most.
function host:drain(seconds)
  local until_then = native.clock() + seconds
  local signal = self.driver.signal()
  while self.native:stats().in_flight > 0 and native.clock() < until_then do
    self.driver.listen(self)
    signal:wait(POLL)
  end
end

return host
