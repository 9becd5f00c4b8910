-- A server that answers before it has read the body, as balancers do that refuse a
-- request by its head: the status is reported however the body was cut into pieces.

local transport = require "spec.support.transport"

local ALL = { "TLS, HTTP/1.1", "HTTP/2" }
local SIZES = { 300, 1200, 15000 }

-- Behaviour, and how the error has to describe it.
local ROWS = {
  { "early-413", status = 413, kind = "rejected", outcome = "rejected" },
  { "early-429", status = 429, kind = "rate_limited", outcome = "not_sent" },
  { "early-429-seconds", status = 429, kind = "rate_limited", outcome = "not_sent" },
  { "early-503", status = 503, kind = "server", outcome = "unknown" },
  { "early-503-seconds", status = 503, kind = "server", outcome = "unknown" },
}

describe("an early reply", function()
  local server = transport.serve()

  local function check(results, row)
    for number, result in pairs(results) do
      local err = assert(result.error, "message " .. number .. " succeeded")
      local said = ("message %d: %s"):format(number, tostring(err))
      assert(err.status == row.status, said)
      assert(err.kind == row.kind and err.outcome == row.outcome, said)
    end
  end

  for _, row in ipairs(ROWS) do
    transport.each(ALL, { "inline", "start" }, function(port, mode, title)
      for _, size in ipairs(SIZES) do
        it(("is read: %s, %d bytes, %s"):format(row[1], size, title), function()
          local results = {}
          for number = 1, 10 do -- a client for each: 429 and 503 make one wait
            local client = transport.client(server, port, row[1])
            results[number] = transport.send_each(client, mode, number, 1, { size = size })[number]
            client:close(0)
          end
          transport.judge(results, server:last_tally())
          check(results, row)
        end)
      end
    end)
  end

  transport.each(ALL, transport.MODES, function(port, mode, title)
    for _, size in ipairs(SIZES) do
      it(("is read among many: %d bytes, %s"):format(size, title), function()
        local client = transport.client(server, port, "early-413")
        transport.prepare(client, mode)
        local results = transport.send(client, mode, 1, 256, { size = size, in_flight = 32 })
        client:close(0)
        transport.judge(results, server:last_tally())
        check(results, ROWS[1])
      end)
    end
  end)

  -- Many connections of few streams each.
  for _, streams in ipairs { 3, 10, 20 } do
    for _, mode in ipairs { "inline", "worker" } do
      it(("is read on many connections: %d streams, %s"):format(streams, mode), function()
        server:arm("streams-" .. streams, 1000000)
        local client = transport.client(server, "https", "early-413")
        transport.prepare(client, mode)
        local results = transport.send(client, mode, 1, 400, { size = 1200, in_flight = 64 })
        client:close(0)
        transport.judge(results, server:last_tally())
        check(results, ROWS[1])
      end)
    end
  end

  transport.each(ALL, { "start" }, function(port, mode, title)
    it("is read one after the other on a kept connection: " .. title, function()
      local client = transport.client(server, port, "early-413")
      local results = transport.send_each(client, mode, 1, 100, { size = 1200 })
      client:close(0)
      transport.judge(results, server:last_tally())
      check(results, ROWS[1])
    end)
  end)

  transport.each(ALL, { "inline", "start" }, function(port, mode, title)
    it("of 429 is waited for, by all: " .. title, function()
      local client = transport.client(server, port, "ok", { max_attempts = 3 })
      transport.all_succeeded(transport.send_each(client, mode, 1, 1))
      server:arm("early-429-seconds", 1)
      local results = transport.send_each(client, mode, 2, 2, { size = 1200 })
      client:close(0)
      transport.judge(results, server:last_tally())
      assert(results[2].id, tostring(results[2].error))
      assert.equal(2, results[2].info.attempts)
      assert(results[2].info.elapsed >= 1, "it did not wait")
    end)
  end)
end)
