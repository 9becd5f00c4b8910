-- Copas threads that sleep and can be woken. copas has them from version 2 on. This file adds
-- them to version 1 (Debian's): each step ends at the latest when the next sleeper is due.

local copas = require "copas"
local clock = require("connectly.loader").clock

if copas.wakeup then
  return { sleep = copas.pause or copas.sleep, wakeup = copas.wakeup }
end

-- The time at which each thread wakes.
local wakes_at = {}

-- A thread yields this to copas 1 in place of a socket and its queue; its functions do nothing.
local nowhere = { insert = function() end, push = function() end }

local sleeping = {}

function sleeping.sleep(seconds)
  wakes_at[coroutine.running()] = clock() + seconds
  coroutine.yield(nowhere, nowhere)
end

function sleeping.wakeup(thread)
  if wakes_at[thread] then
    wakes_at[thread] = 0
  end
end

--- Returns the seconds until the next thread wakes, at most `limit`.
local function patience(limit)
  local earliest = math.huge
  for _, at in pairs(wakes_at) do
    earliest = math.min(earliest, at)
  end
  local left = math.max(earliest - clock(), 0)
  return left < (limit or math.huge) and left or limit
end

local function due()
  local now, threads = clock(), {}
  for thread, at in pairs(wakes_at) do
    threads[#threads + 1] = at <= now and thread or nil
  end
  return threads
end

local plain_step = copas.step

--- copas.loop looks this function up by name on each step.
function copas.step(timeout)
  local was_busy = plain_step(patience(timeout))
  for _, thread in ipairs(due()) do
    wakes_at[thread] = nil
    copas.addthread(thread)
    was_busy = true
  end
  return was_busy
end

return sleeping
