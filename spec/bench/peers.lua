--- Checks that results stay truthful with common servers, which close connections after a
--- number of requests, or because they are reloaded.
---
--- Measured: nginx, haproxy, Apache httpd and nghttpx, from Debian's packages, over TLS and
--- HTTP/2, each in front of a backend (nginx_api.lua) that answers after 20 ms and counts how
--- often each message arrived. A client sends with send_many, 64 in flight:
---
---   * through nginx with keepalive_requests 1000 and 100: 20,000 messages at full speed, and
---     4,000 at rate 200 from 80 ms away (delay.lua);
---   * through each server: 6,000 at rate 400 while it is reloaded every second, and the same
---     from 80 ms away, where many requests meet a connection that is being closed;
---   * through each server: 2,000 at rate 1000 with a limit of streams, of requests, and of both,
---     where the server supports it (haproxy before 3.0 and Apache have no limit of requests).
---
--- Reported for each: the client's outcomes, how many `unknown` messages had arrived, how many
--- messages arrived more than once, how many `not_sent` messages had arrived (false not_sent),
--- how many successful ones had not (false success), the number of connections that carried a
--- request, and wall time.
---
--- Goal: no message arrived twice, no false not_sent, no false success; with
--- keepalive_requests, no `unknown` outcome after the first 200 messages ("late"). Fails
--- otherwise. Skips servers whose package is not installed. The arguments select the cases whose
--- names contain all of them:
---
---   sh spec/bench/run.sh peers [nginx|haproxy|apache|nghttpx|once|paced|reload|far|streams|requests ...]

local connectly = require "connectly"
local cqueues = require "cqueues"
local nginx_api = require "spec.bench.nginx_api"
local process = require "spec.support.process"
local servers = require "spec.bench.peers_servers"
local shell = require "spec.bench.shell"

local AT_ONCE, PACED = 100000, 200
local IN_FLIGHT, DELAY, DISTANCE, INTERVAL = 64, 0.02, 0.04, 1
local LEARNT = 200 -- messages, in which a limit may be learnt
local TEXTS = 3 -- that are shown of each outcome
local SETTLED = 0.3 -- seconds without an arrival

local function once(requests)
  return {
    server = "nginx", name = requests .. " requests, once", requests = requests, count = 20000, rate = AT_ONCE,
    must_learn = true,
  }
end

local function paced(requests)
  return {
    server = "nginx", name = requests .. " requests, paced", requests = requests, count = 4000, rate = PACED,
    is_far = true, must_learn = true,
  }
end

local function reload(name, is_far)
  return {
    server = name, name = is_far and "reload, far" or "reload", count = 6000, rate = 400, interval = INTERVAL,
    is_far = is_far,
  }
end

