-- A client that is never idle makes a new connection from time to time, and so follows a
-- name that has moved to another address.

local cqueues = require "cqueues"
local transport = require "spec.support.transport"

local ALL = { "HTTP/1.1", "TLS, HTTP/1.1", "HTTP/2" }
local AGE, PAUSE, CALLS = 0.4, 0.05, 28 -- at least 1.4 s in all

describe("a connection that is old", function()
  local server = transport.serve()

  before_each(function()
    server:last_tally() -- the connection by which the start was awaited has ended
    server:reset()
  end)

  --- Never idle for long; connections, and the seconds that it took.
  local function keep_busy(client, mode)
    local from = transport.clock()
    for number = 1, CALLS do
      local results = transport.send_each(client, mode, number, 1)
      transport.all_succeeded(results)
      cqueues.sleep(PAUSE)
    end
    local took = transport.clock() - from
    client:close(0)
    return server:last_tally().connections, took
  end

  transport.each(ALL, { "inline", "start" }, function(port, mode, title)
    it("is not used for another call: " .. title, function()
      local client = transport.client(server, port, "ok", { max_connection_age = AGE })
      local connections, took = keep_busy(client, mode)
      assert(connections >= 3, ("%d connections in %.2f s"):format(connections, took))
      assert(connections <= took / AGE + 1, ("%d connections in %.2f s"):format(connections, took))
    end)
  end)

  it("finishes what it carries", function()
    local client = transport.client(server, "https", "slow-600", { max_connection_age = AGE })
    local results = transport.send(client, "start", 1, 32)
    results = transport.join(results, transport.send(client, "start", 101, 32))
    client:close(0)
    local tally = server:last_tally()
    transport.judge(results, tally)
    transport.all_succeeded(results)
    assert(tally.connections >= 2)
  end)

  it("is kept for minutes unless the options say otherwise", function()
    assert.equal(1, (keep_busy(transport.client(server, "https", "ok"), "start")))
  end)
end)
