--- CPU time per message at full speed.
---
--- Measured: CPU time of the client's process per message, in send_many.lua, on Lua 5.4 and on
--- LuaJIT, relative to a tight loop on libcurl's multi interface that has the same options and
--- does nothing else (throughput_floor.c); 64 in flight, TLS, a body of about 600 bytes, the
--- same nginx. Over HTTP/1.1 with the default number of connections and with one for each
--- message in flight, and over HTTP/2. Each message is a new table; the cost of building it is
--- shown beside. For orientation: messages per second.
---
--- Method: the programs run in turn. Reported are medians, and the median of the per-round
--- ratios. Measuring starts when connections are open and caches are warm.
---
--- Goal: at most 1.20 of the loop's CPU time; the long-term goal is 1.15.
---
---   make build && LUA_PATH="lua/?.lua;lua/?/init.lua;?.lua;;" lua5.4 spec/bench/throughput.lua [rounds [count]]

local measure = require "spec.bench.measure"
local server = require "spec.bench.server"
local shell = require "spec.bench.shell"

local GOAL = 1.20
local ROUNDS = tonumber(arg[1]) or 9
local COUNT, WARM_UP, IN_FLIGHT = tonumber(arg[2]) or 10000, 1000, 64
local PATH = "/v1/businesses/business/send/whatsapp_templated_messages"

local build = os.getenv("BUILD") or "build"
local tools = build .. "/bench"
local lua54, luajit = os.getenv("LUA54") or "lua5.4", os.getenv("LUAJIT") or "luajit"

local kinds = {
  { name = "HTTP/1.1, 16 connections", version = "1", connections = 16 },
  { name = "HTTP/1.1, 64 connections", version = "1", connections = 64 },
  { name = "HTTP/2", version = "2", connections = 16 },
}

local function compile()
  shell.read("mkdir -p " .. shell.quote(tools))
  shell.read(("%s -O2 -o %s/throughput_floor spec/bench/throughput_floor.c -lcurl"):format(
    os.getenv("CC") or "cc", tools))
end

--- Both Luas in one environment: the names with a version are the other's.
local function environment()
  local path = "lua/?.lua;lua/?/init.lua;?.lua;;"
  return ("LUA_PATH_5_4=%s LUA_CPATH_5_4=%s LUA_PATH=%s LUA_CPATH=%s"):format(
    shell.quote(path), shell.quote(build .. "/5.4/?.so;;"), shell.quote(path), shell.quote(build .. "/5.1/?.so;;"))
end

--- The client stays on one processor, where that can be had.
local function prefix()
  return environment() .. (shell.try("taskset -c 0 true") and " taskset -c 0 " or " ")
end

local function commands_of(kind, running, directory)
  local rest = { COUNT, WARM_UP, IN_FLIGHT, kind.connections, kind.version, directory }
  for index, argument in ipairs(rest) do
    rest[index] = tostring(argument)
  end
  local function command(...)
    local words = { ... }
    table.move(rest, 1, #rest, #words + 1, words)
    return shell.join(words)
  end
  return {
    { "libcurl's multi interface, from C", command(tools .. "/throughput_floor", running.url .. PATH) },
    { "client:send_many, Lua 5.4", command(lua54, "spec/bench/send_many.lua", running.url), GOAL },
    { "client:send_many, LuaJIT", command(luajit, "spec/bench/send_many.lua", running.url), GOAL },
  }
end

--- For each command, round by round: CPU time, wall time, and that of building.
local function time_commands(commands)
  local before = prefix()
  local cpu, wall, building = {}, {}, {}
  for index = 1, #commands do
    cpu[index], wall[index], building[index] = {}, {}, {}
  end
  for round = 1, ROUNDS do
    for step = 1, #commands do
      local index = (round + step) % #commands + 1
      local figures = shell.read(before .. commands[index][2])
      local used, elapsed, built = figures:match("^(%S+) (%S+) ?(%S*)$")
      cpu[index][round], wall[index][round] = tonumber(used), tonumber(elapsed)
      building[index][round] = tonumber(built) or 0
    end
  end
  return cpu, wall, building
end

local function report(kind, commands, cpu, wall, building)
  print(("%s; CPU a message (of it building the table), messages a second"):format(kind.name))
  for index, command in ipairs(commands) do
    local time = ("%.1f (%.1f) µs"):format(measure.quantile(cpu[index]), measure.quantile(building[index]))
    local name = ("%-34s %6.0f/s"):format(command[1], 1e6 / measure.quantile(wall[index]))
    measure.print_line(name, time, measure.ratio(cpu[index], cpu[1]), command[3])
  end
end

local function bench(folder, running)
  local directory = server.trust_directory(folder, running)
  print(("throughput, server %s, %d in flight, %d rounds of %d messages; the ratio is to the loop in C"):format(
    running.name, IN_FLIGHT, ROUNDS, COUNT))
  for _, kind in ipairs(kinds) do
    local commands = commands_of(kind, running, directory)
    report(kind, commands, time_commands(commands))
  end
end

local function main()
  compile()
  local folder = shell.read(("mktemp -d \"$PWD\"/%s/throughput.XXXXXX"):format(tools))
  local is_started, running = pcall(server.start, folder)
  local is_fine, problem = is_started, running
  if is_started then
    is_fine, problem = pcall(bench, folder, running)
    running.process:stop()
  end
  shell.read("rm -rf " .. shell.quote(folder))
  assert(is_fine, problem)
end

main()
