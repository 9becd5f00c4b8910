-- How code that waits for the end of a call yields to its host's event loop. This file holds
-- what all hosts have in common; a driver knows one loop:
--
--   driver.place() -> "loop"      the running code may yield
--                     "block"     the running code may block
--                     nil, why    it may do neither
--   driver.signal() -> signal     an object to wait on; several waiters may share and reuse it:
--     signal:wait(seconds)        yields until the next set, for at most `seconds`
--     signal:set()                wakes all waiters; it is fine when there are none
--   driver.listen(host) -> true   makes sure that host:look_around() (or host:ended(ticket)) is
--                                 called when the client has news, as long as host:is_needed();
--                                 may be called often. Returns false when no listener runs (yet),
--                                 and then, as a second value, whether one has been requested
--
-- The client's thread performs the calls; Lua code runs only in the host's thread.

local native = require "connectly.loader"

-- Seconds between two polls by waiting code when no listener can wake it.
local POLL = 0.01

---@class connectly.Host
local host = {}
host.__index = host

-- Seconds between two polls by waiting code that a listener should wake; drivers also use it
-- as the interval between two look_around calls when nothing happens.
host.LOOK = 1

--- `client` has native, emit_pending and pump (connectly.client.inner).
function host.new(client, driver)
  return setmetatable({ client = client, native = client.native, driver = driver, signals = {} }, host)
end

--- Returns true when the running code may yield, false when it should block. Raises an error
--- when it may do neither: that is a mistake of the program.
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

--- The driver listens as long as this returns true.
function host:is_needed()
  if next(self.signals) ~= nil then
    return true
  end
  return self.client.limiter ~= false and self.native:stats().in_flight > 0
end

--- Asks the driver to listen; returns the values of driver.listen.
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

--- Wakes the waiters of all calls that have ended and pumps the limiter. Returns the seconds
--- until it should be called again, or nil.
function host:look_around()
  for ticket, signal in pairs(self.signals) do
    if self.native:is_done(ticket) then
      self.signals[ticket] = nil
      signal:set()
    end
  end
  return self.client:pump()
end

--- The same for drivers that are told that some call has ended, but not which.
function host:look_at_ended()
  self.native:acknowledge()
  local ticket = self.native:next_ended()
  while ticket do
    self:ended(ticket)
    ticket = self.native:next_ended()
  end
  return self.client:pump()
end

--- Registers a signal to be set when the call has ended.
function host:expect(ticket, signal)
  self.signals[ticket] = signal
end

function host:signal()
  return self.driver.signal()
end

--- Waits until the signal is set, or until it is time to poll. Without a listener the waiting
--- coroutines poll themselves, one of them at a time.
function host:wait_a_while(signal, seconds)
  local is_told = self.driver.listen(self)
  signal:wait(math.min(seconds, is_told and self.LOOK or POLL))
  if not is_told and native.clock() >= (self.next_look or 0) then
    self.next_look = native.clock() + POLL
    self:look_around()
  end
  self.client:emit_pending()
end

--- Waits for the end of a call: returns true, or false after `timeout` seconds. `signal` was
--- made before by the caller, or is nil.
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
  self:ended(ticket) -- wake other waiters now: once the result is read, look_at_ended no longer names the ticket
  return true
end

--- Removes the signal of a call that nothing waits for any more.
function host:forget(ticket)
  self.signals[ticket] = nil
end

--- Waits until one of the calls registered for the signal has ended, or until it is time to
--- poll. With `is_for_room` it polls often, because nothing signals that room is free.
function host:wait_at(signal, is_for_room)
  self:wait_a_while(signal, is_for_room and POLL or self.LOOK)
end

--- Yields until no call is in flight, for at most `seconds`.
function host:drain(seconds)
  local until_then = native.clock() + seconds
  local signal = self.driver.signal()
  while self.native:stats().in_flight > 0 and native.clock() < until_then do
    self.driver.listen(self)
    signal:wait(POLL)
  end
end

return host
