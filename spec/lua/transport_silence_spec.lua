-- A connection dies without a word: a relay keeps it open, acknowledges what comes and
-- forwards nothing, and lets new connections through. What was in flight is unknown, and
-- every call that begins after the first of them ran out of time goes another way.

local transport = require "spec.support.transport"

local ALL = { "HTTP/1.1", "TLS, HTTP/1.1", "HTTP/2" }

-- Of a call; and how much later than that its end may be seen on a machine that is busy.
local TIMEOUT, SLACK = 1, 2

local function assert_in_time(results)
  for number, result in pairs(results) do
    local took = result.ended - result.began
    assert(took < TIMEOUT + SLACK, ("message %d took %.2f s"):format(number, took))
  end
end

describe("a connection that dies silently", function()
  local server = transport.serve()

  local function new(port)
    return transport.client(server, "relay_" .. port, "ok", { timeout = TIMEOUT })
  end

  local function wait_for_requests(count)
    local deadline = transport.clock() + 10
    repeat
      assert(transport.clock() < deadline, "the requests did not come")
    until server:tally().requests >= count
  end

  --- Several at once, so that HTTP/1.1 has as many connections open.
  local function warm_up(client, mode)
    server:arm("slow-50", 8)
    transport.all_succeeded(transport.send(client, mode, 1, 8))
  end

  transport.each(ALL, { "inline", "start" }, function(port, mode, title)
    it("is not used again: " .. title, function()
      local client = new(port)
      warm_up(client, mode)
      assert(server:freeze() > 0)
      local lost = transport.send_each(client, mode, 101, 1)
      assert.equal("unknown", lost[101].error and lost[101].error.outcome)
      local later = transport.send_each(client, mode, 201, 10)
      client:close(0)
      transport.all_succeeded(later)
      transport.judge(transport.join(lost, later), server:last_tally())
      assert_in_time(lost)
    end)
  end)

  -- One that does not wait for its deadline is as good a sign.
  it("is not used again after a call that was canceled: HTTP/2", function()
    local client = transport.client(server, "relay_https", "ok", { timeout = 30 })
    warm_up(client, "start")
    assert(server:freeze() > 0)
    local call = assert(client:start("send_template", transport.message(101)))
    assert.is_nil((call:wait(1.5)))
    call:cancel()
    local _, err = call:wait(10)
    assert.equal("unknown", err.outcome)
    local later = transport.send_each(client, "start", 201, 5)
    client:close(0)
    transport.all_succeeded(later)
    transport.judge(later, server:last_tally())
  end)

  -- Three are in flight, and over HTTP/1.1 five connections more are idle.
  transport.each(ALL, { "start" }, function(port, mode, title)
    it("takes along what is in flight and nothing more: " .. title, function()
      local client = new(port)
      warm_up(client, mode)
      server:arm("silence-after-request", 3)
      local calls = {}
      for number = 101, 103 do
        calls[number] = assert(client:start("send_template", transport.message(number)))
      end
      wait_for_requests(8 + 3)
      server:freeze()
      for number = 101, 103 do
        local id, err = calls[number]:wait(10)
        assert.is_nil(id)
        assert.equal("unknown", err.outcome)
      end
      local later = transport.send(client, mode, 201, 20)
      client:close(0)
      transport.all_succeeded(later)
      transport.judge(later, server:last_tally())
    end)
  end)

  transport.each(ALL, { "inline", "worker" }, function(port, mode, title)
    it("costs a bulk those in flight: " .. title, function()
      local client = new(port)
      transport.prepare(client, mode)
      server:arm("slow-10", 1000)
      local seen, first_lost = 0, nil
      local results = transport.send(client, mode, 1, 300, { in_flight = 16, on_result = function(_, result)
        seen = seen + 1
        if seen == 50 then
          server:freeze()
        end
        first_lost = first_lost or not result.id and transport.clock() or nil
      end })
      client:close(0)
      local counts = transport.judge(results, server:last_tally())
      assert(first_lost and counts.unknown >= 1)
      for number, result in pairs(results) do
        assert(result.id or result.began < first_lost,
          ("message %d began when it was known: %s"):format(number, tostring(result.error)))
      end
      assert_in_time(results)
    end)
  end)

  for _, protocol in ipairs { "TLS, HTTP/1.1", "HTTP/2" } do
    it("is not used again by what may be repeated: " .. protocol, function()
      local client = transport.client(server, "relay_" .. transport.PORTS[protocol], "ok",
        { timeout = TIMEOUT, max_attempts = 3 })
      assert(client:list_webhooks())
      server:freeze()
      client:list_webhooks() -- its one attempt may have all the time there is
      for _ = 1, 5 do
        assert(client:list_webhooks())
      end
      client:close(0)
    end)
  end
end)
