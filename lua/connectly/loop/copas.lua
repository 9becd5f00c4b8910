---A client's calls in copas: in its threads they give way, elsewhere they block.
-- One copas thread watches the client's descriptor, as long as it is needed: it reads
-- from what looks like a socket to copas and to LuaSocket's select.

local copas = require "copas"
local socket = require "socket"
local native = require "connectly.loader"
local client = require "connectly.client"
local sleeping = require "connectly.loop.copas_sleep"

local driver = {}

--- copas does not tell its threads from other coroutines.
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

--- Asked before each select, which does not block when there is something to do.
function bell:dirty()
  return native.clock() >= self.next_look or not self.host:is_needed()
end

--- To be waited at, once for each time it is read from.
function bell:receive()
  self.is_read = not self.is_read
  return not self.is_read or nil, "timeout"
end

--- copas 1 closes what a thread was at last.
function bell.close() end

--- select looks at the time only when it returns: this makes it return in time.
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

--- In a thread.
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
  -- Of a higher one select would raise an error, in the midst of copas.
  if not descriptor or descriptor >= (socket._SETSIZE or 1024) then
    return false
  end
  host.is_listening = true
  copas.addthread(function() watch(host) end)
  return true
end

local loop = {}

---From here on the client's calls give way to copas in its threads.
---@param attached table a client
---@return table client the same
function loop.attach(attached)
  return client.attach(attached, driver)
end

return loop
