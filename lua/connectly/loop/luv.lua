---A client's calls in luv's loop: they give way to it in coroutines.
-- A poll handle watches the client's descriptor, as long as somebody waits. Code that
-- waits sleeps on a timer of its own, which a signal brings forward: so that it goes
-- on from the loop, and not in the middle of what set the signal.

local uv = require "luv"
local client = require "connectly.client"

local driver = {}

function driver.place()
  if coroutine.isyieldable() then
    return "loop"
  elseif uv.loop_mode and not uv.loop_mode() then
    return "block" -- before uv.run, or after it
  end
  return nil, "in luv's main thread nothing can wait: call it in a coroutine, coroutine.wrap(function() ... end)()"
end

local function milliseconds(seconds)
  return math.max(math.ceil(1000 * seconds), 0)
end

--- An error of one coroutine must not cost the others theirs, nor go unseen.
local function resume(thread)
  local is_fine, problem = coroutine.resume(thread)
  if not is_fine then
    io.stderr:write("connectly: a coroutine raised: ", debug.traceback(thread, tostring(problem)), "\n")
  end
end

-- Timers that nobody needs now. They are not closed, because a Lua that exits before
-- the loop has gone round once more would crash over them (luv 1.44).
local idle = {}

local function take_timer()
  local timer = table.remove(idle)
  while timer and timer:is_closing() do -- by somebody who walked over all there are
    timer = table.remove(idle)
  end
  return timer or uv.new_timer()
end

local function nothing() end

local function give_back(timer)
  timer:start(0, 0, nothing) -- so that it holds no client
  timer:stop()
  idle[#idle + 1] = timer
end

local signal = {}
signal.__index = signal

function driver.signal()
  return setmetatable({ timers = {} }, signal)
end

function signal:wait(seconds)
  local thread, timer = coroutine.running(), take_timer()
  self.timers[timer] = thread
  timer:start(milliseconds(seconds), 0, function() resume(thread) end)
  coroutine.yield()
  self.timers[timer] = nil
  give_back(timer)
end

function signal:set()
  for timer, thread in pairs(self.timers) do
    timer:start(0, 0, function() resume(thread) end)
  end
end

local function stop(host)
  if not host.poll:is_closing() then
    host.poll:close()
  end
  give_back(host.timer)
  host.poll, host.timer = nil, nil
end

--- `how` the client is looked at: since it rang, or because time has passed.
local function look(host, how)
  local again = how(host)
  host.client:emit_pending()
  if not host:is_needed() then
    return stop(host)
  end
  host.timer:start(milliseconds(math.min(again or host.LOOK, host.LOOK)), 0, function() look(host, host.look_around) end)
end

--- A loop lives as long as its handles: these go when nobody waits any more.
function driver.listen(host)
  if host.poll and not host.poll:is_closing() or not host:is_needed() then
    return true
  end
  local descriptor = host.native:descriptor()
  host.poll = descriptor and uv.new_poll(descriptor)
  if not host.poll then
    return false
  end
  host.timer = take_timer()
  host.poll:start("r", function() look(host, host.look_at_ended) end)
  host.timer:start(0, 0, function() look(host, host.look_around) end)
  return true
end

local luv = {}

---From here on the client's calls give way to luv's loop: make them in coroutines.
---@param attached table a client
---@return table client the same
function luv.attach(attached)
  return client.attach(attached, driver)
end

return luv
