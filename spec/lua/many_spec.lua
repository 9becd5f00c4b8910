-- Calls in the background and many messages at once.

local connectly = require "connectly"
local safe = require "connectly.safe"
local faults = require "spec.support.faults"
local process = require "spec.support.process"

local running = os.getenv("CONNECTLY_SPEC_LUA") or "lua5.4"

local function message(key)
  return { number = "+14155550123", template_name = "x", language = "en", callback_data = key }
end

describe("in the background", function()
  local server = faults.serve()

  local function new(behaviour, changes, face)
    local options = {
      api_key = "k", business_id = behaviour or "ok", base_url = server:url("https"), ca_file = server.ca_file,
      timeout = 10, rate = 100000,
    }
    for name, value in pairs(changes or {}) do
      options[name] = value
    end
    return assert((face or safe).new(options))
  end

  it("a call goes on without being waited for", function()
    local client = new()
    local call = client:start("send_template", message("a"))
    while not call:done() do
      -- Nothing of the client is called but this question.
      assert(server:tally().requests <= 1)
    end
    local id, info = call:wait()
    assert.truthy(id)
    assert.equal(200, info.status)
    assert.equal(id, (call:wait()))
    assert.equal("connectly.call (send_template, done)", tostring(call))
  end)

  it("a call that is refused is not started", function()
    local call, err = new():start("send_template", { number = "1" })
    assert.is_nil(call)
    assert.equal("argument", err.kind)
  end)

  it("a wait may end before the call does", function()
    local call = new("slow-500"):start("send_template", message("a"))
    local id, err = call:wait(0.05)
    assert.is_nil(id)
    assert.equal("timeout", err.kind)
    assert.equal("unknown", err.outcome)
    assert.is_false(call:done())
    assert.truthy(call:wait(5))
  end)

  it("a call can be canceled, and says whether it may have arrived", function()
    local client = new("silence-after-request")
    local call = client:start("send_template", message("a"))
    while server:tally().requests == 0 do
      assert.is_false(call:done())
    end
    assert.is_true(call:cancel())
    local _, err = call:wait(5)
    assert.equal("canceled", err.kind)
    assert.equal("unknown", err.outcome)
    assert.is_false(call:cancel())
  end)

  it("a call that waits for the limiter is canceled as not sent", function()
    local client = new("ok", { rate = 0.1 })
    assert.truthy(client:start("send_template", message("a")):wait(5))
    local call = client:start("send_template", message("b"))
    call:cancel()
    local _, err = call:wait(5)
    assert.equal("canceled", err.kind)
    assert.equal("not_sent", err.outcome)
    assert.is_nil(server:tally().accepted.b)
  end)

  it("the raising face raises from wait", function()
    local call = new("400", nil, connectly):start("send_template", message("a"))
    local is_fine, err = pcall(call.wait, call)
    assert.is_false(is_fine)
    assert.equal("rejected", err.kind)
  end)

  it("a request gives its decoded reply", function()
    local call = new():start("request", { method = "POST", path = "/send/messages", body = { a = 1 } })
    assert.equal("string", type(call:wait().id))
  end)

  it("blocking calls go on working beside it", function()
    local client = new("slow-100")
    local call = client:start("send_template", message("a"))
    assert.truthy(client:send_template(message("b")))
    assert.truthy(call:wait(5))
    assert.equal(2, client:stats().succeeded)
  end)

  it("beyond the mailbox there is overloaded, and nothing is sent", function()
    local client = new("slow-300", { max_in_flight = 4 })
    local kept, refused = {}, nil -- kept, so that no letter is given back
    for index = 1, 2000 do
      local call, err = client:start("send_template", message("m" .. index))
      if not call then
        refused = err
        break
      end
      kept[index] = call
    end
    assert.is_true(#kept > 1000)
    assert.equal("overloaded", refused.kind)
    assert.equal("not_sent", refused.outcome)
    assert.is_true(refused.retryable)
    client:close(0)
  end)

  it("close waits for what was started, and its result can still be read", function()
    local client = new("slow-200")
    local call = client:start("send_template", message("a"))
    assert.is_true(client:close())
    assert.truthy(call:wait())
    assert.equal(1, server:tally().accepted.a)
    local _, err = client:start("send_template", message("b"))
    assert.equal("closed", err.kind)
  end)

  it("close without draining says that calls were ended, and they say what is known", function()
    local client = new("silence-after-request")
    local call = client:start("send_template", message("a"))
    while server:tally().requests == 0 do
      assert.is_false(call:done())
    end
    assert.is_false(client:close(0))
    local _, err = call:wait()
    assert.equal("canceled", err.kind)
    assert.equal("unknown", err.outcome)
  end)

  it("calls that are posted keep no place, and go on", function()
    local client = new("slow-20", { max_in_flight = 4 })
    assert(client:start("send_template", message("first")):wait(5))
    collectgarbage("stop")
    for index = 1, 2000 do
      local is_started, problem = client:post("send_template", message("p" .. index))
      while not is_started and problem.kind == "overloaded" do -- those that have not ended fill it
        client:stats()
        is_started, problem = client:post("send_template", message("p" .. index))
      end
      assert(is_started, tostring(problem))
    end
    collectgarbage("restart")
    assert.is_true(client:close())
    local accepted = server:tally().accepted
    for index = 1, 2000 do
      assert(accepted["p" .. index] == 1)
    end
    local is_started, problem = client:post("send_template", { number = "1" })
    assert.is_nil(is_started)
    assert.equal("closed", problem.kind)
  end)

  it("calls that nobody holds make room, even where the collector comes seldom", function()
    local client = new("ok", { max_in_flight = 64 })
    collectgarbage("stop")
    for index = 1, 3000 do
      while client:stats().in_flight >= 64 do
        require("cqueues").sleep(0.001)
      end
      assert(client:start("send_template", message("s" .. index)))
    end
    collectgarbage("restart")
    assert.is_true(client:close())
    assert.equal(3000, server:tally().requests)
  end)

  it("results that nobody wants are given up, and their calls go on", function()
    local client = new()
    for index = 1, 300 do
      client:start("send_template", message("m" .. index))
      if index % 50 == 0 then
        collectgarbage()
      end
    end
    assert.is_true(client:close())
    assert.equal(300, server:tally().requests)
  end)

  it("close waits for those that nobody wants, too", function()
    local client = new("ok", { rate = 20 })
    for index = 1, 8 do
      client:start("send_template", message("m" .. index))
    end
    collectgarbage()
    collectgarbage()
    assert.is_true(client:close())
    assert.equal(8, server:tally().requests)
  end)

  it("a script that ends sends what it started", function()
    local script = ([[
      local client = require("connectly").new{ api_key = "k", business_id = "slow-200", base_url = %q, ca_file = %q }
      for index = 1, 5 do
        client:start("send_template", { number = "+14155550123", template_name = "x", language = "en",
          callback_data = "end " .. index })
      end
    ]]):format(server:url("https"), server.ca_file)
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(script)
    file:close()
    assert.truthy(os.execute(running .. " " .. path))
    os.remove(path)
    local accepted = server:tally().accepted
    for index = 1, 5 do
      assert.equal(1, accepted["end " .. index])
    end
  end)

  -- What the script is at when Ctrl-C comes. `client` is of a server that says nothing.
  local activities = {
    ["a blocking call"] = [[client:send_template(message)]],
    ["a wait for a call"] = [[client:start("send_template", message):wait()]],
    ["send_many"] = [[for _ in client:send_many({ message, message }) do end]],
    ["send_many in the background"] = [[
      client:start("send_template", message)
      for _ in client:send_many({ message, message }) do end
    ]],
    ["the close"] = [[
      client:start("send_template", message)
      client:close()
    ]],
    ["the source of send_many"] = [[
      client:start("send_template", message)
      for _ in client:send_many(function() while true do end end) do end
    ]],
    ["a handler of events"] = [[
      client = new { on_event = function() while true do end end }
      client:start("send_template", message)
    ]],
  }
  if _VERSION == "Lua 5.4" then
    activities["a wait in a scope that closes the client"] = [[
      local closed <close> = client
      client:start("send_template", message):wait()
    ]]
  end

  for activity, code in pairs(activities) do
    it("Ctrl-C ends a script at once: " .. activity, function()
      local path = os.tmpname()
      local file = assert(io.open(path, "w"))
      file:write(([[
        io.stdout:setvbuf("no")
        if jit then jit.off() end -- its compiled loops hear no signal
        local function new(options)
          options.api_key, options.business_id, options.timeout = "k", "silence-after-request", 20
          options.base_url, options.ca_file = %q, %q
          return require("connectly").new(options)
        end
        local client = new {}
        local message = { number = "+14155550123", template_name = "x", language = "en" }
        print("waiting " .. io.open("/proc/self/stat"):read("*l"):match("^%%d+"))
        %s
      ]]):format(server:url("https"), server.ca_file, code))
      file:close()
      local clock = require("cqueues").monotime
      -- A sanitizer's runtime is for this script too.
      local preload = "LD_PRELOAD=" .. (os.getenv("LD_PRELOAD") or "")
      local started = process.start {
        command = { "env", preload, "sh", "-c", running .. " " .. path .. " 2>&1" }, ready = "^waiting (%d+)$",
      }
      if activity ~= "a handler of events" then
        local requests = code:find("{ message, message }", 1, true) and 2 or 0
        requests = requests + (code:find("client:start", 1, true) and 1 or 0)
        while server:tally().requests < math.max(requests, 1) do
          assert(started.pid)
        end
      end
      require("cqueues").sleep(0.1) -- what follows the last request is a step or two
      local from = clock()
      -- To the script itself: `timeout`, which watches over it, would hand it on twice.
      os.execute("kill -INT " .. started.captured)
      local line, said = started:read_line(), ""
      while line do
        said, line = said .. line .. "\n", started:read_line()
      end
      local took = clock() - from
      started:stop()
      os.remove(path)
      assert(said:find("interrupted!", 1, true), said)
      assert(took < 1, ("it took %.3f seconds"):format(took)) -- 0.2 on a quiet machine
    end)
  end
end)

describe("send_many", function()
  local server = faults.serve()

  local function new(behaviour, changes)
    local options = {
      api_key = "k", business_id = behaviour or "ok", base_url = server:url("https"), ca_file = server.ca_file,
      timeout = 10, rate = 100000,
    }
    for name, value in pairs(changes or {}) do
      options[name] = value
    end
    return assert(safe.new(options))
  end

  for _, mode in ipairs { "inline", "courier" } do
    local function client_of(behaviour, changes)
      local client = new(behaviour, changes)
      if mode == "courier" then
        client:start("send_template", message("first")):wait(5)
        server:reset()
      end
      return client
    end

    it("gives one result a message, in order of completion: " .. mode, function()
      local list, seen = {}, {}
      for index = 1, 200 do
        list[index] = message("m" .. index)
      end
      list[77] = { number = "no number" }
      for result in client_of():send_many(list) do
        assert.is_nil(seen[result.index])
        seen[result.index] = result
        assert.equal(list[result.index], result.message)
      end
      for index = 1, 200 do
        if index == 77 then
          assert.equal("argument", seen[index].error.kind)
        else
          assert.equal("string", type(seen[index].id))
          assert.equal(200, seen[index].info.status)
          assert.equal(1, server:tally().accepted["m" .. index])
        end
      end
    end)

    it("keeps to the number in flight: " .. mode, function()
      local client, pulled, ended = client_of("slow-20"), 0, 0
      for _ in client:send_many(function()
        pulled = pulled + 1
        assert(pulled - ended <= 6, "too many in flight")
        return pulled <= 40 and message("m" .. pulled) or nil
      end, { in_flight = 5 }) do
        ended = ended + 1
      end
      assert.equal(40, ended)
    end)

    it("may be asked for more in flight than the client has: " .. mode, function()
      local client, count = client_of("ok", { max_in_flight = 3 }), 0
      local list = {}
      for index = 1, 50 do
        list[index] = message("m" .. index)
      end
      for result in client:send_many(list, { in_flight = 20 }) do
        assert(result.id, tostring(result.error))
        count = count + 1
      end
      assert.equal(50, count)
    end)

    it("hands out what is in flight before it raises the source's error: " .. mode, function()
      local client, pulled, results = client_of("slow-50"), 0, 0
      local is_fine, problem = pcall(function()
        for result in client:send_many(function()
          pulled = pulled + 1
          if pulled > 4 then
            error("source broke", 0)
          end
          return message("m" .. pulled)
        end) do
          assert(result.id)
          results = results + 1
        end
      end)
      assert.is_false(is_fine)
      assert.equal("source broke", problem)
      assert.equal(4, results)
    end)

    it("leaves nothing behind when the loop is left: " .. mode, function()
      local client = client_of("slow-30")
      local results = 0
      for result in client:send_many(function() return message("m") end, { in_flight = 8 }) do
        assert(result.id)
        results = results + 1
        if results == 2 then
          break
        end
      end
      collectgarbage()
      collectgarbage()
      assert.truthy(client:send_template(message("after")))
      assert.is_true(client:close())
      local stats_requests = server:tally().requests
      assert(stats_requests >= 2 and stats_requests <= 18)
    end)
  end

  it("an error of the source is its own, also when another coroutine has pulled meanwhile", function()
    local pulled, ids = 0, {}
    local next_result = new():send_many(function()
      pulled = pulled + 1
      if pulled == 2 then
        coroutine.yield()
        error("source broke", 0)
      end
      return message("m" .. pulled)
    end, { in_flight = 3 })
    local first = coroutine.create(next_result)
    assert.is_true(coroutine.resume(first))
    ids[#ids + 1] = next_result().id
    local _, result = coroutine.resume(first)
    ids[#ids + 1] = result.id
    local is_fine, problem = true, nil
    while is_fine do
      is_fine, problem = pcall(next_result)
      ids[#ids + 1] = is_fine and problem.id or nil
    end
    assert.equal("source broke", problem)
    assert.equal(pulled - 1, #ids)
    assert.is_nil((next_result()))
  end)

  -- A time limit by a hook, at any place; where code is compiled there are no hooks.
  if not rawget(_G, "jit") then
    it("ends when a hook raises, wherever that is", function()
      require "connectly.client.send_many" -- whose loading is no part of this
      local client = new(nil, { timeout = 3 })
      local list = { message("a"), message("b"), message("c") }
      for target = 1, 400, 3 do
        local seen = 0
        local function limit()
          seen = seen + (debug.getinfo(2, "S").short_src:find("many.lua", 1, true) and 1 or 0)
          if seen == target then
            debug.sethook()
            error("time limit", 0)
          end
        end
        local is_fine, problem = pcall(function()
          debug.sethook(limit, "", 1)
          for _ in client:send_many(list, { in_flight = 3 }) do
            debug.sethook(limit, "", 1)
          end
        end)
        debug.sethook()
        assert(is_fine or problem == "time limit", tostring(problem))
      end
      assert.truthy(client:send_template(message("after")))
    end)
  end

  it("goes on in the background when a call is started there in the middle", function()
    local client, seen = new("slow-30"), 0
    local list = {}
    for index = 1, 60 do
      list[index] = message("m" .. index)
    end
    local call
    for result in client:send_many(list, { in_flight = 16 }) do
      seen = seen + 1
      assert(result.id, tostring(result.error))
      call = call or assert(client:start("send_template", message("started")))
    end
    assert.equal(60, seen)
    assert.truthy(call:wait(5))
    assert.equal(61, client:stats().succeeded)
    local accepted = server:tally().accepted
    for index = 1, 60 do
      assert.equal(1, accepted["m" .. index])
    end
  end)

  --- Fills one place of the client until it is called again.
  local function hold_a_place(client)
    local pulled = 0
    local hold = coroutine.wrap(function()
      for result in client:send_many(function()
        pulled = pulled + 1
        if pulled == 2 then
          coroutine.yield()
        end
        return pulled == 1 and message("held") or nil
      end) do
        assert(result.id, tostring(result.error))
      end
    end)
    hold()
    return hold
  end

  it("waits for room without trying, and tells of each message once", function()
    local starts, ends = 0, 0
    local client = new("ok", { max_in_flight = 2, on_event = function(event)
      starts = starts + (event.name == "start" and 1 or 0)
      ends = ends + (event.name == "done" and 1 or 0)
    end })
    local hold, count = hold_a_place(client), 0
    for result in client:send_many({ message("a"), message("b"), message("c") }) do
      assert(result.id, tostring(result.error))
      count = count + 1
    end
    hold()
    assert.equal(3, count)
    assert.equal(4, starts)
    assert.equal(4, ends)
  end)

  it("does not wait for ever for room that nobody makes", function()
    local client, kept = new("ok", { max_in_flight = 4, timeout = 0.5 }), {}
    repeat -- results that nobody reads fill the mailbox
      kept[#kept + 1] = client:start("send_template", message("kept"))
    until #kept >= 1028
    local result = client:send_many({ message("a") })()
    assert.equal("overloaded", result.error.kind)
    assert.equal("not_sent", result.error.outcome)
    assert.is_nil(server:tally().accepted.a)
  end)

  for _, mode in ipairs { "inline", "courier" } do
    it("a close in the middle hides no result: " .. mode, function()
      local ends = {}
      local client = new("slow-50", { on_event = function(event)
        ends[#ends + 1] = event.name == "done" and event or nil
      end })
      if mode == "courier" then
        assert(client:start("send_template", message("first")):wait(5))
      end
      local list, before = {}, #ends
      for index = 1, 10 do
        list[index] = message("m" .. index)
      end
      local ids, closed = 0, 0
      for result in client:send_many(list, { in_flight = 8 }) do
        if result.index == 1 or ids + closed == 0 then
          assert.is_true(client:close(5))
        end
        ids, closed = ids + (result.id and 1 or 0), closed + (result.error and 1 or 0)
        if result.error then
          assert.equal("closed", result.error.kind)
          assert.equal("not_sent", result.error.outcome)
        end
      end
      assert.equal(server:tally().requests - (mode == "courier" and 1 or 0), ids)
      assert.equal(10, ids + closed)
      assert.equal(10, #ends - before)
    end)

    it("what a close without time ends says what is known: " .. mode, function()
      local client = new("ok", { rate = 1 })
      if mode == "courier" then
        assert(client:start("send_template", message("first")):wait(5))
      end
      local list = {}
      for index = 1, 10 do
        list[index] = message("m" .. index)
      end
      local call = mode == "inline" and client:send_many(list) or nil
      if call then
        assert(call().id)
        assert.is_false(client:close(0))
        for _ = 2, 10 do
          local result = call()
          assert.equal("canceled not_sent", result.error.kind .. " " .. result.error.outcome)
        end
        assert.is_nil(call())
      else
        local started = {}
        for index = 1, 10 do
          started[index] = client:start("send_template", list[index])
        end
        assert.is_false(client:close(0))
        for index = 1, 10 do
          local _, err = started[index]:wait()
          assert.equal("canceled not_sent", err.kind .. " " .. err.outcome)
        end
      end
    end)
  end

  it("options that are wrong are named", function()
    local client = new()
    for name, options in pairs {
      ["in_flight: a whole number from 1"] = { in_flight = 0 }, ["in_flight: a whole number"] = { in_flight = -1 },
      ["in_flight: a whole number from"] = { in_flight = 1.5 }, ["in_flight: number expected"] = { in_flight = "x" },
      ["operation: string expected"] = { operation = 5 }, ["inflight: no such option"] = { inflight = 5 },
      ["options: table expected, got number"] = 5,
    } do
      local is_fine, problem = pcall(client.send_many, client, {}, options)
      assert.is_false(is_fine)
      assert(tostring(problem):find(name, 1, true), problem)
    end
  end)

  it("a program that ends by os.exit ends its calls first", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(([[
      local client = require("connectly").new{ api_key = "k", business_id = "slow-20", base_url = %q, ca_file = %q,
        http2 = false, rate = 100000 }
      for index = 1, 50 do
        client:start("send_template", { number = "+14155550123", template_name = "x", language = "en",
          callback_data = "e" .. ... .. " " .. index })
      end
      os.exit(0)
    ]]):format(server:url("https"), server.ca_file))
    file:close()
    for turn = 1, 20 do
      local is_fine = os.execute(("timeout 20 %s %s %d"):format(running, path, turn))
      assert(is_fine == true or is_fine == 0, "it crashed")
    end
    os.remove(path)
    local accepted = server:tally().accepted
    for turn = 1, 20 do
      for index = 1, 50 do
        assert.equal(1, accepted[("e%d %d"):format(turn, index)])
      end
    end
  end)

  it("sends other operations", function()
    for result in new():send_many({ { number = "+14155550123", text = "x" } }, { operation = "send_session" }) do
      assert.truthy(result.id)
    end
  end)

  it("raises at a source that is none", function()
    assert.has_error(function() new():send_many(5) end)
  end)

  it("of nothing gives nothing", function()
    for _ in new():send_many {} do
      error("a result")
    end
  end)

  it("does not grow", function()
    local client, sent = new(), 0
    local function run(count)
      local left = count
      for result in client:send_many(function()
        left = left - 1
        sent = sent + 1
        return left >= 0 and message("m" .. sent) or nil
      end) do
        assert(result.id)
      end
    end
    run(500)
    collectgarbage()
    collectgarbage()
    local before = collectgarbage("count")
    run(2000)
    collectgarbage()
    collectgarbage()
    assert(collectgarbage("count") - before < 64, "kilobytes grown: " .. (collectgarbage("count") - before))
  end)
end)
