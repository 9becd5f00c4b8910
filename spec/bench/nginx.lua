--- What sends cost the event loop of the nginx that makes them, and the other requests that it
--- serves meanwhile.
---
--- Setup: a real nginx with one worker process; the API is another nginx (nginx_api.lua) that
--- answers after 50 ms. The load is 100 concurrent requests (wrk), each of which makes one send
--- of about 600 bytes over TLS and HTTP/2. Measured:
---
---   1. CPU time per request in the main thread of nginx's worker, which runs the event loop. The
---      client's own thread is included only in the sum of all threads, shown beside it. The
---      yardstick is a hand-written client on cosockets (nginx_hand.lua), which does without
---      TLS and HTTP/2 and builds the same message table. Both are shown with the cost of the
---      request itself, and again less the cost of a location that only waits for the same
---      time. Goal, for the figures with the request: at most the cost of the hand-written client.
---   2. The 99th percentile of the latency of another location, which answers at once and is
---      requested at random moments, relative to the same figure while the load goes to the
---      location that only waits. Goal: at most 1.20 times. The load keeps the same number of
---      sends in flight and starts them at a steady rate (load.c). In production, the API, the
---      load and the probe would run on other machines, and the client's thread on another
---      processor. The event loop therefore gets this machine's first processor for itself, and
---      everything else the second (taskset), where load and probe have priority (chrt, as
---      root). Also shown: all processes share the processors, and the load (wrk) sends its
---      next request when it has the reply, which makes bursts. Most of that percentile is time
---      spent waiting for a processor and for a burst.
---   3. What log_by_lua with client:post adds to a location that answers at once: median and
---      99th percentile, relative to the same location without it while another nginx makes as
---      many sends, because these need the same processors. Also checks that 10,000 requests
---      make 10,000 deliveries, and fails if one is missing. Goal: at most 1.10 times, with a
---      processor for the event loop alone as in 2. Also shown: the location without log_by_lua
---      and without any sends, twice, which shows the noise; and everything again with shared
---      processors.
---
--- Method: rounds that alternate between the locations. Reported are medians, and the median of
--- the per-round ratios. CPU time is read from /proc/PID/task/TID/schedstat, the number of
--- requests from nginx (stub_status).
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
    log_by_lua_block { client:post("send_template", note(ngx.var.args)) }
  }
  location = /noted {
    content_by_lua_block { ngx.print "pong" }
    log_by_lua_block { client:post("send_template", messages.fresh(1)) }
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
  for _, name in ipairs { "probe", "load" } do
    shell.read(("%s -O2 -o %s/%s spec/bench/%s.c"):format(os.getenv("CC") or "cc", tools, name, name))
  end
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

--- The same at a steady rate, so that as many are under way.
local function steady_load_on(running, path, seconds, prefix)
  local rate = AT_ONCE / DELAY
  local command = ("%s%s/load %d %s %d %d 2>&1"):format(prefix, tools, running.port, path, rate, seconds)
  local pipe = assert(io.popen(command))
  return function()
    local output = pipe:read("*a")
    pipe:close()
    local replies, under_way = output:match("(%d+) replies, (%d+) under way")
    assert(tonumber(replies) == rate * seconds, output)
    assert(tonumber(under_way) > 0.9 * AT_ONCE, output)
  end
end

--- The 99th percentile, and the median, of the other location under a load.
local function pong_under(running, load, path, prefix)
  local finish = load(running, path, PONG_SECONDS + 1, prefix)
  shell.read("sleep 0.5")
  local times = probe(running, "/pong?", 1, PONG_SECONDS * 1e6 // PONG_INTERVAL, PONG_INTERVAL, prefix)
  finish()
  return measure.quantile(times, 0.99), measure.quantile(times)
end

local function pids_of(...)
  local pids = {}
  for _, server in ipairs { ... } do
    pids[#pids + 1] = server.master
    for _, pid in ipairs(server:workers()) do
      pids[#pids + 1] = pid
    end
  end
  return pids
end

-- Masks of processors.
local FIRST, SECOND, ALL = 1, 2, "ffffffff"

--- All threads of these, and all that they start.
local function bind(pids, mask)
  for _, pid in ipairs(pids) do
    if not shell.try(("taskset -a -p %s %d"):format(mask, pid)) then
      return false
    end
  end
  return true
end

--- What precedes the commands of load and probe when the event loop's thread has a
--- processor for itself; nil where that cannot be.
local function set_apart(pid, pids)
  -- Its other threads exist by now.
  if not bind(pids, SECOND) or not shell.try(("taskset -p %s %d"):format(FIRST, pid)) then
    return nil
  end
  return ("taskset %s "):format(SECOND) .. (shell.try("chrt -f 60 true") and "chrt -f 60 " or "")
end

local function report_pong(title, loads, tail, middle, goal)
  print(("another location meanwhile, %s: 99th percentile (median)"):format(title))
  for index, load in ipairs(loads) do
    local time = ("%.0f (%.0f) µs"):format(measure.quantile(tail[index]), measure.quantile(middle[index]))
    measure.print_line(load[1], time, measure.ratio(tail[index], tail[1]), index == 2 and goal or nil)
  end
end

local function compare_pong(running, load, title, prefix, goal)
  local loads = { senders[4], senders[2], senders[1] }
  local tail, middle = lists(#loads), lists(#loads)
  for round = 1, ROUNDS do
    for step = 1, #loads do
      local index = (round + step) % #loads + 1
      tail[index][round], middle[index][round] = pong_under(running, load, loads[index][2], prefix)
    end
  end
  report_pong(title, loads, tail, middle, goal)
end

local function bench_pong(running, pid, api, other)
  local pids = pids_of(running, api.nginx, other)
  local prefix = set_apart(pid, pids)
  if prefix then
    compare_pong(running, steady_load_on, "the loop with a processor of its own", prefix, PONG_GOAL)
  else
    print("another location meanwhile: not judged, this machine has no second processor to give")
  end
  bind(pids, ALL)
  compare_pong(running, load_on, "all share the processors, in bunches", "")
end

local function report_log(title, kinds, tail, middle, goal)
  print(("a location that answers at once, %s: median and 99th percentile; the ratio is to the first"):format(title))
  for index, kind in ipairs(kinds) do
    for _, figure in ipairs { { "median", middle }, { "99th", tail } } do
      local values = figure[2]
      measure.print_line(("%s, %s"):format(kind[1], figure[1]), ("%.0f µs"):format(measure.quantile(values[index])),
        measure.ratio(values[index], values[1]), index == 2 and goal or nil)
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
local function ask_block(kind, running, other, round, prefix)
  local first, meanwhile = (round - 1) * LOG_BLOCK + 1, nil
  if kind.meanwhile then
    meanwhile = assert(io.popen(("%s%s/probe %d '%s' %d %d %d >/dev/null"):format(
      prefix, tools, other.port, kind.meanwhile, first, LOG_BLOCK, LOG_INTERVAL)))
  end
  local times = probe(running, kind[2], first, LOG_BLOCK, LOG_INTERVAL, prefix)
  if meanwhile then
    meanwhile:close()
  end
  return times
end

local log_kinds = {
  { "without it, sends by another nginx", "/pong?r", meanwhile = "/noted?x" },
  { "client:post in log_by_lua", "/logged?l" },
  { "without it, no sends", "/pong?p" },
  { "without it, no sends, once more", "/pong?q" },
}

local function compare_log(running, api, other, title, prefix, goal)
  local tail, middle = lists(#log_kinds), lists(#log_kinds)
  api:forget()
  for round = 1, LOG_REQUESTS // LOG_BLOCK do
    for step = 1, #log_kinds do
      local index = (round + step) % #log_kinds + 1
      local times = ask_block(log_kinds[index], running, other, round, prefix)
      tail[index][round], middle[index][round] = measure.quantile(times, 0.99), measure.quantile(times)
    end
  end
  report_log(title, log_kinds, tail, middle, goal)
  wait_for_deliveries(api)
end

local function bench_log(running, pid, api, other)
  local pids = pids_of(running, api.nginx, other)
  local prefix = set_apart(pid, pids)
  if prefix then
    compare_log(running, api, other, "the loop with a processor of its own", prefix, LOG_GOAL)
  end
  bind(pids, ALL)
  compare_log(running, api, other, "all share the processors", "")
end

local function bench(running, api, other)
  local pid = assert(running:workers()[1])
  print(("nginx, one worker, %d sends at once, an API %.0f ms away, %d rounds"):format(AT_ONCE, DELAY * 1000, ROUNDS))
  bench_cpu(running, pid)
  bench_pong(running, pid, api, other)
  bench_log(running, pid, api, other)
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
