-- At most 200 in any sliding second, and nearly as many: counted where they
-- arrive, in the caller's thread and with the courier. This takes ten seconds
-- each, because the promise is about seconds.

local arrivals = require "spec.support.arrivals"
local safe = require "connectly.safe"
local faults = require "spec.support.faults"

local function messages(count)
  local sent = 0
  return function()
    sent = sent + 1
    return sent <= count and { number = "+14155550123", template_name = "x", language = "en" } or nil
  end
end

describe("the rate", function()
  local server

  setup(function() server = faults.start() end)
  teardown(function() server:stop() end)

  --- The busiest second, and what arrived in ten, of 2,000 messages at 200.
  local function measure(mode)
    server:reset()
    local client = assert(safe.new {
      api_key = "k", business_id = "ok", base_url = server:url("https"), ca_file = server.ca_file, rate = 200,
    })
    if mode == "courier" then
      assert(client:start("send_template", messages(1)()):wait(5))
    end
    for result in client:send_many(messages(2000)) do
      assert(result.id, tostring(result.error))
    end
    client:close()
    local arrived = server:arrivals()
    return arrivals.busiest_second(arrived), #arrivals.between(arrived, 0, 10)
  end

  -- Departures are counted in spec/io (departures_in_a_second), where one run must
  -- do. Arrivals are pushed together when the machine holds the server up for a
  -- moment: a busy second, and that alone, is measured again. How much of the rate is
  -- used depends on the machine too: spec/core/rate/limiter_test has a clock of its own and
  -- is exact, spec/bench/paced.lua measures it, and here half must show.
  for _, mode in ipairs { "inline", "courier" } do
    it("is kept in every second, and used: " .. mode, function()
      local busiest, used
      for _ = 1, 3 do
        busiest, used = measure(mode)
        assert(used >= 1000, "in ten seconds: " .. used)
        if busiest <= 200 then
          break
        end
      end
      assert(busiest <= 200, "busiest second: " .. busiest)
    end)
  end

  -- Here too only the server's arrivals can be to blame for more than one run.
  it("is one that a server which insists on it never refuses", function()
    local attempts
    for _ = 1, 3 do
      server:reset()
      attempts = 0
      local client = assert(safe.new {
        api_key = "k", business_id = "limit-100", base_url = server:url("https"), ca_file = server.ca_file, rate = 100,
      })
      for result in client:send_many(messages(350)) do
        attempts = attempts + assert(result.info, tostring(result.error)).attempts
      end
      client:close()
      if attempts == 350 then
        break
      end
    end
    assert.equal(350, attempts)
  end)

  local function busiest_second_of_bursts()
    server:reset()
    local client = assert(safe.new {
      api_key = "k", business_id = "slow-50", base_url = server:url("https"), ca_file = server.ca_file, rate = 50,
    })
    for _ = 1, 2 do
      local calls = {}
      for index = 1, 60 do
        calls[index] = assert(client:start("send_template", messages(1)()))
      end
      for _, call in ipairs(calls) do
        assert(call:wait(10))
      end
    end
    client:close()
    return arrivals.busiest_second(server:arrivals())
  end

  it("bursts of calls are let go one by one as well", function()
    local busiest
    for _ = 1, 3 do -- a machine that is held up pushes together what left evenly
      busiest = busiest_second_of_bursts()
      if busiest <= 50 then
        return
      end
    end
    error("busiest second: " .. busiest)
  end)

  it("stops for all after a 429", function()
    server:reset()
    server:arm("429-seconds", 1)
    local client = assert(safe.new {
      api_key = "k", business_id = "ok", base_url = server:url("https"), ca_file = server.ca_file,
    })
    local calls = {}
    for index = 1, 20 do
      calls[index] = assert(client:start("send_template", messages(1)()))
    end
    for _, call in ipairs(calls) do
      assert(call:wait(10))
    end
    client:close()
    local longest = arrivals.longest_gap(server:arrivals())
    assert(longest >= 0.9, "the longest pause was " .. longest)
  end)
end)
