-- SETTINGS_MAX_CONCURRENT_STREAMS of few streams, of none, and later than libcurl thinks.
-- What exceeds it is refused by RST_STREAM. Calls wait for their turn, end in time, and
-- do not burn a processor meanwhile.

local cqueues = require "cqueues"
local transport = require "spec.support.transport"

local SLACK = 2 -- seconds in which a machine that is busy may see the end of a call

describe("a server's limit of streams", function()
  local server = transport.serve()

  --- Calls `run`, whose processor time must be small against the time that it took.
  local function idly(run)
    local from, used = transport.clock(), os.clock()
    local results = run()
    used = os.clock() - used
    local took = transport.clock() - from
    assert(used < 0.3 + 0.3 * took, ("%.2f s of a processor in %.2f s"):format(used, took))
    return results
  end

  local function assert_in_time(results, timeout)
    for number, result in pairs(results) do
      local took = result.ended - result.began
      assert(took < timeout + SLACK, ("message %d took %.2f s of %.2f"):format(number, took, timeout))
    end
  end

  for _, limit in ipairs { 1, 5 } do
    for _, mode in ipairs(transport.MODES) do
      it(("is kept to from the start: %d, %s"):format(limit, mode), function()
        server:arm("streams-" .. limit, 1000000)
        local client = transport.client(server, "https", "slow-10")
        transport.prepare(client, mode)
        local results = idly(function() return transport.send(client, mode, 1, 60) end)
        client:close(0)
        transport.judge(results, server:last_tally())
        transport.all_succeeded(results)
      end)
    end
  end

  -- What has left when the limit is told may be refused, and each connection tells it
  -- anew; when the client has learnt it, none is.
  for _, limit in ipairs { 1, 5, 10 } do
    for _, mode in ipairs(transport.MODES) do
      it(("is kept to when it is known: %d, %s"):format(limit, mode), function()
        server:arm("streams-later-" .. limit, 1000000)
        local client = transport.client(server, "https", "slow-10")
        transport.prepare(client, mode)
        local batches = {}
        for batch = 1, 4 do
          batches[batch] = idly(function() return transport.send(client, mode, batch * 100, 64) end)
        end
        client:close(0)
        local tally, counts = server:last_tally(), nil
        for _, results in ipairs(batches) do
          counts = transport.judge(results, tally)
        end
        assert.equal(64, counts.success, transport.sample(batches[#batches]))
      end)
    end
  end

  for _, mode in ipairs(transport.MODES) do
    it("of none from the start ends every call in time: " .. mode, function()
      server:arm("streams-0", 1000000)
      local client = transport.client(server, "https", "ok", { timeout = 1, max_attempts = 3 })
      transport.prepare(client, mode)
      local results = idly(function() return transport.send(client, mode, 1, 20) end)
      client:close(0)
      local counts = transport.judge(results, server:last_tally())
      assert.equal(0, counts.success)
      assert_in_time(results, 1)
    end)

    -- The limit is told to a connection that is idle, or on which calls begin at once.
    for _, pause in ipairs { 0, 0.1 } do
      it(("of none after the first ends every call in time, and the connection: %s, after %.1f s"):format(mode, pause),
        function()
          server:arm("streams-later-0", 1)
          local client = transport.client(server, "https", "ok", { timeout = 1, max_attempts = 3 })
          transport.prepare(client, mode)
          transport.all_succeeded(transport.send_each(client, mode, 901, mode == "worker" and 0 or 1))
          cqueues.sleep(pause)
          local results = idly(function() return transport.send(client, mode, 1, 20) end)
          local later = transport.send(client, mode, 101, 20)
          client:close(0)
          local tally = server:last_tally()
          transport.judge(results, tally)
          transport.judge(later, tally)
          assert_in_time(results, 1)
          transport.all_succeeded(later)
        end)
    end
  end
end)
