-- What each event loop must do with a client's calls: one contract for all.

local connectly = require "connectly"
local safe = require "connectly.safe"
local faults = require "spec.support.faults"
local loops = require "spec.support.loops"
local clock = require("connectly.loader").clock

local MODULES = { blocking = "connectly", copas = "copas", cqueues = "cqueues", luv = "luv" }

local function message(key)
  return { number = "+14155550123", template_name = "x", language = "en", callback_data = key }
end

local function messages(count)
  local list = {}
  for index = 1, count do
    list[index] = message("m" .. index)
  end
  return list
end

--- What a program can decide by.
local function facts(err)
  return {
    kind = err.kind, outcome = err.outcome, message = err.message, status = err.status, code = err.code, hint = err.hint,
    retryable = err.retryable, attempts = err.attempts, text = tostring(err),
  }
end

local function contract(name)
  local server, loop

  setup(function()
    server = faults.start()
    loop = loops[name]()
  end)
  teardown(function() server:stop() end)
  before_each(function() server:reset() end)

  local function make(behaviour, changes, face)
    local options = {
      api_key = "k", business_id = behaviour or "ok", base_url = server:url("https"), ca_file = server.ca_file,
      timeout = 10, rate = 100000,
    }
    for option, value in pairs(changes or {}) do
      options[option] = value
    end
    return assert((face or safe).new(options))
  end

  local function new(...)
    return loop.attach(make(...))
  end

  --- In a body: until the server has so many requests whole.
  local function await_requests(count)
    while server:tally().requests < count do
      loop.sleep(0.01)
    end
  end

  --- A timer of the loop's own that ticks each 10 ms until it is stopped.
  local function start_ticking()
    local ticking = { count = 0 }
    loop.spawn(function()
      while not ticking.is_stopped do
        loop.sleep(0.01)
        ticking.count = ticking.count + 1
      end
    end)
    return ticking
  end

  it("sends one", function()
    loop.run(function()
      local id, info = new():send_template(message("a"))
      assert.equal("string", type(id))
      assert.equal(200, info.status)
    end)
    assert.equal(1, server:tally().accepted.a)
  end)

  it("has the errors of the blocking client", function()
    local _, expected = make("400"):send_template(message("a"))
    loop.run(function()
      local id, err = new("400"):send_template(message("a"))
      assert.is_nil(id)
      assert.is_true(connectly.is_error(err))
      assert.same(facts(expected), facts(err))
      local is_fine, raised = pcall(function() new("400", nil, connectly):send_template(message("a")) end)
      assert.is_false(is_fine)
      assert.same(facts(expected), facts(raised))
    end)
  end)

  it("refuses a wrong message at once", function()
    loop.run(function()
      local _, err = new():send_template { number = "1" }
      assert.equal("argument", err.kind)
    end)
  end)

  it("ends a wait in time, and the call can be waited for again", function()
    loop.run(function()
      local call = new("slow-500"):start("send_template", message("a"))
      local from = clock()
      local _, err = call:wait(0.1)
      assert.equal("timeout", err.kind)
      assert(clock() - from >= 0.1)
      assert.is_false(call:done())
      assert.truthy(call:wait())
    end)
  end)

  it("ends a call when the client's time is up", function()
    loop.run(function()
      local _, err = new("silence-after-request", { timeout = 0.3 }):send_template(message("a"))
      assert.equal("timeout", err.kind)
      assert.equal("unknown", err.outcome)
    end)
  end)

  it("tells its events", function()
    local names = {}
    loop.run(function()
      local client = new("ok", { on_event = function(event) names[#names + 1] = event.name end })
      assert(client:send_template(message("a")))
    end)
    assert.same({ "start", "attempt", "done" }, names)
  end)

  it("sends many, each once", function()
    local seen = {}
    loop.run(function()
      for result in new("slow-20"):send_many(messages(60), { in_flight = 16 }) do
        assert(result.id, tostring(result.error))
        assert.is_nil(seen[result.index])
        seen[result.index] = true
      end
    end)
    local accepted = server:tally().accepted
    for index = 1, 60 do
      assert.is_true(seen[index])
      assert.equal(1, accepted["m" .. index])
    end
  end)

  it("may leave a loop over many", function()
    loop.run(function()
      local client, results = new("slow-50"), 0
      for result in client:send_many(function() return message("m") end, { in_flight = 8 }) do
        assert(result.id, tostring(result.error))
        results = results + 1
        if results == 3 then
          break
        end
      end
      collectgarbage()
      collectgarbage()
      assert(client:send_template(message("after")))
      assert.is_true(client:close())
    end)
    local tally = server:tally()
    assert.equal(1, tally.accepted.after)
    assert(tally.requests <= 3 + 8 + 1)
  end)

  it("sends what was started though nobody waits, at close", function()
    local client = new("slow-100")
    loop.run(function()
      for index = 1, 5 do
        assert(client:start("send_template", message("m" .. index)))
      end
    end)
    assert.is_true(client:close())
    for index = 1, 5 do
      assert.equal(1, server:tally().accepted["m" .. index])
    end
  end)

  it("sends it, when the client is collected", function()
    loop.run(function()
      assert(new("slow-100"):start("send_template", message("a")))
    end)
    for _ = 1, 5 do -- what was under way in the loop goes in several rounds
      collectgarbage()
    end
    local deadline = clock() + 10
    while server:tally().requests == 0 do -- its thread goes on by itself
      assert(clock() < deadline, "it was not sent")
    end
    assert.equal(1, server:tally().accepted.a)
  end)

  it("blocks where no loop runs, before it and after it", function()
    local client = new()
    assert.truthy(client:send_template(message("before")))
    loop.run(function() assert(client:send_template(message("in"))) end)
    assert.truthy(client:send_template(message("after")))
    assert.is_true(client:close())
    assert.equal(3, server:tally().requests)
  end)

  --- Lets a few go at a time; counts them.
  local function new_limiter()
    local limiter = { given = 0 }
    function limiter.pause() end
    function limiter.reserve(_, wanted, give)
      for _ = 1, math.min(wanted, 4) do
        give(clock())
        limiter.given = limiter.given + 1
      end
      return wanted > 4 and 0.02 or nil
    end
    return limiter
  end

  it("looks after a shared limiter while somebody waits, and while nobody does", function()
    local limiter = new_limiter()
    local client = new("ok", { limiter = limiter })
    loop.run(function()
      for result in client:send_many(messages(20)) do
        assert(result.id, tostring(result.error))
      end
      for index = 1, 10 do
        assert(client:start("send_template", message("s" .. index)))
      end
    end)
    assert.is_true(client:close())
    assert.equal(30, server:tally().requests)
    assert(limiter.given >= 30)
  end)

  if name == "blocking" then
    return
  end

  it("looks after it while it closes", function()
    local client = new("ok", { limiter = new_limiter() })
    loop.run(function()
      for index = 1, 10 do
        assert(client:start("send_template", message("s" .. index)))
      end
      assert.is_true(client:close())
    end)
    assert.equal(10, server:tally().requests)
  end)

  it("sends fifty at once", function()
    local client, ids, bodies = new("slow-200"), {}, {}
    for index = 1, 50 do
      bodies[index] = function() ids[index] = assert(client:send_template(message("m" .. index))) end
    end
    local from = clock()
    loop.run((table.unpack or unpack)(bodies)) -- luacheck: ignore 113 143
    assert(clock() - from < 5, "one after the other it is ten seconds")
    assert.equal(50, #ids)
    local accepted = server:tally().accepted
    for index = 1, 50 do
      assert.equal(1, accepted["m" .. index])
    end
  end)

  it("lets the loop's timers tick meanwhile", function()
    local ticks
    loop.run(function()
      local client = new("slow-500")
      assert(client:send_template(message("warm")))
      local ticking = start_ticking()
      assert(client:send_template(message("a")))
      ticks, ticking.is_stopped = ticking.count, true
    end)
    assert(ticks >= 20, ticks .. " ticks")
  end)

  it("lets them tick while many are sent, and while it closes", function()
    local sending, closing
    loop.run(function()
      local client, ticking = new("slow-100"), start_ticking()
      for result in client:send_many(messages(20), { in_flight = 5 }) do
        assert(result.id, tostring(result.error))
      end
      sending = ticking.count
      assert(client:start("send_template", message("last")))
      assert.is_true(client:close())
      closing, ticking.is_stopped = ticking.count - sending, true
    end)
    assert(sending >= 15, sending .. " ticks")
    assert(closing >= 3, closing .. " ticks")
    assert.equal(1, server:tally().accepted.last)
  end)

  it("ends by itself soon after the last call", function()
    local ended
    loop.run(function()
      local client = new("slow-100")
      assert(client:send_template(message("a")))
      assert(client:send_template(message("b")))
      ended = clock()
    end)
    assert(clock() - ended < 0.8, "something lingers")
  end)

  it("ends by itself soon after the last of many", function()
    local ended
    loop.run(function()
      local client = new("slow-50")
      for result in client:send_many(messages(40), { in_flight = 10 }) do
        assert(result.id, tostring(result.error))
      end
      ended = clock()
    end)
    assert(clock() - ended < 0.8, "something lingers")
  end)

  it("goes on in a second run of the loop", function()
    local client, call = new("slow-200"), nil
    loop.run(function() call = client:start("send_template", message("a")) end)
    loop.run(function() assert(call:wait()) end)
    loop.run(function() assert(client:send_template(message("b"))) end)
    assert.equal(2, server:tally().requests)
  end)

  it("wakes all who wait for one call", function()
    local ids = {}
    loop.run(function()
      local call = new("slow-200"):start("send_template", message("a"))
      for waiter = 1, 3 do
        loop.spawn(function() ids[waiter] = assert(call:wait()) end)
      end
    end)
    assert.equal("string", type(ids[1]))
    assert.same({ ids[1], ids[1], ids[1] }, ids)
    assert.equal(1, server:tally().requests)
  end)

  it("wakes who waits for a call that is canceled", function()
    loop.run(function()
      local client, err = new("silence-after-request"), nil
      local call = client:start("send_template", message("a"))
      loop.spawn(function() err = select(2, call:wait()) end)
      await_requests(1)
      assert.is_true(call:cancel())
      assert.equal("canceled", select(2, call:wait()).kind)
      loop.sleep(0.1)
      assert.equal("canceled", err.kind)
      assert.equal("unknown", err.outcome)
    end)
  end)

  it("drains at close what others wait for", function()
    local id, closed
    loop.run(function()
      local client = new("slow-300")
      loop.spawn(function() id = assert(client:send_template(message("a"))) end)
      await_requests(1)
      closed = client:close()
      assert.equal("closed", select(2, client:send_template(message("b"))).kind)
    end)
    assert.equal("string", type(id))
    assert.is_true(closed)
  end)

  it("takes no more calls while it closes", function()
    local err
    loop.run(function()
      local client = new("slow-500")
      assert(client:start("send_template", message("a")))
      loop.spawn(function()
        loop.sleep(0.1)
        err = select(2, client:send_template(message("b")))
      end)
      assert.is_true(client:close())
    end)
    assert.is_true(connectly.is_error(err))
    assert.equal("closed", err.kind)
    assert.equal("not_sent", err.outcome)
    assert.is_nil(server:tally().accepted.b)
  end)

  if _VERSION == "Lua 5.4" then
    it("closes with its scope, and gives way meanwhile", function()
      local ticking
      loop.run(function()
        local client = new("slow-200")
        ticking = start_ticking()
        assert(client:start("send_template", message("a")))
        load("local client <close> = ...")(client)
        ticking.is_stopped = true
      end)
      assert(ticking.count >= 5, ticking.count .. " ticks")
      assert.equal(1, server:tally().accepted.a)
    end)
  end

  it("ends at once at close(0), and all who wait are told", function()
    local problems = {}
    loop.run(function()
      local client = new("silence-after-request")
      for index = 1, 5 do
        loop.spawn(function() problems[index] = select(2, client:send_template(message("m" .. index))) end)
      end
      await_requests(5)
      local from = clock()
      assert.is_false(client:close(0))
      while #problems < 5 do
        loop.sleep(0.01)
      end
      assert(clock() - from < 2)
    end)
    for index = 1, 5 do
      assert.is_true(connectly.is_error(problems[index]))
      assert.equal("canceled", problems[index].kind)
      assert.equal("unknown", problems[index].outcome)
    end
  end)

  it("tells who sends many that the client was closed", function()
    local kinds = {}
    loop.run(function()
      local client = new("silence-after-request")
      loop.spawn(function()
        for result in client:send_many(messages(4)) do
          kinds[#kinds + 1] = result.error.kind
        end
      end)
      await_requests(4)
      client:close(0)
    end)
    assert.same({ "canceled", "canceled", "canceled", "canceled" }, kinds)
  end)

  it("lets an error of one coroutine harm no other", function()
    local id
    loop.run(function()
      local client, before = new("slow-100"), loop.complaints
      loop.raise(function()
        assert(client:send_template(message("a")))
        error("a handler's own fault")
      end)
      assert(client:send_template(message("b")))
      loop.sleep(0.05)
      id = assert(client:send_template(message("c")))
      assert.equal(before + 1, loop.complaints)
    end)
    assert.equal("string", type(id))
    assert.equal(3, server:tally().requests)
  end)

  it("ends though nobody waits for a call any more", function()
    loop.run(function()
      local client = new("slow-300")
      local call = client:start("send_template", message("a"))
      assert.equal("timeout", select(2, call:wait(0.02)).kind)
      call = nil -- luacheck: ignore 311
      collectgarbage()
      collectgarbage()
      assert(client:send_template(message("b")))
    end)
    assert.equal(2, server:tally().requests)
  end)

end

for _, name in ipairs { "blocking", "luv", "cqueues", "copas" } do
  local is_there = pcall(require, MODULES[name])
  describe("the contract: " .. name, function()
    if not is_there then
      return it("is kept", function() pending(MODULES[name] .. " is not installed for this Lua") end)
    end
    contract(name)
  end)
end

describe("connectly.loop", function()
  it("loads a loop when it is asked for", function()
    for _, name in ipairs { "luv", "cqueues", "copas" } do
      if pcall(require, name) then
        assert.equal(require("connectly.loop." .. name), require("connectly.loop")[name])
      end
    end
    assert.is_nil(require("connectly.loop").unknown)
  end)

  it("attaches clients only", function()
    local is_fine, problem = pcall(require("connectly.loop").cqueues.attach, {})
    assert.is_false(is_fine)
    assert.truthy(tostring(problem):find("client expected, got table", 1, true))
  end)

  it("says in luv's main thread what to do instead", function()
    local is_there, uv = pcall(require, "luv")
    if not is_there then
      return pending("luv is not installed for this Lua")
    end
    local client = require("connectly.loop").luv.attach(connectly.new { api_key = "k", business_id = "b" })
    local problem
    local timer = uv.new_timer()
    timer:start(0, 0, function()
      problem = select(2, pcall(client.send_template, client, message("a")))
      timer:close()
    end)
    uv.run()
    assert.equal("connectly: send_template: in luv's main thread nothing can wait: call it in a coroutine, "
      .. "coroutine.wrap(function() ... end)()", problem)
  end)
end)
