--- What sends cost the event loop of an nginx that makes them, and those it serves
--- meanwhile.
---
--- Measured, in a real nginx with one worker, at an API 50 ms away (an nginx of its
--- own, nginx_api.lua), under a load of 100 requests at once (wrk), each of which makes
--- one send of about 600 bytes over TLS and HTTP/2:
---
---   1. CPU time a send of the worker's main thread, which is its event loop; the
---      client's own thread is shown beside, in the sum of all threads. Against a client
---      written by hand on cosockets (nginx_hand.lua), which is spared TLS and HTTP/2 and
---      builds the same table of a message; both with what the request itself costs, and
---      both less what a location costs that only waits for as long.
---      Goal: at most what the one written by hand costs, compared with the request.
---   2. The 99th percentile of what another location takes that answers at once, asked
---      steadily, against the same when the load goes to the location that only waits.
---      Goal: at most 1.20 times. API, load and probe share this machine's processors
---      with nginx, where the loop would have one: so its thread and the probe are given
---      one whenever they want it (chrt, as root). Without that, which is shown beside,
---      most of the percentile is waiting for a processor.
---   3. What log_by_lua with client:start adds to a location that answers at once:
---      median and 99th percentile, against the same without it while another nginx makes
---      as many sends, for these need the same processors; and whether 10,000 requests
---      were 10,000 deliveries. Goal: at most 1.10 times. Beside: the location without it
---      and without any sends, twice, which shows the noise. Fails when one is missing.
---
--- How: rounds that alternate between the locations; medians, and the median of the
--- ratios of each round. CPU time from /proc/PID/task/TID/schedstat, requests as nginx
--- counts them (stub_status).
---
---   LUA_PATH="lua/?.lua;lua/?/init.lua;?.lua;;" lua5.4 spec/bench/nginx.lua [rounds]

local measure = require "spec.bench.measure"
local nginx = require "spec.support.nginx"
local nginx_api = require "spec.bench.nginx_api"
local shell = require "spec.bench.shell"

local ROUNDS = tonumber(arg[1]) or 5
local DELAY, AT_ONCE = 0.05, 100
local WARM_UP, SECONDS, PONG_SECONDS = 2, 2, 3
local PONG_INTERVAL = 1000 -- microseconds
local LOG_BLOCK, LOG_INTERVAL = 1000, 1000
local LOG_REQUESTS = 10000

local CPU_GOAL, PONG_GOAL, LOG_GOAL = 1.0, 1.2, 1.1

local tools = (os.getenv("BUILD") or "build") .. "/bench"

local http = [[
  keepalive_requests 1000000000;
  init_by_lua_block {
    package.path = "%s/?.lua;" .. package.path
    messages = require "spec.bench.messages"
    client = require("connectly").new {
      api_key = "key", business_id = "business", base_url = "%s", ca_file = "%s", rate = 100000, max_in_flight = 512,
    }
    port, seed = %d, 0
  }
  init_worker_by_lua_block {
    hand = require "spec.bench.nginx_hand"
    function next_seed()
      seed = seed + 1
      return seed
    end
    function note(key)
      local message = messages.fresh(1)
      message.callback_data = key
      return message
    end
  }
]]

local locations = [[
  location = /status { stub_status; }
  location = /pong { content_by_lua_block { ngx.print "pong" } }
  location = /logged {
    content_by_lua_block { ngx.print "pong" }
    log_by_lua_block { client:start("send_template", note(ngx.var.args)) }
  }
  location = /noted {
    content_by_lua_block { ngx.print "pong" }
    log_by_lua_block { client:start("send_template", messages.fresh(1)) }
  }
  location = /idle { content_by_lua_block { ngx.sleep(%s) ngx.print "01ARZ3NDEKTSV4RRFFQ69G5FAV" } }
  location = /send { content_by_lua_block { ngx.print((client:send_template(messages.fresh_wire(next_seed())))) } }
  location = /own { content_by_lua_block { ngx.print((client:send_template(messages.fresh(next_seed())))) } }
  location = /hand { content_by_lua_block { ngx.print((hand(port, messages.fresh_wire(next_seed())))) } }
]]

-- The first one is the yardstick.
local senders = {
  { "by hand, HTTP/1.1 without TLS", "/hand" },
  { "client:send_template, TLS, HTTP/2", "/send", CPU_GOAL },
  { "the same, in this library's own form", "/own" },
  { "a location that only waits", "/idle" },
}

local function compile()
  shell.read("mkdir -p " .. shell.quote(tools))
  shell.read(("%s -O2 -o %s/probe spec/bench/probe.c"):format(os.getenv("CC") or "cc", tools))
end

local function start_nginx(api)
  local tree = shell.read("pwd")
  return nginx.start {
    http = http:format(tree, api.url, api.ca_file, api.port), server = locations:format(DELAY),
  }
