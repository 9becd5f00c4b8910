---Attaches a client to luv's loop: its calls yield when they are made in coroutines.
-- A poll handle watches the client's descriptor as long as a call is waited for. Waiting code
-- sleeps on a timer of its own. Setting a signal makes the timer expire at once, so that the
-- code resumes from the loop and not inside the code that set the signal.

local uv = require "luv"
local client = require "connectly.client"

local driver = {}

function driver.place()
  if coroutine.isyieldable() then
    return "loop"
  elseif uv.loop_mode and not uv.loop_mode() then
    return "block" -- before or after uv.run
  end
  return nil, "in luv's main thread nothing can wait: call it in a coroutine, coroutine.wrap(function() ... end)()"
end

local function milliseconds(seconds)
  return math.max(math.ceil(1000 * seconds), 0)
end

--- An error in one coroutine must not disturb the others, and must be reported.
local function resume(thread)
  local is_fine, problem = coroutine.resume(thread)
  if not is_fine then
    io.stderr:write("connectly: a coroutine raised: ", debug.traceback(thread, tostring(problem)), "\n")
  end
end

-- Unused timers. They are not closed: a Lua state that exits before the loop has run once more
-- would crash over closing timers (luv 1.44).
local idle = {}

local function take_timer()
  local timer = table.remove(idle)
  while timer and timer:is_closing() do -- closed by code that walked all handles (uv.walk)
    timer = table.remove(idle)
  end
  return timer or uv.new_timer()
end

local function nothing() end

local function give_back(timer)
  timer:start(0, 0, nothing) -- drops the old callback, which refers to the client
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

--- `how` is host.look_at_ended (the descriptor is readable) or host.look_around (the timer expired).
local function look(host, how)
  local again = how(host)
  host.client:emit_pending()
  if not host:is_needed() then
    return stop(host)
  end
  host.timer:start(milliseconds(math.min(again or host.LOOK, host.LOOK)), 0, function() look(host, host.look_around) end)
end

--- A loop runs as long as it has active handles: these are closed when no call is waited for.
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

---Makes the client's calls yield to luv's loop: make them in coroutines.
---@param attached table a client
---@return table client the same client
function luv.attach(attached)
  return client.attach(attached, driver)
end

return luv