local function limited(name, limits)
  local parts = {}
  for _, limit in ipairs { "requests", "streams" } do
    parts[#parts + 1] = limits[limit] and limits[limit] .. " " .. limit
  end
  return {
    server = name, name = table.concat(parts, ", "), count = 2000, rate = 1000, requests = limits.requests,
    streams = limits.streams,
  }
end

local CASES = {
  once(1000), once(100), paced(1000), paced(100),
  reload("nginx"), reload("haproxy"), reload("apache"), reload("nghttpx"),
  reload("nginx", true), reload("haproxy", true), reload("apache", true), reload("nghttpx", true),
  limited("nginx", { streams = 10 }), limited("haproxy", { streams = 10 }), limited("apache", { streams = 10 }),
  limited("nghttpx", { streams = 10 }), limited("haproxy", { requests = 100 }), limited("nghttpx", { requests = 100 }),
  limited("nginx", { requests = 100, streams = 10 }), limited("nghttpx", { requests = 100, streams = 10 }),
}

local SINS = { "twice", "false_not_sent", "false_success", "late" }

-- ---- sending ----

local function source(count)
  local given = 0
  return function()
    given = given + 1
    return given <= count and {
      number = "+16044441234", template_name = "order_confirmation", language = "en",
      body = { "Maria Oliveira", "Order #98765" }, callback_data = "p" .. given,
    } or nil
  end
end

--- The results by the number of the message, and seconds.
local function send(client, count)
  local results, started = {}, cqueues.monotime()
  for result in client:send_many(source(count), { operation = "send_template", in_flight = IN_FLIGHT }) do
    results[result.index] = result
  end
  return results, cqueues.monotime() - started
end

-- ---- judging ----

--- Until nothing has arrived for a moment: a server that was ended may have handed a
--- request on just before.
local function wait_for_arrivals(api)
  local before
  repeat
    before = api:seen().arrivals
    cqueues.sleep(SETTLED)
  until api:seen().arrivals == before
end

local function missing_of(api, count)
  local missing = {}
  for number in api:missing("p", count):gmatch("p(%d+)") do
    missing[tonumber(number)] = true
  end
  return missing
end

local function note_text(tally, number, err)
  local texts = tally.texts
  local text = ("%s, %s: %s"):format(err.outcome, err.kind, err.message)
  if not texts[text] then
    texts[text] = { count = 0, first = number, text = text }
    texts[#texts + 1] = texts[text]
  end
  texts[text].count = texts[text].count + 1
end

local function count_failure(tally, case, number, err, has_arrived)
  local outcome = err.outcome
  note_text(tally, number, err)
  tally[outcome] = tally[outcome] + 1
  if outcome == "unknown" then
    tally.arrived = tally.arrived + (has_arrived and 1 or 0)
    tally.late = tally.late + (case.must_learn and number > LEARNT and 1 or 0)
  elseif outcome == "not_sent" and has_arrived then
    tally.false_not_sent = tally.false_not_sent + 1
  end
end

local function judge(case, results, missing)
  local tally = {
    success = 0, not_sent = 0, rejected = 0, unknown = 0, arrived = 0, late = 0, false_not_sent = 0, false_success = 0,
    again = 0, texts = {},
  }
  for number = 1, case.count do
    local result = assert(results[number], "a message has no result")
    tally.again = tally.again + (result.info or result.error).attempts - 1
    if result.error then
      count_failure(tally, case, number, result.error, not missing[number])
    else
      assert(result.info.http_version == "2", "not over HTTP/2")
      tally.success = tally.success + 1
      tally.false_success = tally.false_success + (missing[number] and 1 or 0)
    end
  end
  return tally
end

-- ---- printing ----

local COLUMNS = {
  { "server", "%-8s" }, { "case", "%-24s" }, { "messages", "%8s" }, { "success", "%8s" }, { "not_sent", "%8s" },
  { "rejected", "%8s" }, { "unknown", "%8s" }, { "arrived", "%8s" }, { "not", "%4s" }, { "late", "%5s" },
  { "again", "%6s" }, { "twice", "%6s" }, { "false not_sent", "%14s" }, { "false success", "%13s" },
  { "connections", "%11s" }, { "seconds", "%8s" },
}

local function print_row(values)
  local cells = {}
  for index, column in ipairs(COLUMNS) do
    cells[index] = column[2]:format(values and values[index] or column[1])
  end
  print(table.concat(cells, " "))
  io.stdout:flush()
end

local function print_texts(tally)
  table.sort(tally.texts, function(one, other) return one.count > other.count end)
  for index = 1, math.min(TEXTS, #tally.texts) do
    local text = tally.texts[index]
    print(("           %d of %s (the first: message %d)"):format(text.count, text.text, text.first))
  end
end

local function print_tally(case, tally)
  print_row {
    case.server, case.name, case.count, tally.success, tally.not_sent, tally.rejected, tally.unknown, tally.arrived,
    tally.unknown - tally.arrived, case.must_learn and tally.late or "", tally.again, tally.twice, tally.false_not_sent,
    tally.false_success, tally.connections, ("%.1f"):format(tally.seconds),
  }
  print_texts(tally)
end

-- ---- running ----

--- The port to send to: the server's, or that of a relay in front of it.
local function approach(case, server)
  if not case.is_far then
    return server.port
  end
  local lua = os.getenv("LUA54") or "lua5.4"
  local relay = process.start {
    command = { lua, "spec/bench/delay.lua", tostring(server.port), tostring(DISTANCE) }, ready = "^port (%d+)$",
  }
  return relay.captured, relay
end

local function send_through(case, api, server)
  local port, relay = approach(case, server)
  local client = connectly.new {
    api_key = "key", business_id = "business", base_url = "https://localhost:" .. port, ca_file = api.ca_file,
    rate = case.rate,
  }
  if case.interval then
    server:keep_reloading(case.interval)
  end
  local results, seconds = send(client, case.count)
  client:close()
  if relay then
    relay:stop()
  end
  return results, seconds
end

--- Nothing can arrive any more when the server has ended.
local function run(case, api, folder)
  api:forget()
  local server = servers.start(case.server, {
    folder = folder, certificates = folder, backend = api.port, requests = case.requests, streams = case.streams,
  })
  local is_fine, results, seconds = pcall(send_through, case, api, server)
  server:stop()
  assert(is_fine, results)
  wait_for_arrivals(api)
  local tally = judge(case, results, missing_of(api, case.count))
  tally.twice, tally.connections, tally.seconds = api:seen().doubled, server:connections(), seconds
  return tally
end

local function has_sinned(tally)
  for _, sin in ipairs(SINS) do
    if tally[sin] > 0 then
      return true
    end
  end
  return false
end

local function is_wanted(case, words)
  local name = case.server .. " " .. case.name
  for _, word in ipairs(words) do
    if not name:find(word, 1, true) then
      return false
    end
  end
  return true
end

local function run_all(api, folder)
  local is_fine = true
  print_row()
  for _, case in ipairs(CASES) do
    local missing = is_wanted(case, arg) and servers.missing(case.server)
    if missing then
      print(("%-8s %-24s skipped: %s"):format(case.server, case.name, missing))
    elseif missing == nil then
      local tally = run(case, api, folder)
      print_tally(case, tally)
      is_fine = is_fine and not has_sinned(tally)
    end
  end
  return is_fine
end

local function main()
  local missing = servers.missing "nginx"
  if missing then
    print("peers: " .. missing)
    return true
  end
  local folder = shell.read("mktemp -d")
  local api = nginx_api.start(folder, DELAY)
  local is_fine, answer = pcall(run_all, api, folder)
  api:stop()
  shell.read("rm -rf " .. shell.quote(folder))
  assert(is_fine, answer)
  return answer
end

os.exit(main() and 0 or 1)
