-- Threads of copas that sleep and can be woken. copas has them from version 2 on; to
-- version 1, Debian's, they are given here: its steps then last no longer than until
-- the next sleeper's time.

local copas = require "copas"
local clock = require("connectly.loader").clock

if copas.wakeup then
  return { sleep = copas.pause or copas.sleep, wakeup = copas.wakeup }
end

-- Until when each thread sleeps.
local wakes_at = {}

-- What copas 1 would do to a socket that a thread yields: nothing.
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

--- Seconds until the next wakes.
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

--- copas.loop calls this by its name.
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
