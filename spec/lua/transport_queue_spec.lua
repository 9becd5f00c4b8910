-- Calls that have to wait for a connection wait with us: that is no time spent on
-- connecting, it uses up no attempt, and a call that runs out of time meanwhile ends.

local child = require "spec.support.child"
local faults = require "spec.support.faults"
local transport = require "spec.support.transport"

describe("calls that wait for a connection", function()
  local server = transport.serve()

  for _, mode in ipairs { "inline", "start" } do
    it("of which there is one need one attempt each: " .. mode, function()
      local client = transport.client(server, "https1", "slow-400",
        { max_connections = 1, connect_timeout = 1, timeout = 30, max_attempts = 3 })
      local results = transport.send(client, mode, 1, 8)
      client:close(0)
      transport.judge(results, server:last_tally())
      transport.all_succeeded(results)
    end)
  end

  it("need one attempt each where the API is slow and they are many", function()
    local client = transport.default_client(server, "https1", "slow-900", { connect_timeout = 2 })
    transport.prepare(client, "worker")
    local results = transport.send(client, "worker", 1, 96, { in_flight = 64 })
    client:close(0)
    transport.judge(results, server:last_tally())
    transport.all_succeeded(results)
  end)

  -- libcurl 8.8 to 8.15 never returned when the time of a transfer was over that waited
  -- for a connection: hence a process of its own.
  for _, connections in ipairs { 1, 16 } do
    it(("of a mute server end in time: %d connections"):format(connections), function()
      local said = child.run(server, ([[
        local client = client_for("http", "silence-after-request", {
          connect_timeout = 0.08, timeout = 0.6, max_connections = %d,
        })
        local longest, number = 0, 0
        for _ = 1, 4 do
          local calls = {}
          for index = 1, 64 do
            number = number + 1
            calls[index] = { clock(), (assert(client:start("send_template", message(number)))) }
          end
          for _, call in ipairs(calls) do
            assert(not call[2]:wait(30))
            longest = math.max(longest, clock() - call[1])
          end
        end
        client:close(0)
        print("ended", longest)
      ]]):format(connections))
      local longest = tonumber(said:match("^ended%s+([%d.]+)"))
      assert(longest, said)
      assert(longest < 0.6 + 2, ("a call took %.2f s"):format(longest))
    end)
  end
end)

-- A client whose first call is made while the process has no descriptor left.
describe("a client that begins without a descriptor", function()
  local server = faults.serve()

  local SCRIPT = [[
    require "cjson" -- which callback_data needs
    local client = client_for(%q, "ok", { timeout = 20 })
    local first_mode, later_mode = %q, %q
    local function send(number)
      if (number == 1 and first_mode or later_mode) == "inline" then
        return client:send_template(message(number))
      end
      local call, err = client:start("send_template", message(number))
      if not call then return nil, err end
      return call:wait(30)
    end
    local function take_all()
      local files, file = {}, nil
      repeat
        file = io.open("/dev/null")
        files[#files + 1] = file
      until not file
      return function() for _, file in ipairs(files) do file:close() end end
    end
    local function timed(act, ...)
      local from = clock()
      local first, second = act(...)
      return ("%%.3f"):format(clock() - from), first, second
    end
    local free = take_all()
    local took, id, err = timed(send, 1)
    print("without", took, id, err and err.kind, err and err.outcome, err)
    free()
    for number = 2, 4 do
      took, id, err = timed(send, number)
      print("with", took, id and "sent" or err)
    end
    print("close", (timed(client.close, client, 0.1)))
  ]]

  local MODES = { { "inline", "inline" }, { "start", "start" }, { "inline", "start" } }

  for _, port in ipairs { "http", "https" } do
    for _, modes in ipairs(MODES) do
      local first, later = table.unpack(modes)
      it(("fails at once, and works when there are some again: %s, %s, then %s"):format(port, first, later), function()
        local said = child.run(server, SCRIPT:format(port, first, later), { descriptors = 64 })
        local took, kind, outcome = said:match("without%s+([%d.]+)%s+nil%s+(%S+)%s+(%S+)")
        assert(took and tonumber(took) < 3, said)
        assert(kind == "overloaded" and outcome == "not_sent", said)
        local count = 0
        for seconds, result in said:gmatch("with%s+([%d.]+)%s+([^\n]+)") do
          count = count + 1
          assert(result == "sent" and tonumber(seconds) < 3, said)
        end
        assert(count == 3, said)
        assert(tonumber(said:match("close%s+([%d.]+)")) < 3, said)
        assert(not said:find("killed or failed", 1, true), said)
        local tally = server:last_tally()
        assert.equal(3, tally.requests)
        assert.is_nil(tally.begun["1"])
      end)
    end
  end
end)

describe("clients that are dropped and not closed", function()
  local server = faults.serve()

  for _, mode in ipairs { "inline", "start" } do
    it("use up no descriptors: " .. mode, function()
      local said = child.run(server, ([[
        collectgarbage("stop") -- as good as a heap so large that the collector comes seldom
        local failed
        for number = 1, 200 do
          local client = client_for("http", "ok")
          local id, err
          if %q == "inline" then
            id, err = client:send_template(message(number))
          else
            local call
            call, err = client:start("send_template", message(number))
            if call then id, err = call:wait(20) end
          end
          failed = failed or (not id and ("%%d: %%s"):format(number, tostring(err)))
        end
        print("failed", failed or "none")
      ]]):format(mode), { descriptors = 64 })
      assert(said:find("failed%s+none"), said)
      assert.equal(200, server:last_tally().requests)
    end)
  end

  it("do not hide that there are none", function()
    local said = child.run(server, [[
      local client = client_for("http", "ok", { timeout = 5 })
      client:send_template(message(1))
      client:close()
      client = client_for("http", "ok", { timeout = 5 })
      client:stats()
      local files = {}
      local file = io.open("/dev/null")
      while file do files[#files + 1] = file; file = io.open("/dev/null") end
      for _ = 1, 3 do table.remove(files):close() end -- the engine has its own, a connection none
      local _, err = client:send_template(message(2))
      print("err", err and err.kind, err and err.outcome, err and err.message)
    ]], { descriptors = 64 })
    assert(said:find("err%s+overloaded%s+not_sent%s+no file descriptor is free") or said:find("err%s+nil"), said)
  end)
end)
