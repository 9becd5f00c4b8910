-- A libcurl whose counters are wrong, and a system whose writes block or are short
-- (spec/support/liar.c), as on machines where libcurl sends a message twice by itself.
-- No message arrives twice, none that arrived is `not_sent`, no success is false.

local faults = require "spec.support.faults"
local process = require "spec.support.process"

local running = os.getenv("CONNECTLY_SPEC_LUA") or "lua5.4"
local liar = (os.getenv("BUILD") or "build") .. "/liar.so"

-- `tells`: the count that the liar must report above 0, or the test has tested nothing.
local lies = {
  { name = "no byte is counted", environment = "LIAR_COUNTERS=none", seed = 1 },
  { name = "bytes are counted late", environment = "LIAR_COUNTERS=late", seed = 2 },
  { name = "a kept connection blocks", environment = "LIAR_AGAIN=kept", seed = 3, tells = "again" },
  { name = "each request blocks", environment = "LIAR_AGAIN=all", seed = 4, tells = "again" },
  { name = "writes are short", environment = "LIAR_SHORT=40", seed = 5, tells = "short" },
  { name = "writes block and are short", environment = "LIAR_AGAIN=all LIAR_SHORT=40", seed = 6, tells = "short" },
  { name = "no byte is counted and each request blocks", environment = "LIAR_AGAIN=all LIAR_COUNTERS=none", seed = 7,
    tells = "again" },
}

-- Sends three messages, one after the other, to each of several behaviours, then 60
-- to a server that fails at random; prints the result of each. The timeout is short
-- because libcurl 7.88.1 breaks an HTTP/2 connection when a write of it blocks.
local SCRIPT = [[
local url, ca_file, mode, seed = ...
io.stdout:setvbuf("line") -- the liar's line must not come between two halves of one
local safe = require "connectly.safe"
local function new(behaviour)
  return assert(safe.new {
    api_key = "k", business_id = behaviour, base_url = url, ca_file = ca_file, rate = 100000, max_attempts = 2,
    timeout = 1,
  })
end
local function tell(key, id, err)
  print(("%%s\t%%s\t%%s"):format(key, id and "success" or err.outcome, id and "" or tostring(err):gsub("%%s+", " ")))
end
local function message(key)
  return { number = "+14155550123", template_name = "x", language = "en", callback_data = key }
end
local function send(client, key)
  if mode == "inline" then
    tell(key, client:send_template(message(key)))
  else
    tell(key, client:start("send_template", message(key)):wait(15))
  end
end
for _, behaviour in ipairs { %s } do
  local client = new(behaviour)
  for number = 1, 3 do
    send(client, behaviour .. " " .. number)
  end
  client:close(0)
end
local silent = new("silence-after-request")
send(silent, "silent")
silent:close(0)
local client, list = new("quick-random-" .. seed), {}
for index = 1, 60 do
  list[index] = message("random " .. index)
end
if mode == "started" then
  send(client, "started")
end
for result in client:send_many(list, { in_flight = 8 }) do
  tell("random " .. result.index, result.id, result.error)
end
client:close(0)
]]

local BEHAVIOURS = {
  "ok", "dead-connection", "dead-connection-reset", "dead-connection-after-head", "dead-connection-after-half-body",
  "close-idle", "reset-idle", "close-after-request", "reset-after-request", "refused-stream-after-request",
}
local MESSAGES = 3 * #BEHAVIOURS + 1 + 60

describe("a libcurl that lies", function()
  local server, script

  setup(function()
    server = faults.start()
    script = os.tmpname()
    local file = assert(io.open(script, "w"))
    file:write(SCRIPT:format('"' .. table.concat(BEHAVIOURS, '", "') .. '"'))
    file:close()
  end)

  teardown(function()
    server:stop()
    os.remove(script)
  end)

  --- The output of the script in a process that preloads the liar. A sanitizer's
  --- runtime must come first.
  local function run(environment, ...)
    local command = ('timeout 120 env %s LD_PRELOAD="$LD_PRELOAD:%s" %s %s %s 2>&1 || echo failed'):format(
      environment, liar, running, script, table.concat({ ... }, " "))
    return process.capture(command)
  end

  --- Iterates over the results: key, "success" or the outcome, error text.
  local function results(text)
    return text:gmatch("([^\t\n]+)\t(%S+)\t([^\n]*)")
  end

  local function is_false(said, deliveries)
    return deliveries > 1 or (said == "success" and deliveries == 0) or (said == "not_sent" and deliveries == 1)
  end

  --- The wrong results, one a line, and the number of all results.
  local function judge(text, accepted)
    local wrong, count = {}, 0
    for key, said, reason in results(text) do
      local deliveries = accepted[key] or 0
      count = count + 1
      if is_false(said, deliveries) then
        wrong[#wrong + 1] = ("%s arrived %d times: %s %s"):format(key, deliveries, said, reason)
      end
    end
    return table.concat(wrong, "\n"), count
  end

  local function check(lie, port, mode)
    server:reset()
    local text = run(lie.environment, server:url(port), server.ca_file, mode, lie.seed)
    local wrong, count = judge(text, server:last_tally().accepted)
    assert(not text:find("failed\n$"), text)
    assert.equal(MESSAGES + (mode == "started" and 1 or 0), count, text)
    assert(not lie.tells or tonumber(text:match("(%d+) " .. lie.tells)) > 0, "the liar did nothing")
    assert.equal("", wrong)
  end

  for _, lie in ipairs(lies) do
    for _, port in ipairs { "http", "https1", "https" } do
      for _, mode in ipairs { "inline", "started" } do
        it(("makes no message arrive twice, and no result wrong: %s, %s, %s"):format(lie.name, port, mode), function()
          check(lie, port, mode)
        end)
      end
    end
  end
end)
