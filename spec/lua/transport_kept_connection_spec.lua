-- A kept connection ends at the n-th request, which the server has read: that one is
-- unknown, none is sent again by itself, and the next one goes over another connection.

local faults = require "spec.support.faults"
local transport = require "spec.support.transport"

local ALL = { "HTTP/1.1", "TLS, HTTP/1.1", "HTTP/2" }

describe("a kept connection that ends", function()
  local server

  setup(function() server = faults.start() end)
  teardown(function() server:stop() end)
  before_each(function() server:reset() end)
  after_each(transport.close)

  for _, ending in ipairs { "close", "reset" } do
    for _, nth in ipairs { 1, 2, 5 } do
      transport.each(ALL, { "inline", "start" }, function(port, mode, title)
        it(("with request %d, %s: %s"):format(nth, ending, title), function()
          local client = transport.client(server, port, ("%s-at-%d"):format(ending, nth))
          local results = transport.send_each(client, mode, 1, 10)
          client:close(0)
          local tally = server:last_tally()
          transport.judge(results, tally)
          assert.equal(10, tally.requests)
          for number, result in pairs(results) do
            if number % nth == 0 then
              assert(result.error and result.error.outcome == "unknown", "the server has it, and did not answer")
            else
              assert(result.id, tostring(result.error))
            end
          end
        end)
      end)
    end

    -- Attempts that end well are not counted: which of them meets the end is chance.
    transport.each(ALL, transport.MODES, function(port, mode, title)
      it(("under many calls, %s: %s"):format(ending, title), function()
        local client = transport.client(server, port, ending .. "-at-3")
        transport.prepare(client, mode)
        local results = transport.join(
          transport.send(client, mode, 1, 64), transport.send(client, mode, 101, 64),
          transport.send(client, mode, 201, 64))
        client:close(0)
        local counts = transport.judge(results, server:last_tally())
        assert(counts.unknown > 0 and counts.success > 0, ("%d unknown, %d succeeded: %s"):format(counts.unknown,
          counts.success, transport.sample(results)))
      end)
    end)
  end
end)

-- haproxy sends this code when its backend dies with the request already in it.
describe("a stream that is refused after its message was acted on", function()
  local server

  setup(function() server = faults.start() end)
  teardown(function() server:stop() end)
  before_each(function() server:reset() end)
  after_each(transport.close)

  for _, mode in ipairs { "inline", "start" } do
    it("is unknown and never repeated, first and on a kept connection: " .. mode, function()
      local client = transport.client(server, "https", "ok", { max_attempts = 3 })
      server:arm("refused-stream-acted-on", 1)
      local results = transport.send_each(client, mode, 1, 2)
      server:arm("refused-stream-acted-on", 1)
      results = transport.join(results, transport.send_each(client, mode, 3, 2))
      client:close(0)
      local tally = server:last_tally()
      transport.judge(results, tally)
      assert.equal("unknown", results[1].error and results[1].error.outcome)
      assert.equal("unknown", results[3].error and results[3].error.outcome)
      assert(results[2].id and results[4].id)
      assert.equal(4, tally.requests)
    end)
  end

  for _, mode in ipairs(transport.MODES) do
    it("is unknown among many: " .. mode, function()
      local client = transport.client(server, "https", "slow-20", { max_attempts = 3 })
      transport.prepare(client, mode)
      server:arm("refused-stream-acted-on", 20)
      local results = transport.send(client, mode, 1, 64)
      client:close(0)
      local tally = server:last_tally()
      local counts = transport.judge(results, tally)
      assert.equal(20, counts.unknown)
      assert.equal(44, counts.success)
    end)
  end
end)
