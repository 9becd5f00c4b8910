-- nginx: the client's thread writes the ticket of each call that ends to a unix
-- socket, on which one light thread of the worker reads, and wakes the request that
-- waits. The light thread belongs to a timer, because a request's sockets end with
-- it; and it lives only while calls are awaited, because it would hold up a worker
-- that wants to exit.

local native = require "connectly.loader"
local semaphore = require "ngx.semaphore"
local ngx = ngx -- luacheck: ignore 113

-- Seconds for which the reader stays when nobody waits any more: making it costs
-- as much as some sends.
local LINGER = 0.2
-- Seconds for which it reads at a time.
local PATIENCE = 1

local LOOP = {
  rewrite = true, server_rewrite = true, access = true, content = true, timer = true, preread = true,
  ssl_cert = true, ssl_client_hello = true, ssl_session_fetch = true,
}
-- Before the first request and after the last one.
local BLOCK = { init = true, exit_worker = true }

local driver = {}

function driver.place()
  local phase = ngx.get_phase()
  if LOOP[phase] then
    return "loop"
  elseif BLOCK[phase] then
    return "block"
  end
  return nil, ("in nginx's %s phase nothing can wait: use client:start{...} and do not wait for the call, "
    .. "or wait in ngx.timer.at"):format(phase)
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

--- A request that was ended while it waited still counts: one post too many makes
--- somebody look once more.
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
  return is_connected and socket, why
end

--- What one line, or its absence, says; false when the socket is of no more use.
local function read_line(host, socket, seconds)
  socket:settimeout(1000 * seconds)
  local line, problem = socket:receive()
  if line and line ~= "0" then
    host:ended(tonumber(line))
  end
  return line == "0" or problem == "timeout", line ~= nil or problem == "timeout"
end

--- Reads until nobody waits; true when the socket is to be made anew.
local function read(host, socket)
  local next_look = math.huge
  while true do
    local is_needed = host:is_needed()
    if not is_needed and ngx.worker.exiting() then
      return false
    end
    local patience = math.min(is_needed and PATIENCE or LINGER, next_look - native.clock())
    local is_told_to_look, is_fine = read_line(host, socket, math.max(patience, 0.001))
    if not is_fine then
      return host:is_needed()
    end
    if is_told_to_look or native.clock() >= next_look then
      if not is_needed and not host:is_needed() then
        return false
      end
      next_look = native.clock() + (host:look_around() or math.huge)
    end
    host.client.emit_pending()
  end
end

local function run(_, host)
  local socket, problem = connect(host)
  while socket do
    local is_to_be_made_anew = read(host, socket)
    socket:close()
    socket, problem = nil, nil
    if is_to_be_made_anew and not host.native:is_closed() then
      socket, problem = connect(host)
    end
  end
  host.is_listening = false
  if problem then
    ngx.log(ngx.WARN, "connectly: no reader for the ends of calls: ", tostring(problem))
  end
end

function driver.listen(host)
  host.is_listening = host.is_listening or ngx.timer.at(0, run, host) and true or false
  return host.is_listening
end

return driver