end

--- Starts a load; returns what waits for its end.
local function load_on(running, path, seconds)
  local command = ("wrk -t1 -c%d -d%ds --timeout 10s %s%s 2>&1"):format(AT_ONCE, seconds, running.url, path)
  local pipe = assert(io.popen(command))
  return function()
    local output = pipe:read("*a")
    pipe:close()
    assert(output:find("requests in", 1, true), output)
    assert(not output:find("Non-2xx", 1, true) and not output:find("Socket errors", 1, true), output)
  end
end

local function nanoseconds(pid, task)
  local file = assert(io.open(("/proc/%d/task/%d/schedstat"):format(pid, task)))
  local used = file:read("*n")
  file:close()
  return used
end

--- CPU seconds of the worker's event loop, and of all its threads.
local function cpu_of(pid)
  local all = 0
  for task in shell.read(("ls /proc/%d/task"):format(pid)):gmatch("%d+") do
    all = all + nanoseconds(pid, tonumber(task))
  end
  return nanoseconds(pid, pid) / 1e9, all / 1e9
end

local function requests(running)
  local _, body = running:request { path = "/status" }
  return tonumber(body:match("handled requests%s+%d+ %d+ (%d+)"))
end

--- CPU microseconds a request under that load: of the event loop, and of all threads.
local function cost(running, pid, path, seconds)
  local count, own, all = requests(running), cpu_of(pid)
  load_on(running, path, seconds)()
  shell.read("sleep 0.3") -- what was under way ends
  local own_after, all_after = cpu_of(pid)
  count = requests(running) - count
  return (own_after - own) / count * 1e6, (all_after - all) / count * 1e6
end

local function lists(count)
  local made = {}
  for index = 1, count do
    made[index] = {}
  end
  return made
end

local function minus(values, others)
  local differences = {}
  for index, value in ipairs(values) do
    differences[index] = value - others[index]
  end
  return differences
end

