-- The driver for nginx. The client's thread writes the ticket of each call that ends to a unix
-- socket; one light thread per worker reads it and wakes the waiting request. The light thread
-- belongs to a timer, because a request's sockets are closed with the request. It runs only
-- while calls are waited for, because it would delay the exit of a worker.

local native = require "connectly.loader"
local semaphore = require "ngx.semaphore"
local ngx = ngx -- luacheck: ignore 113

-- Seconds for which the reader stays when nothing waits any more: starting it costs as much as
-- several sends.
local LINGER = 0.2
-- Seconds by which the reader may be late before it counts as dead, or never started.
local GRACE = 1
-- A read timeout in milliseconds, too long to expire: nginx logs each read that times out as an
-- error, so another light thread keeps the time.
local ALWAYS = 24 * 3600 * 1000

-- Phases that block: before the first request and after the last one.
local BLOCK = { init = true, exit_worker = true }

local driver = {}

-- Whether waiting is allowed, for each phase that lua-nginx-module has a name for.
local may_wait_in = {}
local probe

--- Asks lua-nginx-module whether the current code may wait: true, false, or nil when it does not
--- say. A wait of 0 seconds does not yield, but fails where waiting is disabled.
local function ask_module()
  probe = probe or semaphore.new(0)
  local is_fine, _, reason = pcall(probe.wait, probe, 0)
  if is_fine and reason == "timeout" then
    return true
  elseif is_fine and tostring(reason):find("API disabled", 1, true) then
    return false
  end
  return nil
end

--- The same, asked once per phase. A module newer than its Lua library may be in a phase without a
--- name.
local function may_wait(phase)
  if phase and may_wait_in[phase] ~= nil then
    return may_wait_in[phase]
  end
  local answer = ask_module()
  if phase then
    may_wait_in[phase] = answer
  end
  return answer
end

function driver.place()
  local is_named, phase = pcall(ngx.get_phase)
  if BLOCK[phase] then
    return "block"
  elseif may_wait(is_named and phase or nil) then
    return "loop"
  end
  return nil, ("in nginx's %s phase nothing can wait: use client:post(...), or client:start(...) and wait "
    .. "for the call in ngx.timer.at"):format(is_named and phase or "present")
end

local signal = {}
signal.__index = signal

function driver.signal()
  return setmetatable({ semaphore = assert(semaphore.new(0)), waiting = 0 }, signal)
end

function signal:wait(seconds)
  self.waiting = self.waiting + 1
  self.semaphore:wait(seconds)
  self.waiting = self.waiting - 1
end

--- `waiting` also counts requests that nginx ended while they waited. A surplus post only makes a
--- waiter check once more.
function signal:set()
  if self.waiting > 0 then
    self.semaphore:post(self.waiting)
  end
end

local function connect(host)
  local path, problem = host.native:listen()
  if not path then
    return nil, problem
  end
  local socket = ngx.socket.tcp()
  local is_connected, why = socket:connect("unix:" .. path)
  socket:settimeout(ALWAYS)
  return is_connected and socket, why
end

--- Reads lines until the socket closes: tickets, or 0 to call look_around.
local function read(host, socket, look)
  local line = socket:receive()
  while line do
    if line == "0" then
      look.is_due = true
      look:set()
    else
      host:ended(tonumber(line))
      host.client:emit_pending()
    end
    line = socket:receive()
  end
  look.has_ended = true
  look:set()
end

--- Calls look_around when it is due, until nothing waits or the socket is closed.
local function watch(host, look)
  local was_needed = true
  while not look.has_ended do
    look.is_due = false -- before look_around: a limiter may yield, and a 0 that is read meanwhile must not be lost
    host.alive_until = native.clock() + host.LOOK + GRACE
    local again = host:look_around()
    host.client:emit_pending()
    local is_needed = host:is_needed()
    if not is_needed and (not was_needed or ngx.worker.exiting()) then
      return
    end
    was_needed = is_needed
    if not look.is_due then
      look:wait(math.min(again or host.LOOK, is_needed and host.LOOK or LINGER))
    end
  end
end

local function run(_, host)
  local socket, problem
  repeat
    local look = driver.signal()
    socket, problem = connect(host)
    if socket then
      local reader = ngx.thread.spawn(read, host, socket, look)
      watch(host, look)
      ngx.thread.kill(reader)
      socket:close()
    end
  until not socket or not host:is_needed() or host.native:is_closed()
  host.alive_until = 0
  if problem then
    ngx.log(ngx.WARN, "connectly: cannot wait for the ends of calls: ", tostring(problem))
  end
end

--- nginx may drop a timer that was created, when too many are pending; and a handler may call
--- ngx.exit. So the reader counts as running only if it was seen recently; otherwise it is started
--- again, at intervals.
function driver.listen(host)
  local now = native.clock()
  if now < (host.alive_until or 0) then
    return true
  end
  if now >= (host.ask_again_at or 0) then
    host.ask_again_at = ngx.timer.at(0, run, host) and now + GRACE or 0
  end
  return false, host.ask_again_at > now
end

return driver
