--- How long a client limited to 200 messages a second takes with a server 50 ms away, and
--- whether it stays within the limit.
---
--- Measured: wall time of client:send_many at rate 200, over TLS, from the first message to the
--- last result; the most requests that the server received in any second; the number of
--- attempts refused with 429 and of failed messages; and CPU time per message. The server is
--- the fault server with the behaviour `limit-200`: it answers after 50 ms, answers 429 to every
--- request beyond 200 in a sliding second, and records arrival times.
---
--- Goal: 10,000 messages in at most 50.5 s, half a second more than the rate requires; no
--- second with more than 200 requests, no 429. The default is 1,000 messages, with the same
--- half second of grace.
---
---   LUA_PATH="lua/?.lua;lua/?/init.lua;?.lua;;" LUA_CPATH="build/5.4/?.so;;" \
---     lua5.4 spec/bench/paced.lua [count [inline|courier]]

local arrivals = require "spec.support.arrivals"
local connectly = require "connectly"
local cqueues = require "cqueues"
local faults = require "spec.support.faults"
local measure = require "spec.bench.measure"
local messages = require "spec.bench.messages"

local RATE, GRACE = 200, 0.5
local COUNT = tonumber(arg[1]) or 1000
local MODE = arg[2] or "inline"
local GOAL = COUNT / RATE + GRACE

--- Wall and CPU seconds, how many attempts a 429 refused, and how many messages failed.
local function send(client)
  local refused, failed = 0, 0
  local wall, cpu = cqueues.monotime(), os.clock()
  for result in client:send_many(messages.source(COUNT)) do
    -- Nothing but a 429 is tried again here.
    refused = refused + ((result.info or result.error).attempts or 1) - 1
    failed = failed + (result.error and 1 or 0)
  end
  return cqueues.monotime() - wall, os.clock() - cpu, refused, failed
end

local function open(server)
  local client = connectly.new {
    api_key = "key", business_id = "limit-200", base_url = server:url("https"), ca_file = server.ca_file, rate = RATE,
  }
  if MODE == "courier" then
    client:start("send_template", messages.fresh(0)):wait() -- from here on all are carried by its thread
    server:reset()
    cqueues.sleep(1)
  end
  return client
end

local function report(server, wall, cpu, refused, failed)
  local busiest, extra = arrivals.busiest_second(server:arrivals()), server:tally().requests - COUNT
  print(("paced, %d messages at %d a second, 50 ms away, %s, %s"):format(
    COUNT, RATE, MODE, rawget(_G, "jit") and jit.version or _VERSION))
  measure.print_line("wall time; the ratio is to the goal", ("%.2f s"):format(wall), wall / GOAL, 1)
  measure.print_line("busiest second at the server, to 200", ("%d"):format(busiest), busiest / RATE, 1)
  measure.print_line("429, failures, requests beyond one each", ("%d, %d, %d"):format(refused, failed, extra))
  measure.print_line("CPU time a message", ("%.0f µs"):format(cpu / COUNT * 1e6))
end

local server = faults.start()
local client = open(server)
report(server, send(client))
client:close()
server:stop()
