-- Limits that several workers, and several nginx, share: counted where the requests
-- arrive. The promise is about seconds, so this takes some.

local arrivals = require "spec.support.arrivals"
local cqueues = require "cqueues"
local faults = require "spec.support.faults"
local nginx = require "spec.support.nginx"
local redis = require "spec.support.redis"

-- Requests to one nginx that send at the same time, each from several light threads.
local SENDERS = 6
local RATE = 200

local function ignore() end

-- The events and what the calls said are told at the end.
local MAIN = [[
  init_by_lua_block {
    events, calls = {}, 0
    local limiter = %s
    client = require("connectly").new {
      api_key = "k", business_id = "ok", base_url = "%s", ca_file = "%s", timeout = 30, limiter = limiter,
      on_event = function(event)
        if event.name:find("^limiter") then
          events[#events + 1] = event.name .. ": " .. (event.reason or "")
        end
      end,
    }
    local function send_until(time, problems)
      while ngx.now() < time do
        local is_sent, problem = pcall(client.send_template, client, {
          number = "+14155550123", template_name = "x", language = "en",
        })
        if not is_sent then problems[#problems + 1] = tostring(problem) end
        calls = calls + 1
        ngx.update_time()
      end
    end
    function send(seconds)
      local threads, problems = {}, {}
      for index = 1, 8 do threads[index] = ngx.thread.spawn(send_until, ngx.now() + seconds, problems) end
      for _, thread in ipairs(threads) do assert(ngx.thread.wait(thread)) end
      ngx.print(table.concat(problems, "\n"))
    end
  }
]]

local SERVER = [[
  location /send { content_by_lua_block { send(tonumber(ngx.var.args)) } }
  location /many { content_by_lua_block {
    local messages = {}
    for index = 1, tonumber(ngx.var.args) do
      messages[index] = { number = "+14155550123", template_name = "x", language = "en" }
    end
    for result in client:send_many(messages) do
      if not result.id then ngx.say(tostring(result.error)) end
    end
  } }
  location /log { return 204; log_by_lua_block {
    client:start("send_template", { number = "+14155550123", template_name = "x", language = "en" })
  } }
  location /events { content_by_lua_block { ngx.print(ngx.worker.pid(), " ", calls, "\n", table.concat(events, "\n")) } }
]]

describe("a limiter in nginx", function()
  local api, database, servers

  setup(function() api = faults.start() end)
  teardown(function() api:stop() end)

  before_each(function()
    servers = {}
    api:reset()
  end)

  after_each(function()
    for _, server in ipairs(servers) do
      server:stop()
    end
    if database then
      database:stop()
      database = nil
    end
  end)

  local function start(limiter, options)
    options = options or {}
    servers[#servers + 1] = nginx.start {
      workers = options.workers or 2, http = MAIN:format(limiter, api:url("https"), api.ca_file) .. (options.http or ""),
      server = SERVER,
    }
  end

  local function on_redis(changes)
    return ([[require("connectly.limiter").redis {
      port = %d, password = "%s", rate = %d, %s
    }]]):format(database.port, database.password, RATE, changes or "fraction = 0.25")
  end

  local function get(server, path, seconds)
    local status, body = server:request { path = path, timeout = seconds + 40 }
    assert(status == 200 or status == 204, ("%s: %s %s\n%s"):format(path, status, body, server:log()))
    return body
  end

  --- All nginx send for so long, or what a path says once; `meanwhile` runs beside
  --- that. No call may fail. Requests are short, so that all workers get some.
  local function send(seconds, meanwhile, path)
    local controller, problems = cqueues.new(), {}
    local till = cqueues.monotime() + seconds
    local function keep_sending(server)
      repeat
        problems[#problems + 1] = get(server, path or "/send?1", 1)
      until path or cqueues.monotime() > till
    end
    for _, server in ipairs(servers) do
      for _ = 1, SENDERS do
        controller:wrap(keep_sending, server)
      end
    end
    controller:wrap(meanwhile or ignore)
    assert(controller:loop())
    assert.equal("", table.concat(problems))
  end

  --- What all workers told of the limiter, and how many calls they made, as far as
  --- they answer.
  local function events()
    local by_worker, calls = {}, {}
    for _, server in ipairs(servers) do
      for _ = 1, 30 do
        local worker, called, told = get(server, "/events", 1):match("^(%d+) (%d+)\n(.*)$")
        by_worker[worker], calls[worker] = told, tonumber(called)
      end
    end
    return by_worker, calls
  end

  local function report(what)
    local list = api:arrivals()
    local busiest, average = arrivals.busiest_second(list), arrivals.average(list)
    if os.getenv("CONNECTLY_SPEC_SHOW") then
      print(("%s: %d, busiest second %d, average %.1f"):format(what, #list, busiest, average))
    end
    return busiest, average, list
  end

  --- That no second held too many, in one of three times.
  local function assert_never_more(what, measure)
    local busiest, list
    for _ = 1, 3 do
      api:reset()
      measure()
      busiest, _, list = report(what)
      if busiest <= RATE then
        return list
      end
    end
    error(("%s: busiest second: %d"):format(what, busiest))
  end

  -- What leaves evenly is pushed together when the machine holds the server up for a
  -- moment: then it is measured again. A limiter that is wrong is wrong each time.
  local function assert_kept(what, measure)
    local busiest, average
    for _ = 1, 3 do
      api:reset()
      measure()
      busiest, average = report(what)
      if busiest <= RATE and average >= 0.95 * RATE then
        return
      end
    end
    assert(busiest <= RATE, "busiest second: " .. busiest)
    assert(average >= 0.95 * RATE, "average: " .. average)
  end

  it("is shared by the workers of one: shared_dict", function()
    start('require("connectly.limiter").shared_dict { dict = "limits", rate = 200 }', { http = "lua_shared_dict limits 64k;" })
    assert_kept("shared_dict", function() send(8) end)
    assert_kept("shared_dict, send_many", function() send(8, nil, "/many?250") end)
  end)

  it("is shared by two of two workers: redis", function()
    database = redis.start()
    start(on_redis())
    start(on_redis())
    assert_kept("redis", function() send(8) end)
    local count = 0
    for worker, calls in pairs(select(2, events())) do
      assert(calls > 0, worker .. " has sent nothing")
      count = count + 1
    end
    assert.equal(4, count)
  end)

  it("never lets more go while Redis is killed and started again, and no call fails", function()
    database = redis.start()
    start(on_redis())
    start(on_redis())
    local list = assert_never_more("redis killed", function()
      send(15, function()
        cqueues.sleep(5)
        database:kill()
        cqueues.sleep(4)
        database:restart()
      end)
    end)
    local told = 0
    for worker, text in pairs(events()) do
      assert.truthy(text:match("^limiter_lost: [^\n]+\nlimiter_back: "), worker .. ": " .. text)
      assert.falsy(text:find(database.password, 1, true))
      told = told + 1
    end
    assert.equal(4, told)
    -- While Redis is away a part goes on, and in the end all of it.
    assert(#arrivals.between(list, 4, 7) > 100, "alone: " .. #arrivals.between(list, 4, 7))
    assert(arrivals.busiest_second(arrivals.between(list, 11, 20)) > 180)
  end)

  it("never lets more go when Redis is back before anybody notices", function()
    database = redis.start { keeps = true }
    start(on_redis())
    start(on_redis())
    assert_never_more("redis restarted", function()
      send(8, function()
        for _ = 1, 2 do
          cqueues.sleep(3.5)
          database:kill()
          database:restart()
        end
      end)
    end)
  end)

  it("never lets more go while Redis hangs", function()
    database = redis.start()
    start(on_redis())
    start(on_redis())
    assert_never_more("redis hung", function()
      send(12, function()
        cqueues.sleep(4)
        database:freeze()
        cqueues.sleep(3)
        database:thaw()
      end)
    end)
  end)

  --- All stop for the second that the API says, within the quarter of one.
  local function assert_paused(what)
    api:reset()
    send(3, function()
      cqueues.sleep(1.5)
      api:arm("429-seconds", 1)
    end)
    local _, _, list = report(what)
    local gap = arrivals.longest_gap(list)
    assert(gap >= 0.7, ("%s: the longest pause was %.2f"):format(what, gap))
    assert(arrivals.busiest_second(list) <= RATE)
  end

  it("stops for all after a 429: shared_dict", function()
    start('require("connectly.limiter").shared_dict { dict = "limits", rate = 200 }', { http = "lua_shared_dict limits 64k;" })
    assert_paused("shared_dict, 429")
  end)

  it("stops for all after a 429: redis", function()
    database = redis.start()
    start(on_redis())
    start(on_redis())
    send(1, nil, "/many?1") -- past the grace of a Redis that has just begun
    assert_paused("redis, 429")
  end)

  it("counts retries too", function()
    start('require("connectly.limiter").shared_dict { dict = "limits", rate = 20 }', { http = "lua_shared_dict limits 64k;" })
    api:arm("429-zero", 2)
    send(1, nil, "/many?5")
    assert(arrivals.busiest_second(api:arrivals()) <= 20)
  end)

  it("lets go what was started where nothing can wait", function()
    start('require("connectly.limiter").shared_dict { dict = "limits", rate = 200 }', { http = "lua_shared_dict limits 64k;" })
    for _ = 1, 50 do
      get(servers[1], "/log", 1)
    end
    local deadline = cqueues.monotime() + 10
    while api:tally().requests < 50 and cqueues.monotime() < deadline do
      cqueues.sleep(0.05)
    end
    assert.equal(50, api:tally().requests)
  end)

  it("goes on at a part of the rate when nobody may ask Redis: wrong password", function()
    database = redis.start()
    start(on_redis('username = "default", fraction = 0.1,'):gsub("correct horse", "wrong secret"), { workers = 1 })
    send(3, nil, "/many?10")
    local _, text = next((events()))
    assert.truthy(text:find("^limiter_lost: WRONGPASS"), text)
    assert.falsy(text:find("wrong secret", 1, true))
    assert(report("alone") <= 20)
  end)
end)
