-- The API goes away for a while, as in a restart or behind a balancer without a backend:
-- calls wait within their own time, one attempt at a time finds out, and a bulk goes on
-- when it is back. Nothing ends as not sent for that, with the default options.

local arrivals = require "spec.support.arrivals"
local transport = require "spec.support.transport"

local OUTAGE = 2 -- seconds
local COUNT = 250 -- of which an outage keeps all but the first fifty
local IN_FLIGHT = 64

describe("an outage", function()
  local server = transport.serve()

  after_each(function() server:come_back() end)

  --- A bulk in the middle of which `begin_outage` is called.
  local function bulk(client, mode, begin_outage)
    local seen = 0
    return transport.send(client, mode, 1, COUNT, { on_result = function()
      seen = seen + 1
      if seen == 50 then
        begin_outage()
      end
    end })
  end

  for _, row in ipairs { { "https", "inline" }, { "https", "worker" }, { "https1", "inline" }, { "http", "worker" } } do
    local port, mode = row[1], row[2]

    it(("of two seconds costs a bulk those in flight: %s, %s"):format(port, mode), function()
      local client = transport.default_client(server, port, "slow-20")
      transport.prepare(client, mode)
      local results = bulk(client, mode, function() server:go_away(OUTAGE) end)
      client:close(0)
      local counts = transport.judge(results, server:last_tally())
      assert(counts.not_sent == 0, ("%d not_sent: %s"):format(counts.not_sent, transport.sample(results, "not_sent")))
      assert(counts.unknown <= IN_FLIGHT, ("%d unknown: %s"):format(counts.unknown, transport.sample(results)))
      assert.equal(COUNT, counts.success + counts.unknown)
      local gap = arrivals.longest_gap(server:arrivals())
      assert(gap < OUTAGE + 2, ("it went on after %.1f s"):format(gap))
    end)
  end

  it("of two seconds costs calls in the background none but those in flight", function()
    local client = transport.default_client(server, "https", "slow-20")
    transport.all_succeeded(transport.send_each(client, "start", 1, 1))
    server:go_away(OUTAGE)
    local results = transport.send(client, "start", 101, 200)
    client:close(0)
    local counts = transport.judge(results, server:last_tally())
    assert(counts.success == 200, transport.sample(results))
  end)

  local function assert_it_costs_few(behaviour, port, mode)
    local client = transport.default_client(server, port, "ok")
    transport.prepare(client, mode)
    local results = bulk(client, mode, function() server:arm_for(behaviour, OUTAGE) end)
    client:close(0)
    local counts = transport.judge(results, server:last_tally())
    assert(counts.unknown <= 80, ("%d unknown: %s"):format(counts.unknown, transport.sample(results)))
    assert.equal(COUNT, counts.success + counts.unknown)
  end

  for _, row in ipairs { { "503", "inline" }, { "503", "worker" }, { "502-html", "worker" } } do
    it(("in which a balancer answers %s costs a bulk few: %s"):format(row[1], row[2]), function()
      assert_it_costs_few(row[1], "https", row[2])
    end)
  end

  -- Connections are made, and nothing comes on them. An attempt that hangs does so for
  -- connect_timeout; the others go on when packets get through again.
  it("in which packets are lost keeps those that hang, and no others: HTTP/2", function()
    local client = transport.client(server, "relay_https", "ok", { connect_timeout = 12, timeout = 60, max_attempts = 3 })
    server:swallow(OUTAGE)
    local results = transport.send(client, "inline", 1, 20, { in_flight = 20 })
    client:close(0)
    transport.judge(results, server:last_tally())
    transport.all_succeeded(results, 2)
    local soon = 0
    for _, result in pairs(results) do
      soon = soon + (result.ended - result.began < 10 and 1 or 0)
    end
    assert(soon >= 14, ("%d of 20 did not wait"):format(soon))
  end)

  -- The system repeats its own packets ever more seldom; over HTTP/1.1 all connections hang.
  it("in which packets are lost is over for all when they get through again: HTTP/1.1", function()
    local client = transport.client(server, "relay_https1", "ok", { connect_timeout = 10, timeout = 12, max_attempts = 3 })
    transport.all_succeeded(transport.send_each(client, "inline", 1, 1))
    server:swallow(OUTAGE)
    local results = transport.send(client, "inline", 101, 20, { in_flight = 20 })
    client:close(0)
    local counts = transport.judge(results, server:last_tally())
    assert(counts.success >= 19, transport.sample(results)) -- one had gone over the connection of the first
    for number, result in pairs(results) do
      local took = result.ended - result.began
      assert(not result.id or took < 8, ("message %d took %.1f s"):format(number, took))
    end
  end)

  -- Each message has a connection of its own.
  for _, in_flight in ipairs { 1, 2, 16 } do
    it(("is none when the network becomes slow: %d in flight"):format(in_flight), function()
      local client = transport.client(server, "relay_https1", "ok-unsized-close", { timeout = 12 })
      transport.all_succeeded(transport.send_each(client, "inline", 1, 1))
      server:delay(2.5)
      local results = transport.send(client, "inline", 101, in_flight, { in_flight = in_flight })
      server:delay(0)
      client:close(0)
      transport.judge(results, server:last_tally())
      transport.all_succeeded(results)
      for number, result in pairs(results) do
        local took = result.ended - result.began
        assert(took < 8, ("message %d took %.1f s"):format(number, took))
      end
    end)
  end

  -- A balancer that ends TLS by itself, and has no backend.
  for _, row in ipairs {
    { "close-after-request", "https1", "inline" }, { "close-after-request", "https", "worker" },
    { "reset-after-request", "https1", "worker" }, { "cancel-stream", "https", "inline" },
  } do
    it(("in which connections are lost costs a bulk few: %s, %s, %s"):format(row[1], row[2], row[3]), function()
      assert_it_costs_few(row[1], row[2], row[3])
    end)
  end

  for _, row in ipairs { { "https", "start" }, { "https", "inline" }, { "http", "start" }, { "https1", "worker" } } do
    local port, mode = row[1], row[2]

    it(("without end ends every call when its time is over: %s, %s"):format(port, mode), function()
      local timeout = 1.5
      local client = transport.default_client(server, port, "ok", { timeout = timeout })
      transport.prepare(client, mode)
      transport.all_succeeded(transport.send_each(client, mode, 1, 1))
      server:go_away()
      local before = client:stats().attempts
      local results = transport.send(client, mode, 101, IN_FLIGHT)
      local attempts = client:stats().attempts - before
      client:close(0)
      local counts, late = transport.judge(results, server:last_tally()), 0
      assert.equal(0, counts.success)
      for number, result in pairs(results) do
        local took = result.ended - result.began
        assert(took < timeout + 2, ("message %d took %.2f s"):format(number, took))
        late = late + (took > timeout - 0.1 and 1 or 0)
      end
      -- All but what found a connection that it could not use again.
      assert(late >= IN_FLIGHT - 1, ("%d of %d waited: %s"):format(late, IN_FLIGHT, transport.sample(results)))
      assert(attempts < 2 * IN_FLIGHT, ("%d attempts"):format(attempts))
    end)
  end
end)
