--- How many instructions a message costs. Other programs on the machine do not change the count.
---
--- Measured: send_many.lua on Lua 5.4 and the loop in C (throughput_floor.c) under callgrind,
--- over TLS to a local nginx, 64 in flight, 3000 messages after 1000 that open the connections
--- and fill the caches. Both read a clock before and after those 3000, and callgrind begins a
--- new part of its profile whenever they do. After the first part, the start, the longest one
--- is that of the 3000 messages.
---
--- Goal: at most 1.45 times the loop over HTTP/1.1, and 1.35 times over HTTP/2.
--- Fails above 5 % more than the ratios reached, with libcurl 7.88 and OpenSSL 3.0. With other
--- versions, which have other ratios, it only prints.
---
---   make build && sh spec/bench/run.sh instructions

local native = require "connectly.loader"
local server = require "spec.bench.server"
local shell = require "spec.bench.shell"

local COUNT, WARM_UP, IN_FLIGHT = 3000, 1000, 64 -- messages
local MARGIN = 1.05
local PATH = "/v1/businesses/business/send/whatsapp_templated_messages"

local kinds = {
  { name = "HTTP/1.1", version = 1, connections = 64, reached = 1.32, goal = 1.45 },
  { name = "HTTP/2", version = 2, connections = 4, reached = 1.28, goal = 1.35 },
}

local lua54 = os.getenv("LUA54") or "lua5.4"

local function is_known_library()
  local versions = native.versions()
  return versions.libcurl:find("^7%.88%.") and versions.tls:find("^OpenSSL/3%.0%.")
end

local function compile(folder)
  shell.read(("%s -O2 -o %s/throughput_floor spec/bench/throughput_floor.c -lcurl"):format(
    os.getenv("CC") or "cc", shell.quote(folder)))
end

--- The instructions in the longest part of a profile after the first.
local function longest_part(folder)
  local longest, number = 0, 2
  local file = io.open(folder .. "/out.2")
  while file do
    longest = math.max(longest, tonumber(file:read("*a"):match("\ntotals: (%d+)")))
    file:close()
    number = number + 1
    file = io.open(folder .. "/out." .. number)
  end
  return longest
end

--- Instructions per message of a command; `clock` is the function that it calls before and
--- after the messages that count.
local function measured(folder, clock, command)
  shell.read(("rm -f %s/out*; valgrind --tool=callgrind --callgrind-out-file=%s/out --dump-before=%s %s >%s/log 2>&1")
    :format(folder, folder, clock, command, folder))
  return longest_part(folder) / COUNT
end

local function is_within(folder, running, directory, kind)
  local rest = (" %d %d %d %d %d %s"):format(COUNT, WARM_UP, IN_FLIGHT, kind.connections, kind.version, directory)
  local loop_command = folder .. "/throughput_floor " .. running.url .. PATH .. rest
  -- The lower of two: a connection opened late costs the loop a handshake, and would hide ours.
  local loop = math.min(measured(folder, "seconds_of", loop_command), measured(folder, "seconds_of", loop_command))
  local ours = measured(folder, "clock", lua54 .. " spec/bench/send_many.lua " .. running.url .. rest)
  local most = kind.reached * MARGIN
  print(("instructions per message, %s, %d in flight: %.0f, loop in C %.0f, ratio %.3f (at most %.3f; goal %.2f)")
    :format(kind.name, IN_FLIGHT, ours, loop, ours / loop, most, kind.goal))
  return ours / loop <= most
end

local function main(folder)
  compile(folder)
  local running = server.start(folder)
  local directory = server.trust_directory(folder, running)
  local is_good = true
  for _, kind in ipairs(kinds) do
    is_good = is_within(folder, running, directory, kind) and is_good
  end
  running.process:stop()
  return is_good or not is_known_library()
end

local folder = shell.read("mktemp -d")
local is_fine, is_good = pcall(main, folder)
shell.read("rm -rf " .. shell.quote(folder))
assert(is_fine, is_good)
os.exit(is_good and 0 or 1)
