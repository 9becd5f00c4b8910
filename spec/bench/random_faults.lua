--- Checks that no message is delivered twice and that no result is false, whatever the server
--- does.
---
--- Sends messages in rounds of 500 through clients of all kinds (HTTP/1.1 and HTTP/2, in the
--- caller's thread and in the background, small and large messages, one attempt or two) to the
--- fault server, which picks a random behaviour for each request and each connection
--- (mixed-random-<seed> or calm-random-<seed>, and wild-connections-<seed>). In some rounds a
--- relay freezes, the server goes away, or the program cancels calls. Every result is compared
--- with what the server received.
---
--- Goal: no message delivered twice, no success that did not arrive, no not_sent of which any
--- part arrived, no message that arrived more often than it had attempts. Prints the number of
--- each, of the outcomes, and of error texts that contradict themselves. Fails unless the goal
--- is met.
---
---   CONNECTLY_MESSAGES=30000 CONNECTLY_SEED=1 sh spec/bench/run.sh random_faults

local faults = require "spec.support.faults"
local transport = require "spec.support.transport"

local COUNT = tonumber(os.getenv("CONNECTLY_MESSAGES")) or 30000
local SEED = tonumber(os.getenv("CONNECTLY_SEED")) or 1
local ROUND = 500

local PORTS = { "https", "https1", "http", "https" }
local MANNERS = { "mixed-random-", "calm-random-" }
local SIZES = { 0, 1200, 4000 }

-- What transport.fault_of may say, and which of it is a lie.
local WRONGS = {
  "twice", "false not_sent", "false success", "more often than its attempts", "the text contradicts itself",
  "nothing was tried again",
}
local LIES = {
  ["twice"] = true, ["false not_sent"] = true, ["false success"] = true, ["more often than its attempts"] = true,
}

local totals = { success = 0, not_sent = 0, rejected = 0, unknown = 0 }
local wrongs, examples = {}, {}

-- What happens in every seventh round, when a third of the results have come.
local FREEZES, GOES_AWAY, IS_CANCELED = 3, 5, 6

local EVENTS = {
  [FREEZES] = function(server) server:freeze() end,
  [GOES_AWAY] = function(server) server:go_away(0.2) end,
}

local function new_client(server, round)
  local port = PORTS[round % #PORTS + 1]
  return transport.client(server, round % 7 == FREEZES and "relay_" .. port or port, MANNERS[round % 2 + 1] .. round, {
    timeout = 0.4, connect_timeout = 0.2, max_attempts = round % 4 < 2 and 1 or 2,
    max_connections = round % 5 == 0 and 2 or 16,
  })
end

--- Starts them in the background, cancels every seventh, and waits for all.
local function send_and_cancel(client, first, count, size)
  local calls, results = {}, {}
  for number = first, first + count - 1 do
    calls[number] = assert(client:start("send_template", transport.message(number, size)))
    if number % 7 == 0 then
      calls[number - number % 3]:cancel()
    end
  end
  for number, call in pairs(calls) do
    local id, second = call:wait(30)
    results[number] = { id = id, [id ~= nil and "info" or "error"] = second }
  end
  return results
end

local function send_round(server, client, round, count)
  local mode = transport.MODES[round % 3 + 1]
  local size, event, seen = SIZES[round % #SIZES + 1], EVENTS[round % 7], 0
  transport.prepare(client, mode)
  if round % 7 == IS_CANCELED then
    return send_and_cancel(client, 1, count, size)
  end
  return transport.send(client, mode, 1, count, { size = size, in_flight = round % 2 == 0 and 16 or 64,
    on_result = function()
      seen = seen + 1
      if event and seen == count // 3 then
        event(server)
      end
    end })
end

local function judge(round, results, tally)
  for number, result in pairs(results) do
    local wrong, details = transport.fault_of(number, result, tally)
    if wrong then
      wrongs[wrong] = (wrongs[wrong] or 0) + 1
      examples[wrong] = examples[wrong] or ("seed %d, %s"):format(round, details)
    end
    local outcome = transport.outcome_of(result)
    totals[outcome] = totals[outcome] + 1
  end
end

local function run_round(server, round, count)
  server:reset()
  server:arm("wild-connections-" .. round, 1000000)
  local results = send_round(server, new_client(server, round), round, count)
  transport.close()
  judge(round, results, server:last_tally())
  server:come_back()
end

local function report()
  local is_fine = true
  for _, outcome in ipairs { "success", "not_sent", "rejected", "unknown" } do
    print(("%-30s %6d"):format(outcome, totals[outcome]))
  end
  for _, wrong in ipairs(WRONGS) do
    is_fine = is_fine and not (LIES[wrong] and wrongs[wrong])
    print(("%-30s %6d  %s"):format(wrong, wrongs[wrong] or 0, examples[wrong] or ""))
  end
  return is_fine
end

local server = faults.start()
local sent, round = 0, SEED
while sent < COUNT do
  local count = math.min(ROUND, COUNT - sent)
  run_round(server, round, count)
  sent, round = sent + count, round + 1
end
server:stop()
os.exit(report() and 0 or 1)