local function report_cpu(own, all)
  local idle = own[#senders]
  print("CPU a request of the event loop (of all threads); the ratio is to the one written by hand")
  for index, sender in ipairs(senders) do
    local time = ("%.1f (%.1f) µs"):format(measure.quantile(own[index]), measure.quantile(all[index]))
    measure.print_line(sender[1], time, measure.ratio(own[index], own[1]), sender[3])
  end
  print("the same, less what the location that only waits costs")
  for index = 1, #senders - 1 do
    local net = minus(own[index], idle)
    local time = ("%.1f µs"):format(measure.quantile(net))
    measure.print_line(senders[index][1], time, measure.ratio(net, minus(own[1], idle)))
  end
end

local function bench_cpu(running, pid)
  local own, all = lists(#senders), lists(#senders)
  for _, sender in ipairs(senders) do
    cost(running, pid, sender[2], WARM_UP)
  end
  for round = 1, ROUNDS do
    for step = 1, #senders do
      local index = (round + step) % #senders + 1
      own[index][round], all[index][round] = cost(running, pid, senders[index][2], SECONDS)
    end
  end
  report_cpu(own, all)
end

--- Microseconds of each of so many requests, one every interval.
local function probe(running, path, first, count, interval, prefix)
  local command = ("%s/probe %d %s %d %d %d"):format(tools, running.port, shell.quote(path), first, count, interval)
  local times = {}
  for time in shell.read((prefix or "") .. command):gmatch("[^\n]+") do
    times[#times + 1] = tonumber(time)
  end
  return times
end

--- The 99th percentile, and the median, of the other location under a load.
local function pong_under(running, path, prefix)
  local finish = load_on(running, path, PONG_SECONDS + 1)
  shell.read("sleep 0.5")
  local times = probe(running, "/pong?", 1, PONG_SECONDS * 1e6 // PONG_INTERVAL, PONG_INTERVAL, prefix)
  finish()
  return measure.quantile(times, 0.99), measure.quantile(times)
end

--- The event loop's thread, and what is returned to precede the probe's command, have
--- a processor whenever they want one; nil where that is not allowed.
local function take_precedence(pid)
  return shell.try("chrt -f -p 50 " .. pid) and "chrt -f 60 " or nil
end

local function give_up_precedence(pid)
  shell.read("chrt -o -p 0 " .. pid)
end

local function report_pong(title, loads, tail, middle, goal)
  print(("another location meanwhile, %s: 99th percentile (median)"):format(title))
  for index, load in ipairs(loads) do
    local time = ("%.0f (%.0f) µs"):format(measure.quantile(tail[index]), measure.quantile(middle[index]))
    measure.print_line(load[1], time, measure.ratio(tail[index], tail[1]), index == 2 and goal or nil)
  end
end

local function compare_pong(running, title, prefix, goal)
  local loads = { senders[4], senders[2], senders[1] }
  local tail, middle = lists(#loads), lists(#loads)
  for round = 1, ROUNDS do
    for step = 1, #loads do
      local index = (round + step) % #loads + 1
      tail[index][round], middle[index][round] = pong_under(running, loads[index][2], prefix)
    end
  end
  report_pong(title, loads, tail, middle, goal)
end

local function bench_pong(running, pid)
  local prefix = take_precedence(pid)
  if prefix then
    compare_pong(running, "the loop with a processor of its own", prefix, PONG_GOAL)
    give_up_precedence(pid)
  end
  compare_pong(running, "all share the processors", "", not prefix and PONG_GOAL or nil)
end

local function report_log(kinds, tail, middle)
  print("a location that answers at once, median and 99th percentile; the ratio is to the first")
  for index, kind in ipairs(kinds) do
    for _, figure in ipairs { { "median", middle }, { "99th", tail } } do
      local values = figure[2]
      measure.print_line(("%s, %s"):format(kind[1], figure[1]), ("%.0f µs"):format(measure.quantile(values[index])),
        measure.ratio(values[index], values[1]), kind.goal)
    end
  end
end

local function wait_for_deliveries(api)
  local seen
  for _ = 1, 100 do
    seen = api:seen()
    if seen.arrivals >= LOG_REQUESTS then
      break
    end
    shell.read("sleep 0.1")
  end
  print(("  %d requests, %d deliveries, %d of them more than once"):format(LOG_REQUESTS, seen.arrivals, seen.doubled))
  assert(seen.keys == LOG_REQUESTS and seen.arrivals == LOG_REQUESTS, "missing: " .. api:missing("l", LOG_REQUESTS))
end

--- A block of requests; those that go elsewhere meanwhile are of no interest.
local function ask_block(kind, running, other, round)
  local first, meanwhile = (round - 1) * LOG_BLOCK + 1, nil
  if kind.meanwhile then
    meanwhile = assert(io.popen(("%s/probe %d '%s' %d %d %d >/dev/null"):format(
      tools, other.port, kind.meanwhile, first, LOG_BLOCK, LOG_INTERVAL)))
  end
  local times = probe(running, kind[2], first, LOG_BLOCK, LOG_INTERVAL)
  if meanwhile then
    meanwhile:close()
  end
  return times
end

local function compare_log(kinds, running, other)
  local tail, middle = lists(#kinds), lists(#kinds)
  for round = 1, LOG_REQUESTS // LOG_BLOCK do
    for step = 1, #kinds do
      local index = (round + step) % #kinds + 1
      local times = ask_block(kinds[index], running, other, round)
      tail[index][round], middle[index][round] = measure.quantile(times, 0.99), measure.quantile(times)
    end
  end
  report_log(kinds, tail, middle)
end

local function bench_log(running, api, other)
  api:forget()
  compare_log({
    { "without it, sends by another nginx", "/pong?r", meanwhile = "/noted?x" },
    { "client:start in log_by_lua", "/logged?l", goal = LOG_GOAL },
    { "without it, no sends", "/pong?p" },
    { "without it, no sends, once more", "/pong?q" },
  }, running, other)
  wait_for_deliveries(api)
end

local function bench(running, api, other)
  local pid = assert(running:workers()[1])
  print(("nginx, one worker, %d sends at once, an API %.0f ms away, %d rounds"):format(AT_ONCE, DELAY * 1000, ROUNDS))
  bench_cpu(running, pid)
  bench_pong(running, pid)
  bench_log(running, api, other)
end

local function first_errors(log)
  local lines = {}
  for line in log:gmatch "[^\n]+" do
    lines[#lines + 1] = #lines < 20 and line:find("[error]", 1, true) and line or nil
  end
  return table.concat(lines, "\n")
end

--- Calls `action` with what `start` starts, and stops that whatever becomes of it.
local function with(start, action)
  local server = start()
  local is_fine, problem = pcall(action, server)
  if not is_fine and server.log then
    problem = ("%s\n%s"):format(problem, first_errors(server:log()))
  end
  server:stop()
  assert(is_fine, problem)
end

local function with_servers(folder)
  with(function() return nginx_api.start(folder, DELAY) end, function(api)
    local function start()
      return start_nginx(api)
    end
    with(start, function(running)
      with(start, function(other)
        bench(running, api, other)
      end)
    end)
  end)
end

local function main()
  assert(shell.try("command -v wrk"), "this benchmark needs wrk")
  compile()
  local folder = shell.read("mktemp -d")
  local is_fine, problem = pcall(with_servers, folder)
  shell.read("rm -rf " .. shell.quote(folder))
  assert(is_fine, problem)
end

main()
