--- Checks whether memory grows while client:send_many sends many messages.
---
--- Measured: resident memory of this process (VmRSS) and Lua's memory (collectgarbage "count",
--- after a full collection), after the first 10,000 messages and after all of them; 64 in
--- flight, TLS, a new table for each message, with nginx in a separate process.
---
--- Goal: after 1,000,000 messages, either figure is less than 1 MiB above its value after the
--- first 10,000. Fails otherwise, and if a message fails. Accepts a smaller number of messages.
---
---   LUA_PATH="lua/?.lua;lua/?/init.lua;?.lua;;" LUA_CPATH="build/5.4/?.so;;" lua5.4 spec/bench/soak.lua [count]

local connectly = require "connectly"
local messages = require "spec.bench.messages"
local server = require "spec.bench.server"
local shell = require "spec.bench.shell"

local COUNT = tonumber(arg[1]) or 1000000
local FIRST = math.min(10000, math.floor(COUNT / 2))
local GOAL = 1024 -- KiB
-- Above what one core sends. The limiter remembers a second of departures, and its
-- memory would seem to grow as long as that is touched for the first time.
local RATE = 20000

local function resident()
  for line in io.lines("/proc/self/status") do
    local size = line:match("^VmRSS:%s*(%d+) kB")
    if size then
      return tonumber(size)
    end
  end
end

--- KiB: of the process, and of Lua.
local function memory()
  collectgarbage()
  collectgarbage()
  return resident(), collectgarbage("count")
end

--- Sends them all; returns what memory() said after the first ones and at the end.
local function send(client)
  local ended, process_before, lua_before = 0, 0, 0
  for result in client:send_many(messages.source(COUNT)) do
    if result.error then
      error(result.error, 0)
    end
    ended = ended + 1
    if ended == FIRST then
      process_before, lua_before = memory()
    end
  end
  assert(ended == COUNT, "results: " .. ended)
  return process_before, lua_before, memory()
end

local function soak(running)
  local client = connectly.new {
    api_key = "key", business_id = "business", base_url = running.url, ca_file = running.ca_file, rate = RATE,
  }
  local process_before, lua_before, process_after, lua_after = send(client)
  client:close()
  print(("soak, %d messages, server %s, %s"):format(COUNT, running.name, rawget(_G, "jit") and jit.version or _VERSION))
  print(("  process  %6d KiB after %d, %6d at the end: %+d"):format(
    process_before, FIRST, process_after, process_after - process_before))
  print(("  Lua      %6.0f KiB after %d, %6.0f at the end: %+.0f"):format(
    lua_before, FIRST, lua_after, lua_after - lua_before))
  local growth = math.max(process_after - process_before, lua_after - lua_before)
  assert(growth < GOAL, ("memory grew by %.0f KiB; the goal is below %d"):format(growth, GOAL))
end

local function main()
  local folder = shell.read("mktemp -d")
  local is_started, running = pcall(server.start, folder)
  local is_fine, problem = is_started, running
  if is_started then
    is_fine, problem = pcall(soak, running)
    running.process:stop()
  end
  shell.read("rm -rf " .. shell.quote(folder))
  if not is_fine then
    io.stderr:write(tostring(problem), "\n")
    os.exit(1)
  end
end

main()
