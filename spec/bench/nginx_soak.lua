--- Checks whether an nginx that is reloaded all the time loses or duplicates messages, or grows.
---
--- Measured: 100,000 requests to an nginx with two worker processes and a reload (HUP) every
--- second; half of the requests wait for a send, half start one in log_by_lua. Then a fifth as
--- many without reloads. The benchmark records how often each message arrived at the API
--- (nginx_api.lua, over TLS and HTTP/2, which answers after 20 ms); the errors returned to the
--- callers and logged by nginx; and, every second, resident memory, descriptors and threads of
--- the master process and of the serving worker processes.
---
--- Goal: each message arrived exactly once, there is no error anywhere, and no worker process and no
--- file is left at the end. For each process, the medians over the last quarter of the samples
--- exceed those over the second quarter by at most one descriptor, half a thread and 1 MiB.
--- Fails otherwise. Accepts a smaller number of requests.
---
---   LUA_PATH="lua/?.lua;lua/?/init.lua;?.lua;;" lua5.4 spec/bench/nginx_soak.lua [count]

local cqueues = require "cqueues"
local measure = require "spec.bench.measure"
local nginx_api = require "spec.bench.nginx_api"
local reloads = require "spec.bench.nginx_reloads"
local shell = require "spec.bench.shell"

local COUNT = tonumber(arg[1]) or 100000
local AT_ONCE, INTERVAL, DELAY = 50, 1, 0.02
local GOALS = { memory = 1024, descriptors = 1, threads = 0.5 }
local KINDS = { "memory", "descriptors", "threads" }

--- Of one kind, of the master or the workers, in a stretch of the looks.
local function median_of(samples, kind, whose, from, to)
  local values = {}
  for index = math.max(1, math.floor(from * #samples)), math.max(1, math.floor(to * #samples)) do
    local looks = whose == "master" and { samples[index].master } or samples[index].workers
    for _, look in ipairs(looks) do
      values[#values + 1] = look[kind]
    end
  end
  return measure.quantile(values)
end

--- Prints what grew; returns a list of what grew too much.
local function judge(what, samples, problems)
  for _, whose in ipairs { "master", "workers" } do
    for _, kind in ipairs(KINDS) do
      local before, after = median_of(samples, kind, whose, 0.25, 0.5), median_of(samples, kind, whose, 0.75, 1)
      print(("  %-14s %-8s %-12s %6g, then %6g: %+g"):format(what, whose, kind, before, after, after - before))
      if after - before > GOALS[kind] then
        problems[#problems + 1] = ("%s: %s of the %s grew by %g"):format(what, kind, whose, after - before)
      end
    end
  end
end

local function most_leaving(samples)
  local most = 0
  for _, look in ipairs(samples) do
    most = math.max(most, look.leaving)
  end
  return most
end

local function soak(run)
  local started = cqueues.monotime()
  run:run(COUNT, AT_ONCE, INTERVAL)
  local reloaded, wall = run.samples, cqueues.monotime() - started
  run.samples = {}
  run:run(math.floor(COUNT / 5), AT_ONCE)
  local problems = run:finish()
  print(("nginx soak, %d messages through 2 workers in %.0f s, %d reloads, at most %d workers leaving; then %d without"):format(
    COUNT, wall, run.reloads, most_leaving(reloaded), math.floor(COUNT / 5)))
  judge("with reloads", reloaded, problems)
  judge("without", run.samples, problems)
  local seen = run.api:seen()
  print(("  %d messages, %d arrivals, %d arrived more than once"):format(run.waited + run.logged, seen.arrivals, seen.doubled))
  assert(#problems == 0, table.concat(problems, "\n"))
end

local function with_servers(folder)
  shell.read(("mkdir %s/api %s/sockets"):format(folder, folder))
  local api = nginx_api.start(folder .. "/api", DELAY)
  local is_started, run = pcall(reloads.start, api, folder .. "/sockets")
  local is_fine, problem = is_started, run
  if is_started then
    is_fine, problem = pcall(soak, run)
    run:stop()
  end
  api:stop()
  assert(is_fine, problem)
end

local function main()
  local folder = shell.read("mktemp -d")
  local is_fine, problem = pcall(with_servers, folder)
  shell.read("rm -rf " .. shell.quote(folder))
  if not is_fine then
    io.stderr:write(tostring(problem), "\n")
    os.exit(1)
  end
end

main()
