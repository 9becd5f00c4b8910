-- In a real nginx: calls give way to its loop, phases that may not wait say so, and
-- nothing is lost or doubled by a reload, an end, or requests that go away.

local cqueues = require "cqueues"
local faults = require "spec.support.faults"
local nginx = require "spec.support.nginx"
local process = require "spec.support.process"

-- Enough for a machine that is busy with other things.
local PATIENCE = 20

local MAKE_CLIENT = [[
  init_by_lua_block {
    function new(behaviour, changes)
      local options = {
        api_key = "k", business_id = behaviour, base_url = "%s", ca_file = "%s", timeout = 15, rate = 10000,
      }
      for name, value in pairs(changes or {}) do options[name] = value end
      return require("connectly").new(options)
    end
    function message(key)
      return { number = "+14155550123", template_name = "x", language = "en", callback_data = key }
    end
    ok, slow = new "ok", new "slow-500"
  }
]]

describe("in nginx", function()
  local api, server

  setup(function() api = faults.start() end)
  teardown(function() api:stop() end)
  before_each(function() api:reset() end)
  after_each(function()
    if server then
      server:stop()
      server = nil
    end
  end)

  --- nginx with locations, each the code of its content.
  local function start(locations, options)
    options = options or {}
    local lines = { options.server }
    for path, code in pairs(locations) do
      lines[#lines + 1] = ("location %s { content_by_lua_block { %s } }"):format(path, code)
    end
    server = nginx.start {
      workers = options.workers, main = options.main, server = table.concat(lines, "\n"),
      http = MAKE_CLIENT:format(api:url("https"), api.ca_file) .. (options.http or ""),
    }
    return server
  end

  local function get(path)
    local status, body = server:request { path = path, timeout = PATIENCE }
    assert(status == 200, ("%s: %s %s\n%s"):format(path, status, body, server:log()))
    return body
  end

  --- All at once; what each gave.
  local function get_all(paths)
    local controller, bodies = cqueues.new(), {}
    for index, path in ipairs(paths) do
      controller:wrap(function() bodies[index] = get(path) end)
    end
    assert(controller:loop())
    return bodies
  end

  local function repeated(path, count)
    local paths = {}
    for index = 1, count do
      paths[index] = path .. "?" .. index
    end
    return paths
  end

  --- That each of the keys a1, a2, ... arrived exactly once.
  local function assert_once(prefix, count)
    local accepted = api:tally().accepted
    for index = 1, count do
      assert(accepted[prefix .. index] == 1, ("%s%d arrived %s times"):format(prefix, index, accepted[prefix .. index] or 0))
    end
  end

  local function wait_until(question, what)
    local deadline = cqueues.monotime() + PATIENCE
    while not question() do
      assert(cqueues.monotime() < deadline, what)
      cqueues.sleep(0.02)
    end
  end

  local SEND = [[ ngx.print((ok:send_template(message(ngx.var.args)))) ]]

  it("the module has the libcurl that it has here", function()
    start { ["/version"] = [[ ngx.print(require("connectly.native").versions().libcurl) ]] }
    assert.equal(require("connectly.native").versions().libcurl, get("/version"))
  end)

  it("one client, made before the workers are, sends in each of them", function()
    start({ ["/send"] = SEND .. " ngx.print(' ', ngx.worker.pid())" }, { workers = 2 })
    local workers = {}
    for _, body in ipairs(get_all(repeated("/send", 60))) do
      workers[assert(body:match("^%w+ (%d+)$"))] = true
    end
    assert_once("", 60)
    assert.truthy(next(workers))
  end)

  it("a call that waits lets the worker serve others", function()
    start {
      ["/send"] = [[ ngx.print((slow:send_template(message("s")))) ]], ["/pong"] = [[ ngx.print("pong") ]],
    }
    local controller, pongs, is_sent = cqueues.new(), 0, false
    controller:wrap(function()
      get("/send")
      is_sent = true
    end)
    controller:wrap(function()
      while not is_sent do
        assert.equal("pong", get("/pong"))
        pongs = pongs + (is_sent and 0 or 1)
      end
    end)
    assert(controller:loop())
    assert(pongs >= 10, "pongs meanwhile: " .. pongs)
  end)

  it("every phase that may yield does, and the others say what to do", function()
    local yields = { rewrite = "rewrite_by_lua_block", access = "access_by_lua_block", content = "content_by_lua_block" }
    local refuses = {
      header_filter = "header_filter_by_lua_block", body_filter = "body_filter_by_lua_block", log = "log_by_lua_block",
    }
    local lines = {}
    for name, directive in pairs(yields) do
      lines[#lines + 1] = ([[location /%s { %s { ok:send_template(message("%s")) } %s }]]):format(
        name, directive, name, name == "content" and "" or 'content_by_lua_block { ngx.print("x") }')
    end
    for name, directive in pairs(refuses) do
      lines[#lines + 1] = ([[location /%s { content_by_lua_block { ngx.print("x") } %s { refused("%s") } }]]):format(
        name, directive, name)
    end
    lines[#lines + 1] = [[location /set { set_by_lua_block $x { refused("set") return "x" } return 204; } ]]
    start({ ["/timer"] = [[
      local semaphore = require("ngx.semaphore").new()
      ngx.timer.at(0, function() ok:send_template(message("timer")) semaphore:post() end)
      semaphore:wait(5)
    ]], ["/seen"] = [[ ngx.print(table.concat(seen, ",")) ]] }, { server = table.concat(lines, "\n"), http = [[
      init_worker_by_lua_block {
        seen = {}
        function refused(phase)
          local is_fine, problem = pcall(ok.send_template, ok, message(phase .. " waited"))
          local call = ok:start("send_template", message(phase))
          local may_wait, why = pcall(call.wait, call)
          if not is_fine and tostring(problem):find("client:start", 1, true) and not may_wait
            and tostring(why):find("nginx's " .. phase .. " phase", 1, true) then
            seen[#seen + 1] = phase
          else
            ngx.log(ngx.ERR, phase, " ", tostring(problem), " ", tostring(why))
          end
        end
        refused "init_worker"
      }
    ]] })
    for name in pairs(yields) do
      server:request { path = "/" .. name }
    end
    for name in pairs(refuses) do
      server:request { path = "/" .. name }
    end
    server:request { path = "/set" }
    get "/timer"
    for _, name in ipairs { "rewrite", "access", "content", "timer", "header_filter", "log", "set", "init_worker" } do
      wait_until(function() return api:tally().accepted[name] == 1 end, name .. "\n" .. server:log())
    end
    local seen = get "/seen"
    for _, name in ipairs { "header_filter", "body_filter", "log", "set", "init_worker" } do
      assert(seen:find(name, 1, true), name .. " in " .. seen .. "\n" .. server:log())
      assert.is_nil(api:tally().accepted[name .. " waited"])
    end
  end)

  it("may send while the configuration is read, and the workers after it", function()
    server = nginx.start {
      http = MAKE_CLIENT:format(api:url("https"), api.ca_file):gsub("}%s*$", [[ ok:send_template(message("init")) } ]]),
      server = ("location /send { content_by_lua_block { %s } }"):format(SEND),
    }
    get "/send?after"
    assert.equal(1, api:tally().accepted.after)
    assert(api:tally().accepted.init >= 1)
  end)

  local LIMITED = [[
    lua_shared_dict rate 64k;
    init_worker_by_lua_block {
      limited = new("ok", { limiter = require("connectly").limiter.shared_dict { dict = "rate", rate = 200 } })
    }
  ]]

  it("calls whose reader finds no timer to run in go on all the same", function()
    start({ ["/timers"] = [[
      local semaphore, ids = require("ngx.semaphore").new(), 0
      for index = 1, 4 do
        ngx.timer.at(0, function()
          local first = limited:send_template(message("t" .. index))
          local second = ok:send_template(message("u" .. index))
          ids = ids + (first and 1 or 0) + (second and 1 or 0)
          semaphore:post()
        end)
      end
      for _ = 1, 4 do semaphore:wait(10) end
      ngx.print(ids)
    ]], ["/after"] = [[ ngx.print((limited:send_template(message("after")))) ]] },
      { http = "lua_max_running_timers 4;" .. LIMITED })
    local got = get "/timers"
    assert(got == "8", got .. server:log())
    get "/after"
    assert.equal(1, api:tally().accepted.after)
  end)

  it("calls whose reader finds no folder for its socket go on all the same", function()
    start({ ["/send"] = [[
      local id = limited:send_template(message("a"))
      ngx.print(id and ok:send_template(message("b")))
    ]] }, { main = "env TMPDIR=/nonexistent/folder;", http = LIMITED })
    get "/send"
    assert.equal(1, api:tally().accepted.a)
    assert.equal(1, api:tally().accepted.b)
  end)

  it("what cannot give way because C called it sends nothing, and harms nobody", function()
    start({ ["/gsub"] = [[
      for _ = 1, 3 do
        local is_fine, problem = pcall(string.gsub, "a", ".", function() return (slow:send_template(message("c"))) end)
        assert(not is_fine and tostring(problem):find("C called", 1, true), tostring(problem))
      end
      ngx.print(ngx.worker.pid())
    ]], ["/send"] = SEND .. [[ ngx.print(" ", ngx.worker.pid()) ]] })
    local pid = get "/gsub"
    assert.equal(pid, get("/send?x"):match("%d+$"))
    assert.is_nil(api:tally().accepted.c)
  end)

  it("calls are started, waited for by several, given up, and canceled", function()
    start { ["/calls"] = [[
      local call = slow:start("send_template", message("a"))
      local is_fine, problem = pcall(call.wait, call, 0.05)
      assert(not is_fine and problem.kind == "timeout" and not call:done())
      local waiters = {}
      for index = 1, 3 do
        waiters[index] = ngx.thread.spawn(function() return call:wait(5) end)
      end
      local id = call:wait(5)
      for index = 1, 3 do
        local is_well, other = ngx.thread.wait(waiters[index])
        assert(is_well and other == id)
      end
      local canceled = new("silence-after-request"):start("send_template", message("b"))
      ngx.sleep(0.2)
      canceled:cancel()
      local was_sent, why = pcall(canceled.wait, canceled, 5)
      assert(not was_sent and why.kind == "canceled" and why.outcome == "unknown")
      local late = new("silence-after-request", { timeout = 0.3 })
      was_sent, why = pcall(late.send_template, late, message("c"))
      assert(not was_sent and why.kind == "timeout" and why.outcome == "unknown")
      ngx.print("fine")
    ]] }
    assert.equal("fine", get "/calls")
  end)

  it("many at once give way too, and their loop may be left", function()
    start { ["/many"] = [[
      local list, seen = {}, {}
      for index = 1, 100 do list[index] = message("m" .. index) end
      for result in slow:send_many(list) do
        assert(result.id and not seen[result.index])
        seen[result.index] = true
      end
      for result in ok:send_many(list) do
        assert(result.id)
        break
      end
      ngx.print(#seen)
    ]], ["/pong"] = [[ ngx.print("pong") ]] }
    local controller, pongs, sent = cqueues.new(), 0, nil
    controller:wrap(function() sent = get("/many") end)
    controller:wrap(function()
      while not sent do
        get("/pong")
        pongs = pongs + 1
      end
    end)
    assert(controller:loop())
    assert.equal("100", sent)
    assert(pongs >= 10, "pongs meanwhile: " .. pongs)
  end)

  it("a client is closed without keeping the worker", function()
    start { ["/close"] = [[
      local client = new "slow-500"
      local call = client:start("send_template", message("c"))
      local ticks = 0
      local ticker = ngx.thread.spawn(function() while true do ngx.sleep(0.01) ticks = ticks + 1 end end)
      local has_ended = client:close()
      ngx.thread.kill(ticker)
      ngx.print(tostring(has_ended), " ", ticks >= 10 and "ticked" or ticks, " ", call:wait() and "sent")
    ]] }
    assert.equal("true ticked sent", get "/close")
  end)

  it("events are told", function()
    start { ["/events"] = [[
      local names = {}
      local client = new("ok", { on_event = function(event) names[#names + 1] = event.name end })
      client:send_template(message("e"))
      ngx.print(table.concat(names, " "))
    ]] }
    assert.equal("start attempt done", get "/events")
  end)

  it("what log_by_lua starts is sent, each once", function()
    start({ ["/pong"] = [[ ngx.print("pong") ]] }, { workers = 2, server = [[
      log_by_lua_block { ok:start("send_template", message("l" .. (ngx.var.args or ""))) }
    ]] })
    get_all(repeated("/pong", 300))
    wait_until(function() return api:tally().requests >= 300 end, "not all were sent")
    assert_once("l", 300)
  end)

  it("a worker that ends sends what was started, and leaves nothing behind", function()
    local folder = process.capture("mktemp -d"):match("^%S+")
    start({ ["/start"] = [[
      for index = 1, 20 do slow:start("send_template", message("q" .. index)) end
      ngx.print((ok:send_template(message("w"))))
    ]] }, { main = ("env TMPDIR=%s;"):format(folder) })
    get "/start"
    server:quit()
    assert_once("q", 20)
    assert.equal("", process.capture("ls " .. folder))
    os.execute("rmdir " .. folder)
  end)

  it("a worker may wait at its end for as long as it likes", function()
    start({ ["/start"] = [[
      for index = 1, 20 do slow:start("send_template", message("x" .. index)) end ngx.print("x")
    ]] }, { http = [[
      exit_worker_by_lua_block {
        local has_ended = slow:close(10)
        ngx.log(ngx.NOTICE, "closed: ", tostring(has_ended))
      }
    ]] })
    get "/start"
    server:quit()
    assert(server:log():find("closed: true", 1, true), server:log())
    assert_once("x", 20)
  end)

  it("a reload loses nothing and doubles nothing", function()
    start({ ["/send"] = [[ ngx.print((slow:send_template(message("s" .. ngx.var.args)))) ]], ["/start"] = [[
      slow:start("send_template", message("f" .. ngx.var.args)) ngx.print("x")
    ]] }, { workers = 2 })
    local controller, is_over = cqueues.new(), 0
    for batch = 0, 5 do
      controller:wrap(function()
        cqueues.sleep(batch * 0.2)
        local paths = {}
        for index = 1, 10 do
          paths[2 * index - 1] = "/send?" .. batch * 10 + index
          paths[2 * index] = "/start?" .. batch * 10 + index
        end
        get_all(paths)
        is_over = is_over + 1
      end)
    end
    controller:wrap(function()
      while is_over < 6 do
        server:reload()
        cqueues.sleep(0.5)
      end
    end)
    assert(controller:loop())
    wait_until(function() return api:tally().requests >= 120 end, "not all were sent")
    assert_once("s", 60)
    assert_once("f", 60)
    wait_until(function() return #select(2, server:workers()) == 0 end, "a worker does not end")
  end)

  it("a worker that crashes is followed by one that sends", function()
    start { ["/send"] = SEND, ["/slow"] = [[ slow:send_template(message("lost")) ]] }
    get "/send?before"
    local controller = cqueues.new()
    controller:wrap(function() server:request { path = "/slow" } end)
    controller:wrap(function()
      wait_until(function() return api:tally().by_key.lost end, "never sent")
      local pid = server:workers()[1]
      assert(os.execute("kill -KILL " .. pid))
      wait_until(function()
        local now = server:workers()[1]
        return now and now ~= pid
      end, "no new worker")
      get "/send?after"
    end)
    assert(controller:loop())
    local accepted = api:tally().accepted
    assert.equal(1, accepted.before)
    assert.equal(1, accepted.after)
    assert.equal(1, accepted.lost)
  end)

  it("sends without the code cache, and nothing of it stays", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(([[
      local client = require("connectly").new { api_key = "k", business_id = "ok", base_url = "%s", ca_file = "%s" }
      local message = { number = "+14155550123", template_name = "x", language = "en", callback_data = "n" .. ngx.var.args }
      client:send_template(message)
      message.callback_data = "o" .. ngx.var.args
      client:start("send_template", message)
      ngx.print("x")
    ]]):format(api:url("https"), api.ca_file))
    file:close()
    start({}, { server = ("lua_code_cache off; location /off { content_by_lua_file %s; }"):format(path) })
    for index = 1, 30 do
      get("/off?" .. index)
    end
    os.remove(path)
    local pid = server:workers()[1]
    wait_until(function() return tonumber(process.capture("ls /proc/" .. pid .. "/task | wc -l")) == 1 end, "threads stay")
    -- The last one may have arrived after its request's answer.
    assert_once("n", 30)
    assert_once("o", 30)
  end)

  it("a client that is dropped with calls under way keeps no worker", function()
    start {
      ["/drop"] = [[
        local client = new "slow-3000"
        assert(client:post("send_template", message("posted")))
        assert(client:start("send_template", message("started")))
        client = nil
        ngx.update_time()
        local from = ngx.now()
        for _ = 1, 5 do collectgarbage() end -- what hung on the started one goes in several rounds
        ngx.update_time()
        ngx.print(ngx.now() - from)
      ]],
      ["/ping"] = [[ ngx.print("pong") ]],
    }
    local took = tonumber(get "/drop")
    assert(took < 1, took)
    assert.equal("pong", get "/ping")
    wait_until(function() return api:tally().requests == 2 and api:tally().open == 0 end, "they do not end")
    assert.equal("pong", get "/ping")
    assert.same({ posted = 1, started = 1 }, api:tally().accepted)
    assert(not server:log():find("was collected", 1, true), server:log())
    local pid = server:workers()[1]
    wait_until(function() return tonumber(process.capture("ls /proc/" .. pid .. "/task | wc -l")) == 1 end, "threads stay")
  end)

  it("a client for each request, dropped at its end, delivers and leaves nothing", function()
    start {
      ["/send"] = [[
        assert(new("slow-300"):post("send_template", message(ngx.var.args)))
        collectgarbage()
        ngx.print "x"
      ]],
      ["/collect"] = [[ collectgarbage() collectgarbage() ngx.print "x" ]],
    }
    get_all(repeated("/send", 60))
    get "/collect"
    local pid = server:workers()[1]
    wait_until(function() return tonumber(process.capture("ls /proc/" .. pid .. "/task | wc -l")) == 1 end, "threads stay")
    assert_once("", 60)
    assert.equal(60, api:tally().requests)
  end)

  it("a worker that ends waits for the calls of clients that were dropped", function()
    start {
      ["/drop"] = [[
        for index = 1, 3 do
          assert(new("slow-1500"):post("send_template", message("d" .. index)))
        end
        collectgarbage() collectgarbage()
        ngx.print "x"
      ]],
    }
    get "/drop"
    wait_until(function() return api:tally().requests == 3 end, "they were not sent")
    server:quit()
    assert(not server:log():find("was collected", 1, true), server:log())
    assert(not server:log():find("exited on signal", 1, true), server:log())
    assert_once("d", 3)
  end)

  it("requests that go away while they wait give their places back", function()
    start({ ["/aborted"] = [[ slow:send_template(message("aborted")) ]], ["/send"] = [[
      collectgarbage() collectgarbage()
      ngx.print((slow:send_template(message("after"))))
    ]] }, { server = "lua_check_client_abort on;" })
    -- More than the client holds, in heaps.
    for _ = 1, 6 do
      local controller = cqueues.new()
      for _ = 1, 250 do
        controller:wrap(function() server:request { path = "/aborted", timeout = 0.1 } end)
      end
      assert(controller:loop())
      get "/send"
    end
    assert(api:tally().accepted.after == 6)
  end)

  it("threads and descriptors do not grow with the number of sends", function()
    start { ["/send"] = SEND, ["/pid"] = [[ ngx.print(ngx.worker.pid()) ]] }
    local pid = get "/pid"
    local function count(what)
      return tonumber(process.capture(("ls /proc/%s/%s | wc -l"):format(pid, what)))
    end
    get_all(repeated("/send", 50))
    local threads, descriptors = count "task", count "fd"
    for _ = 1, 6 do
      get_all(repeated("/send", 50))
      cqueues.sleep(0.25) -- the reader goes and comes again
    end
    assert.equal(threads, count "task")
    assert(count "fd" <= descriptors + 2, count "fd")
    assert(not server:log():find("[error]", 1, true), server:log()) -- as of a read that timed out
  end)
end)
