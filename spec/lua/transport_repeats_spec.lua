-- Calls that only read are repeated after a connection was lost. Each repetition is an
-- attempt like any other: it waits for the rate, is counted, and is reported.

local arrivals = require "spec.support.arrivals"
local transport = require "spec.support.transport"

local RATE, COUNT = 50, 60
local RUNS = 3 -- where a busy machine pushed arrivals together, another run is made

describe("what may be repeated", function()
  local server = transport.serve()

  local function read_many(client)
    local given, attempts = 0, 0
    for result in client:send_many(function()
      given = given + 1
      return given <= COUNT and {} or nil
    end, { operation = "list_webhooks" }) do
      attempts = attempts + (result.info or result.error).attempts
    end
    return attempts
  end

  --- The server answers the first request of a connection, and closes after the second.
  local function measure(port, mode)
    server:reset()
    local client = transport.client(server, port, "close-at-2", { rate = RATE, max_attempts = 3, timeout = 30 })
    transport.prepare(client, mode)
    local before = client:stats().attempts
    server:reset()
    local attempts = read_many(client)
    local counted = client:stats().attempts - before
    client:close(0)
    local tally = server:last_tally()
    assert.equal(attempts, counted)
    return attempts, tally.requests, arrivals.busiest_second(server:arrivals())
  end

  transport.each({ "HTTP/1.1", "TLS, HTTP/1.1", "HTTP/2" }, { "inline", "worker" }, function(port, mode, title)
    it("is repeated within the rate, and counted: " .. title, function()
      local attempts, requests, busiest
      for _ = 1, RUNS do
        attempts, requests, busiest = measure(port, mode)
        if busiest <= RATE then
          break
        end
      end
      assert(busiest <= RATE, ("%d requests in one second"):format(busiest))
      -- Of an attempt on a connection that the server is closing nothing is read.
      assert(requests <= attempts, ("%d requests in %d attempts"):format(requests, attempts))
      assert(port == "https" or requests == attempts, ("%d requests in %d attempts"):format(requests, attempts))
      assert(attempts > COUNT, "no connection was lost")
    end)
  end)
end)
