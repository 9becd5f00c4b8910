---Attaches a client to cqueues: its calls yield inside a controller and block elsewhere.
-- In each controller with a waiting call one coroutine watches the client's descriptor, as long
-- as it is needed.

local cqueues = require "cqueues"
local condition = require "cqueues.condition"
local native = require "connectly.loader"
local client = require "connectly.client"

local driver = {}

function driver.place()
  return cqueues.running() and "loop" or "block"
end

local signal = {}
signal.__index = signal

function driver.signal()
  return setmetatable({ condition = condition.new() }, signal)
end

function signal:wait(seconds)
  self.condition:wait(seconds)
end

function signal:set()
  self.condition:signal()
end

local function watch(host, controller, descriptor)
  local bell = { pollfd = descriptor, events = "r" }
  local next_look = 0
  while host:is_needed() do
    cqueues.poll(bell, math.max(next_look - native.clock(), 0))
    local again = host:look_at_ended()
    if native.clock() >= next_look then
      again = host:look_around()
      next_look = native.clock() + host.LOOK
    end
    next_look = math.min(next_look, native.clock() + (again or host.LOOK))
    host.client:emit_pending()
  end
  -- The controller must forget the descriptor before its number is reused for another file.
  controller:cancel(descriptor)
  host.watched[controller] = nil
end

function driver.listen(host)
  local controller, descriptor = cqueues.running(), host.native:descriptor()
  if not controller or not descriptor then
    return false
  end
  host.watched = host.watched or setmetatable({}, { __mode = "k" })
  if not host.watched[controller] and host:is_needed() then
    host.watched[controller] = true
    controller:wrap(watch, host, controller, descriptor)
  end
  return true
end

local loop = {}

---Makes the client's calls yield when they are made in coroutines of a cqueues controller.
---@param attached table a client
---@return table client the same client
function loop.attach(attached)
  return client.attach(attached, driver)
end

return loop
