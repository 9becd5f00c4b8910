---Attaches a client to copas: its calls yield in copas threads and block elsewhere.
-- As long as it is needed, one copas thread watches the client's descriptor. It reads from an
-- object that looks like a socket to copas and to LuaSocket's select.

local copas = require "copas"
local socket = require "socket"
local native = require "connectly.loader"
local client = require "connectly.client"
local sleeping = require "connectly.loop.copas_sleep"

local driver = {}

--- copas cannot tell its threads from other coroutines.
function driver.place()
  return coroutine.isyieldable() and "loop" or "block"
end

local signal = {}
signal.__index = signal

function driver.signal()
  return setmetatable({ threads = {} }, signal)
end

function signal:wait(seconds)
  local thread = coroutine.running()
  self.threads[thread] = true
  sleeping.sleep(seconds)
  self.threads[thread] = nil
end

function signal:set()
  for thread in pairs(self.threads) do
    sleeping.wakeup(thread)
  end
end

local bell = {}
bell.__index = bell

function bell:getfd()
  return self.host.native:descriptor() or -1
end

--- LuaSocket calls this before each select, which does not block when this returns true.
function bell:dirty()
  return native.clock() >= self.next_look or not self.host:is_needed()
end

--- Alternately returns a timeout, so that copas waits for the descriptor, and success.
function bell:receive()
  self.is_read = not self.is_read
  return not self.is_read or nil, "timeout"
end

--- copas 1 closes the socket on which a thread last waited; the descriptor must stay open.
function bell.close() end

--- select checks the time only when it returns: this sleeper makes it return in time.
local function tick(watched)
  while watched.is_open do
    sleeping.sleep(math.max(watched.next_look - native.clock(), 0.001))
  end
end

local function look(host, watched)
  local again = host:look_at_ended()
  if native.clock() >= watched.next_look then
    again = host:look_around()
  end
  local previous = watched.next_look
  watched.next_look = native.clock() + math.min(again or host.LOOK, host.LOOK)
  if watched.next_look < previous then
    sleeping.wakeup(watched.ticker)
  end
  host.client:emit_pending()
end

--- Runs in a copas thread.
local function watch(host)
  local watched = setmetatable({ host = host, next_look = 0, is_open = true }, bell)
  watched.ticker = copas.addthread(function() tick(watched) end)
  while host:is_needed() do
    copas.receive(watched)
    look(host, watched)
  end
  watched.is_open, host.is_listening = false, false
  sleeping.wakeup(watched.ticker)
end

function driver.listen(host)
  if host.is_listening or not host:is_needed() then
    return true
  end
  local descriptor = host.native:descriptor()
  -- With a higher descriptor select would raise an error inside copas.
  if not descriptor or descriptor >= (socket._SETSIZE or 1024) then
    return false
  end
  host.is_listening = true
  copas.addthread(function() watch(host) end)
  return true
end

local loop = {}

---Makes the client's calls yield to copas when they are made in its threads.
---@param attached table a client
---@return table client the same client
function loop.attach(attached)
  return client.attach(attached, driver)
end

return loop
