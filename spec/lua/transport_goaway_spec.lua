-- A server takes so many streams a connection, says so by GOAWAY or by closing it, answers
-- those and does nothing with the others, as nginx's keepalive_requests has it. libcurl does not
-- tell which they were, so those are unknown: a client learns the limit from them, and
-- renews its connections before it is reached.

local transport = require "spec.support.transport"

local IN_FLIGHT = 64

-- Messages among which some may be lost until the limit is known; nginx's is from the start.
-- On a machine that is busy there are two connections at first, and one tells it.
local function learning(limit)
  return limit < 1000 and math.max(200, 2 * limit + IN_FLIGHT) or 200
end

local ROWS = { { limit = 20, count = 600 }, { limit = 100, count = 1200 }, { limit = 1000, count = 2600 } }

describe("a connection that ends after so many streams", function()
  local server = transport.serve()

  local function lost_after(results, number)
    local lost = {}
    for at, result in pairs(results) do
      lost[at] = at > number and result.error and result or nil
    end
    return lost
  end

  local function check(mode, row, behaviour, ending)
    server:arm(("%s-after-%d"):format(ending or "goaway", row.limit), 1000000)
    local client = transport.client(server, "https", behaviour, { timeout = 30, max_attempts = 3 })
    transport.prepare(client, mode)
    local results = transport.send(client, mode, 1, row.count, { in_flight = IN_FLIGHT })
    client:close(0)
    transport.judge(results, server:last_tally())
    local lost = lost_after(results, learning(row.limit))
    assert(not next(lost), transport.sample(lost))
  end

  for _, row in ipairs(ROWS) do
    for _, mode in ipairs(transport.MODES) do
      it(("loses none once it is known: %d, %s"):format(row.limit, mode), function()
        check(mode, row, "slow-10")
      end)
    end

    it(("loses none once it is known, answered at once: %d"):format(row.limit), function()
      check("worker", row, "ok")
    end)

    for _, mode in ipairs { "inline", "worker" } do
      it(("by a close alone loses none once it is known: %d, %s"):format(row.limit, mode), function()
        check(mode, row, "slow-10", "hangup")
      end)
    end
  end

  -- One at a time there is never a stream beyond the limit.
  for _, mode in ipairs { "inline", "start" } do
    it("is no loss to one after the other: " .. mode, function()
      server:arm("goaway-after-3", 1000000)
      local client = transport.client(server, "https", "ok")
      local results = transport.send_each(client, mode, 1, 20)
      client:close(0)
      transport.judge(results, server:last_tally())
      transport.all_succeeded(results)
    end)
  end
end)
