-- Shared limiters outside of nginx: what they give out under a clock that we turn,
-- and in plain Lua with a real Redis.

local arrivals = require "spec.support.arrivals"
local errors = require "connectly.errors"
local fake_redis = require "spec.support.fake_redis"
local faults = require "spec.support.faults"
local native = require "connectly.loader"
local redis = require "spec.support.redis"

local RATE = 200
local HORIZON = 0.25

local running = os.getenv("CONNECTLY_SPEC_LUA") or "lua5.4"

local function ignore() end

--- What one question gave: the moments, and when to ask again.
local function ask(limiter, count, tell)
  local moments = {}
  local again = limiter:reserve(count, function(at) moments[#moments + 1] = at end, tell or ignore)
  return moments, again
end

--- Several programs that want much at all times, or at times, asking as they are told
--- to: when what they were given leaves, in order.
local function simulate(time, limiters, seconds, options)
  local departures, due, idle_until = {}, {}, {}
  local till = time.now + seconds
  while time.now < till do
    options.events(time.now)
    for index, limiter in ipairs(limiters) do
      if options.idles and math.random() < 0.0005 then
        idle_until[index] = time.now + 3 * math.random()
      end
      if time.now >= (due[index] or 0) and time.now >= (idle_until[index] or 0) then
        local again = limiter:reserve(64, function(at) departures[#departures + 1] = at end, ignore)
        due[index] = time.now + (again or 0.01)
      end
    end
    time.now = time.now + 0.001
  end
  table.sort(departures)
  return departures
end

describe("a shared limiter", function()
  local time, real_clock, real_driver

  before_each(function()
    time, real_clock = { now = 5000 }, native.clock
    real_driver = package.loaded["connectly.limiter.driver_plain"]
    native.clock = function() return time.now end
  end)

  after_each(function()
    native.clock = real_clock
    package.loaded["connectly.limiter.driver_plain"] = real_driver
    rawset(_G, "ngx", nil)
  end)

  describe("in a dictionary", function()
    local dict

    --- nginx's, as far as it is used.
    local function make_dict()
      local values, expires = {}, {}
      local made = { values = values }
      function made.get(_, key)
        if expires[key] and time.now >= expires[key] then
          values[key] = nil
        end
        return values[key]
      end
      function made.set(self, key, value)
        if self.problem then
          return false, self.problem
        end
        values[key], expires[key] = value, nil
        return true
      end
      function made.add(self, key, value, seconds)
        if self:get(key) ~= nil then
          return false, "exists"
        end
        local is_set, problem = self:set(key, value)
        expires[key] = seconds and time.now + seconds
        return is_set, problem
      end
      function made.delete(_, key)
        values[key] = nil
      end
      return made
    end

    local function new(changes)
      local options = { dict = "limits", rate = RATE }
      for name, value in pairs(changes or {}) do
        options[name] = value
      end
      return require("connectly.limiter").shared_dict(options)
    end

    before_each(function()
      dict = make_dict()
      rawset(_G, "ngx", { shared = { limits = dict }, worker = { pid = function() return 4194304 end } })
    end)

    it("gives evenly, not far ahead, and nothing twice", function()
      local departures = simulate(time, { new(), new(), new(), new() }, 20, { events = ignore, idles = true })
      for index = 2, #departures do
        assert(departures[index] - departures[index - 1] >= 0.99 / (RATE * 0.975))
      end
      assert(arrivals.busiest_second(departures) <= RATE)
      local all = simulate(time, { new(), new(), new(), new() }, 20, { events = ignore })
      assert(arrivals.average(all) >= 190, arrivals.average(all))
      assert(all[#all] <= time.now + HORIZON)
    end)

    it("gives at once what there is, and one alone gets all", function()
      local moments, again = ask(new(), 3)
      assert.equal(time.now, moments[1])
      assert.equal(3, #moments)
      assert.is_nil(again)
    end)

    it("paces a rate below one a second", function()
      local limiter = new { rate = 0.5 }
      assert.equal(1, #ask(limiter, 5))
      local departures = simulate(time, { limiter }, 20, { events = ignore })
      assert(#departures >= 9 and #departures <= 10)
    end)

    it("waits for a lock, and no longer than its holder can live", function()
      local limiter = new()
      dict:add("connectly:limiter:lock", true, 1)
      local moments, again = ask(limiter, 3)
      assert.same({}, moments)
      assert(again <= 0.01)
      limiter:pause(2)
      time.now = time.now + 1.1
      moments = ask(limiter, 3)
      assert.same({}, moments)
      assert.same({}, (ask(new(), 3)), "the pause was lost with the lock")
      time.now = time.now + 1
      assert.equal(3, #ask(limiter, 3))
    end)

    --- Calls an action in the midst of the next reservation, under its lock.
    local function amid(action)
      local get = dict.get
      function dict.get(self, key)
        if key == "connectly:limiter" then
          dict.get = get
          action()
        end
        return get(self, key)
      end
    end

    it("gives nothing when its lock has expired while it was stopped", function()
      local one, other = new(), new()
      local given
      amid(function()
        time.now = time.now + 1.1
        given = ask(other, 3)
      end)
      local moments, again = ask(one, 3)
      assert.equal(3, #given)
      assert.same({}, moments)
      assert(again <= 0.01)
      assert(ask(one, 1)[1] > given[3])
    end)

    it("leaves the lock to another that has taken it since", function()
      local one = new()
      amid(function()
        time.now = time.now + 1.1
        dict:add("connectly:limiter:lock", "another's", 1)
      end)
      assert.same({}, (ask(one, 3)))
      assert.equal("another's", dict.values["connectly:limiter:lock"])
      assert.same({}, (ask(one, 3)))
    end)

    it("pauses all", function()
      local one, other = new(), new()
      ask(one, 3)
      one:pause(1)
      local moments, again = ask(other, 3)
      assert.same({}, moments)
      assert(again > 0.5)
      time.now = time.now + 0.9
      assert(ask(other, 1)[1] >= 5001)
      one:pause(1e9)
      time.now = time.now + 61
      assert.equal(1, #ask(one, 1), "no pause is longer than a minute")
    end)

    it("tells once when the dictionary has no room, and when it has", function()
      local limiter, told = new(), {}
      local function tell(name, reason) told[#told + 1] = name .. " " .. tostring(reason) end
      ask(limiter, 1, tell)
      dict.problem = "no memory"
      for _ = 1, 3 do
        local moments, again = ask(limiter, 1, tell)
        assert.same({}, moments)
        assert(again > 0.01)
      end
      limiter:pause(1)
      assert.same({ "limiter_lost lua_shared_dict: no memory" }, told)
      dict.problem = nil
      time.now = time.now + 1
      assert.equal(1, #ask(limiter, 1, tell))
      assert.equal("limiter_back nil", told[2])
    end)

    it("waits for what may have been given when its number was dropped", function()
      local limiter = new()
      local last
      for _ = 1, 5 do
        local moments = ask(limiter, 64)
        last = moments[#moments] or last
      end
      dict:delete("connectly:limiter")
      local other = ask(new { key = "another" }, 1)[1]
      assert.equal(time.now, other)
      time.now = time.now + 0.05
      local moments = ask(limiter, 1)
      assert(moments[1] == nil or moments[1] > last)
    end)

    it("is not stopped for good by a number that makes no sense", function()
      local limiter = new()
      for _, nonsense in ipairs { 1e300, "text", -5 } do
        dict.values["connectly:limiter"] = nonsense
        ask(limiter, 1)
        time.now = time.now + 61
        assert.equal(1, #ask(limiter, 1))
      end
    end)

    it("raises when it is made wrongly, in both faces", function()
      local function problem_of(options)
        local is_made, problem = pcall(require("connectly.limiter").shared_dict, options)
        assert.is_false(is_made)
        assert.is_true(errors.is_error(problem))
        return problem.kind .. " " .. problem.message
      end
      assert.equal("config dict: no `lua_shared_dict other …;` in nginx's configuration", problem_of { dict = "other" })
      assert.equal("config dict: string expected, got nil", problem_of {})
      assert.equal("config rate: a number above 0 expected", problem_of { dict = "limits", rate = 0 })
      assert.equal("config rate: number expected, got string", problem_of { dict = "limits", rate = "x" })
      assert.equal("config ratio: no such option", problem_of { dict = "limits", ratio = 1 })
      assert.truthy(problem_of("limits"):find("^config limiter: "))
      rawset(_G, "ngx", nil)
      assert.equal("config dict: a shared dictionary is there in nginx alone", problem_of { dict = "limits" })
      assert.is_nil(require("connectly.limiter").other)
    end)
  end)

  describe("on Redis, as a fleet,", function()
    local world

    local function new_fleet(count)
      local limiters = {}
      for index = 1, count do
        limiters[index] = require("connectly.limiter").redis { rate = RATE, fraction = 1 / count, password = "secret word" }
      end
      return limiters
    end

    before_each(function()
      world = fake_redis.new(function() return time.now end)
      package.loaded["connectly.limiter.driver_plain"] = world:driver()
    end)

    local function assert_kept(departures, what)
      local busiest = arrivals.busiest_second(departures)
      assert(busiest <= RATE, ("%s: busiest second %d"):format(what, busiest))
    end

    it("uses the rate and keeps it", function()
      local departures = simulate(time, new_fleet(4), 20, { events = ignore })
      assert_kept(departures, "steady")
      assert(arrivals.average(departures) >= 190)
    end)

    -- Each outage at a moment and for a time that is another in each run.
    local outages = {
      ["killed, and forgets"] = { function() world:kill() end, function() world:restart(true) end, idles = true },
      ["killed, and knows"] = { function() world:kill() end, function() world:restart() end, idles = true },
      ["hung"] = { function() world:freeze() end, function() world:thaw() end },
      ["cut off"] = { function() world.is_down = true end, function() world.is_down = false end },
    }
    for name, outage in pairs(outages) do
      it("never lets more go when Redis is " .. name, function()
        for seed = 1, 12 do
          math.randomseed(seed)
          local began = time.now + 3 + math.random()
          local ended = began + (seed % 3 == 0 and 0.02 or 5 * math.random())
          local has_begun, has_ended
          local departures = simulate(time, new_fleet(5), 18, { idles = outage.idles, events = function(now)
            if not has_begun and now >= began then
              has_begun = true
              outage[1]()
            elseif not has_ended and now >= ended then
              has_ended = true
              outage[2]()
            end
          end })
          assert_kept(departures, ("run %d, %.2f s"):format(seed, ended - began))
          assert(arrivals.busiest_second(arrivals.between(departures, 15, 18)) > 0.95 * RATE * 0.975, "not back in run " .. seed)
        end
      end)
    end

    it("one that is cut off alone does not stop the others when it is back", function()
      local fleet = new_fleet(2)
      simulate(time, fleet, 2, { events = ignore })
      local lonely = new_fleet(1)[1]
      world.is_down = true
      ask(lonely, 1)
      world.is_down = false
      simulate(time, { fleet[1], fleet[2] }, 3, { events = ignore })
      local began = time.now
      local departures = simulate(time, { fleet[1], fleet[2], lonely }, 3, { events = ignore })
      assert(#departures > 500, #departures .. " since " .. began)
    end)

    it("bears a clock that is set", function()
      local limiter = new_fleet(1)[1]
      simulate(time, { limiter }, 2, { events = ignore })
      for _, step in ipairs { -3600, 3600, -0.3 } do
        world.offset = world.offset + step
        assert(#simulate(time, { limiter }, 2, { events = ignore }) >= 340, "after a step of " .. step)
      end
    end)

    it("tells once that Redis is away and once that it is back, without the password", function()
      local limiter, told = new_fleet(1)[1], {}
      local function tell(name, reason) told[#told + 1] = name .. " " .. tostring(reason) end
      world:kill()
      for _ = 1, 5 do
        ask(limiter, 1, tell)
        time.now = time.now + 1.1
      end
      world:restart()
      for _ = 1, 5 do
        ask(limiter, 1, tell)
        time.now = time.now + 1.1
      end
      assert.same({ "limiter_lost connection refused", "limiter_back nil" }, told)
      assert.falsy(tostring(limiter):find("secret", 1, true))
    end)

    it("pauses all, and alone too", function()
      local fleet = new_fleet(2)
      simulate(time, fleet, 1, { events = ignore })
      fleet[1]:pause(2)
      time.now = time.now + 1
      assert.same({}, (ask(fleet[2], 1)))
      time.now = time.now + 1
      assert.equal(1, #ask(fleet[2], 1))
      world:kill()
      ask(fleet[1], 1)
      fleet[1]:pause(5)
      assert.same({}, simulate(time, { fleet[1] }, 4.5, { events = ignore }))
      world:restart(true)
      local departures = simulate(time, { fleet[1] }, 6, { events = ignore })
      assert(#departures > 0)
    end)
  end)
end)

-- What one process of a fleet does: it sends for so long and says what went wrong.
local SCRIPT = [[
local client = require("connectly.safe").new {
  api_key = "k", business_id = "ok", base_url = %q, ca_file = %q, timeout = 30,
  limiter = require("connectly.limiter").redis { port = %d, password = %q, rate = 200, fraction = 0.5 },
}
local clock = require("connectly.loader").clock
local mode, seconds = ...
local function message()
  return { number = "+14155550123", template_name = "x", language = "en" }
end
local till = clock() + seconds
if mode == "closed" then
  for _ = 1, 100 do assert(client:start("send_template", message())) end
  assert(client:close(), "some had to be ended")
elseif mode == "started" then
  local calls = {}
  while clock() < till do
    for index = 1, 40 do calls[index] = assert(client:start("send_template", message())) end
    for _, call in ipairs(calls) do
      local id, problem = call:wait()
      if not id then print(problem) end
    end
  end
else
  for result in client:send_many(function() return clock() < till and message() or nil end) do
    if not result.id then print(result.error) end
  end
end
client:close()
]]

local FORK = [[
local fork = require "spec_fork"
local limiter = require("connectly.limiter").redis { port = %d, password = %q, rate = 200, fraction = 0.5 }
local clock = require("connectly.loader").clock
local function collect(who, seconds)
  local got, till, lost = 0, clock() + seconds, "no"
  while clock() < till do
    limiter:reserve(5, function() got = got + 1 end, function(name, why) lost = name .. " " .. tostring(why) end)
  end
  if got == 0 or lost ~= "no" then print(who, "got", got, "lost", lost) end
end
collect("before", 1)
local child = fork.fork()
collect(child == 0 and "child" or "parent", 2)
if child == 0 then os.exit(0, true) end
fork.wait(child)
]]

describe("a limiter on a real Redis", function()
  local api = faults.serve()
  local database

  after_each(function()
    if database then
      database:stop()
      database = nil
    end
  end)

  --- One that has been there for a while: a new one has a grace.
  local function start_database(options)
    database = redis.start(options)
    database:ask("HSET", "connectly:limiter", "run", database:ask("INFO", "server"):match("run_id:(%x+)"), "next", 0, "last", 0)
    return database
  end

  local function new(changes)
    local options = { port = database.port, password = database.password, rate = RATE }
    for name, value in pairs(changes or {}) do
      options[name] = value
    end
    return require("connectly.limiter").redis(options)
  end

  local function write(text)
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
    return path
  end

  --- Several programs at once: the arrivals. No call may fail.
  local function run(modes, seconds, meanwhile)
    local path = write(SCRIPT:format(api:url("https"), api.ca_file, database.port, database.password))
    local pipes = {}
    for index, mode in ipairs(modes) do
      pipes[index] = assert(io.popen(("%s %s %s %d 2>&1"):format(running, path, mode, seconds)))
    end
    if meanwhile then
      meanwhile()
    end
    for _, pipe in ipairs(pipes) do
      assert.equal("", pipe:read("*a"))
      pipe:close()
    end
    os.remove(path)
    local list = api:arrivals()
    if os.getenv("CONNECTLY_SPEC_SHOW") then
      print(table.concat(modes, " and "), #list, arrivals.busiest_second(list), arrivals.average(list))
    end
    return list
  end

  -- As in rate_spec: a machine that was held up pushes together what left evenly.
  local function measure_three_times(measure, is_good)
    local list
    for _ = 1, 3 do
      api:reset()
      list = measure()
      if is_good(list) then
        return
      end
    end
    error(("busiest second %d, average %.1f"):format(arrivals.busiest_second(list), arrivals.average(list)))
  end

  local function is_kept(list)
    return arrivals.busiest_second(list) <= RATE
  end

  for _, modes in ipairs { { "inline", "inline" }, { "started", "inline" }, { "started" } } do
    it("holds for " .. table.concat(modes, " and "), function()
      start_database()
      measure_three_times(function() return run(modes, 6) end, function(list)
        -- Bursts that are waited for leave gaps; what is kept busy must not.
        return is_kept(list) and (modes[2] == nil or arrivals.average(list) >= 190)
      end)
    end)
  end

  it("never lets more go while Redis is killed and started again, and no call fails", function()
    start_database()
    measure_three_times(function()
      return run({ "inline", "started" }, 12, function()
        os.execute("sleep 3")
        database:kill()
        os.execute("sleep 3")
        database:restart()
      end)
    end, is_kept)
  end)

  it("holds for what was started and is left to close", function()
    start_database()
    assert.equal(100, #run({ "closed" }, 1))
  end)

  it("goes on when Redis forgets its scripts, and its keys", function()
    start_database()
    local limiter = new()
    assert.equal(1, #ask(limiter, 1))
    database:ask("SCRIPT", "FLUSH")
    assert.equal(1, #ask(limiter, 1))
    database:ask("FLUSHALL")
    local moments = ask(limiter, 1)
    assert(moments[1] == nil or moments[1] > native.clock() + 0.2, "it gave what may have been given")
  end)

  it("is another with another key, in another database", function()
    start_database()
    local limiter = new()
    limiter:pause(5)
    assert.same({}, (ask(limiter, 1)))
    database:ask("-n", "3", "HSET", "mine", "next", 0, "last", 0)
    ask(new { key = "mine", database = 3 }, 1)
    assert.truthy(database:ask("-n", "3", "HGET", "mine", "heard"):find("^0"))
    assert(tonumber(database:ask("-n", "3", "PTTL", "mine")) > 60000)
  end)

  it("waits for a Redis that hangs no longer than its timeout", function()
    start_database()
    local limiter = new { timeout = 0.1 }
    ask(limiter, 1)
    database:freeze()
    local asked, reason = native.clock(), nil
    local moments, again = ask(limiter, 1, function(_, why) reason = why end)
    assert(native.clock() - asked < 0.35, native.clock() - asked) -- on the one that was kept, and a new one
    assert.same({}, moments)
    assert.equal("timeout", reason)
    assert(again > 0)
    asked = native.clock()
    ask(limiter, 1)
    limiter:pause(1)
    assert(native.clock() - asked < 0.05, "it asks a Redis that is away more than once a second")
    database:thaw()
  end)

  it("says what is wrong, and never the password", function()
    start_database()
    local told
    local function tell(name, reason) told = name .. " " .. tostring(reason) end
    ask(new { password = "wrong secret" }, 1, tell)
    assert.truthy(told:find("^limiter_lost WRONGPASS"), told)
    assert.falsy(told:find("secret", 1, true))
    local options = { port = database.port, rate = RATE }
    ask(require("connectly.limiter").redis(options), 1, tell)
    assert.truthy(told:find("^limiter_lost NOAUTH"), told)
    ask(new { port = 1 }, 1, tell)
    assert.truthy(told:find("^limiter_lost could not connect"), told)
    assert.equal(("connectly.limiter.redis (127.0.0.1:%d)"):format(database.port), tostring(new()))
  end)

  it("is not confused by a fork", function()
    start_database()
    local path = write(FORK:format(database.port, database.password))
    local pipe = io.popen(("%s %s 2>&1"):format(running, path))
    assert.equal("", pipe:read("*a"))
    pipe:close()
    os.remove(path)
  end)

  it("raises when it is made wrongly", function()
    for name, value in pairs {
      host = "", port = 70000, rate = -1, fraction = 1.5, timeout = 60, database = 0.5, key = 1, unknown = 1, password = "",
    } do
      local is_made, problem = pcall(require("connectly.limiter").redis, { [name] = value })
      assert.is_false(is_made, name)
      assert.equal(name, problem.param)
    end
  end)
end)
