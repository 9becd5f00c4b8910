--- The event loops for the contract specs (spec/contract), behind one interface:
---
---   loop.attach(client)     connectly.loop's attach for this loop
---   loop.run(body, ...)     runs each body in a coroutine of the loop until nothing is left in
---                           it; raises the error of a body, and an error if the loop did not
---                           end by itself
---   loop.spawn(body)        starts another body, from inside
---   loop.sleep(seconds)     the loop's own sleep, in a coroutine
---   loop.raise(body)        like spawn, for a body that raises: its error takes the loop's own
---                           way of handling errors; loop.complaints counts them
---
--- loops.blocking is not a loop: its bodies run one after the other.

local connectly_loop = require "connectly.loop"
local clock = require("connectly.loader").clock

local LIMIT = 30 -- seconds in which every run has long ended

local loops = {}

local function new(name)
  return { name = name, complaints = 0, attach = function(client) return connectly_loop[name].attach(client) end }
end

--- A body's error ends up in `failures`, so that the loop goes on.
local function guard(body, failures)
  return function()
    local is_fine, problem = pcall(body)
    if not is_fine then
      failures[#failures + 1] = { problem }
    end
  end
end

--- `finish` runs the loop; true when it has ended by itself.
local function run(loop, finish, bodies)
  local failures = {}
  for _, body in ipairs(bodies) do
    loop.spawn(guard(body, failures))
  end
  local has_ended = finish()
  if failures[1] then
    error(failures[1][1], 0)
  end
  assert(has_ended, "something keeps the loop alive")
end

function loops.luv()
  local uv = require "luv"
  local loop = new "luv"

  function loop.spawn(body)
    coroutine.wrap(body)()
  end

  function loop.sleep(seconds)
    local thread, timer = coroutine.running(), uv.new_timer()
    timer:start(math.ceil(1000 * seconds), 0, function()
      timer:close()
      assert(coroutine.resume(thread))
    end)
    coroutine.yield()
  end

  --- connectly resumes the coroutine, and writes what it raised to stderr.
  function loop.raise(body)
    local stderr = io.stderr
    io.stderr = { write = function() -- luacheck: ignore 122
      loop.complaints = loop.complaints + 1
      io.stderr = stderr -- luacheck: ignore 122
    end }
    loop.spawn(body)
  end

  function loop.run(...)
    run(loop, function()
      local limit, is_over = uv.new_timer(), false
      limit:start(1000 * LIMIT, 0, function()
        is_over = true
        uv.stop()
      end)
      limit:unref()
      uv.run()
      limit:close()
      uv.run "nowait" -- a Lua that exits before it is closed crashes (luv 1.44)
      return not is_over
    end, { ... })
  end
  return loop
end

function loops.cqueues()
  local cqueues = require "cqueues"
  local loop = new "cqueues"
  local controller

  function loop.spawn(body)
    controller:wrap(body)
  end

  loop.sleep = cqueues.sleep
  loop.raise = loop.spawn

  function loop.run(...)
    controller = cqueues.new()
    local until_then = clock() + LIMIT
    run(loop, function()
      while not controller:empty() and clock() < until_then do
        loop.complaints = loop.complaints + (controller:loop(until_then - clock()) and 0 or 1)
      end
      local has_ended = controller:empty()
      controller = nil
      return has_ended
    end, { ... })
  end
  return loop
end

--- Debian's copas (1.x) has no sleep, and its loop has no end: then it is stepped
--- until no body is left and nothing is read from.
function loops.copas()
  local copas = require "copas"
  local socket = require "socket"
  local loop = new "copas"
  local left, reading = 0, 0

  local select = socket.select
  function socket.select(readers, ...) -- luacheck: ignore 122
    reading = #readers
    return select(readers, ...)
  end

  function loop.spawn(body)
    left = left + 1
    copas.addthread(function()
      body()
      left = left - 1
    end)
  end

  loop.sleep = function(seconds)
    return require("connectly.loop.copas_sleep").sleep(seconds)
  end

  function loop.raise(body)
    copas.addthread(function()
      copas.setErrorHandler(function() loop.complaints = loop.complaints + 1 end)
      body()
    end)
  end

  local function is_finished()
    if copas.finished then
      return copas.finished()
    end
    return left == 0 and reading == 0
  end

  function loop.run(...)
    run(loop, function()
      local until_then = clock() + LIMIT
      repeat
        copas.step(0.1)
      until is_finished() or clock() > until_then
      left = 0
      return clock() < until_then
    end, { ... })
  end
  return loop
end

function loops.blocking()
  local loop = new "blocking"
  loop.is_blocking = true

  function loop.attach(client)
    return client
  end

  function loop.spawn(body)
    body()
  end

  function loop.run(...)
    run(loop, function() return true end, { ... })
  end
  return loop
end

return loops
