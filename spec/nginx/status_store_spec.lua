-- A status store in a shared dictionary of a real nginx with two workers: fed by
-- connectly.openresty.webhook, asked by client:wait_delivery.

local basexx = require "basexx"
local cqueues = require "cqueues"
local hmac = require "openssl.hmac"
local nginx = require "spec.support.nginx"

local SECRET = "canary secret"

local http = [[
lua_shared_dict statuses 10m;
lua_shared_dict little 64k;
lua_shared_dict seen 1m;
lua_shared_dict record 1m;
init_by_lua_block {
  local connectly = require "connectly"
  store = connectly.webhook.status_store { dict = "statuses", interval = 0.05 }
  little = connectly.webhook.status_store { dict = "little" }
  hook = connectly.openresty.webhook { secret = "canary secret", store = store }
  little_hook = connectly.openresty.webhook { secret = "canary secret", store = little }
  once = connectly.openresty.webhook {
    secret = "canary secret", store = store, dedupe = "seen",
    on_status = function(event)
      ngx.shared.record:incr(event.status, 1, 0)
      ngx.shared.record:set("known", store:get(event.id).status)
    end,
  }
  client = require("connectly.safe").new {
    api_key = "k", business_id = "b", base_url = "http://127.0.0.1:1", status_store = store,
  }
  parser = connectly.webhook.new { secret = "canary secret" }
  function event(id, status)
    return parser:parse(('{"timestamp":"1700000000","statusUpdate":{"id":"%s","status":"%s"}}'):format(id, status))
  end
  local function wait_here(where)
    local own = require("connectly").new { api_key = "k", business_id = "b", status_store = where }
    return tostring(select(2, pcall(own.wait_delivery, own, "in init", 0.1)))
  end
  in_init = wait_here(store) .. "|" .. wait_here(connectly.webhook.status_store())
}
]]

local server_part = [[
lua_check_client_abort on;
location = /hook { content_by_lua_block { hook() } }
location = /little_hook { content_by_lua_block { little_hook() } }
location = /once { content_by_lua_block { once() } }
location = /get {
  content_by_lua_block {
    local known = store:get(ngx.var.arg_id)
    ngx.print(known and known.status or "nothing", " ", known and known.error and known.error.trace_id or "", " ",
      known and known.callback_data and known.callback_data.order or "")
  }
}
location = /wait {
  content_by_lua_block {
    local status, second = client:wait_delivery(ngx.var.arg_id, tonumber(ngx.var.arg_timeout or 10))
    ngx.print(ngx.worker.id(), " ", status or second.kind, " ", second.delivery and second.delivery.status or "")
  }
}
location = /where {
  content_by_lua_block {
    collectgarbage()
    store:put(event(ngx.var.arg_id, ngx.var.arg_status))
    ngx.print(ngx.worker.id())
  }
}
location = /hammer {
  content_by_lua_block {
    local order, changes = { "sent", "delivered", "read", "queued" }, 0
    math.randomseed(ngx.worker.pid() + tonumber(ngx.var.arg_seed))
    for index = 1, 400 do
      for _ = 1, 12 do
        changes = changes + (store:put(event("h" .. index, order[math.random(4)])) and 1 or 0)
      end
      store:put(event("h" .. index, "read"))
    end
    ngx.print(changes)
  }
}
location = /observe {
  content_by_lua_block {
    local rank, last = { queued = 0, sent = 1, delivered = 2, read = 3 }, {}
    repeat
      local unread = 0
      for index = 1, 400 do
        local known = store:get("h" .. index)
        local now = known and rank[known.status] or -1
        if now < (last[index] or -1) then
          return ngx.print("undone: " .. last[index] .. " " .. now)
        end
        last[index] = now
        unread = unread + (now < 3 and 1 or 0)
      end
      ngx.sleep(0.001)
    until unread == 0
    ngx.print("never undone")
  }
}
location = /fill {
  content_by_lua_block {
    for index = 1, 2000 do assert(little:put(event("f" .. index, "sent"))) end
    -- What is dropped for it need not be in one piece.
    assert(little:put(event("big" .. ("x"):rep(6000), "sent")))
    ngx.print(little:get "f1" and "kept" or "dropped")
  }
}
location = /record { content_by_lua_block { ngx.print(ngx.shared.record:get(ngx.var.arg_of) or 0) } }
location = /in_init { content_by_lua_block { ngx.print(tostring(in_init)) } }
location = /in_log {
  content_by_lua_block { ngx.print "ok" }
  log_by_lua_block {
    local _, problem = pcall(client.wait_delivery, client, "nobody", 5)
    ngx.shared.record:set("in_log", tostring(problem))
  }
}
location = /options {
  content_by_lua_block {
    local _, err = pcall(require("connectly").webhook.status_store, { dict = "nothing" })
    ngx.print(err.kind, " ", err.message)
  }
}
]]

local function sign(body)
  return basexx.to_base64(hmac.new(SECRET, "sha256"):final(body))
end

local function status_body(id, status, more)
  return ('{"timestamp":"1700000000","statusUpdate":{"id":"%s","status":"%s"%s}%s}'):format(
    id, status, more and more.update or "", more and more.body or "")
end

describe("a status store in nginx", function()
  local server

  setup(function() server = nginx.start { workers = 2, http = http, server = server_part } end)
  teardown(function() server:stop() end)

  local function get(path, timeout)
    local status, body = server:request { path = path, timeout = timeout or 20 }
    assert(status == 200, ("%s: %s %s\n%s"):format(path, status, body, server:log()))
    return body
  end

  local function post(path, body)
    return (server:request { method = "POST", path = path, body = body, headers = { ["x-connectly-hmac-sha256"] = sign(body) } })
  end

  --- Runs them all at once, and to their ends.
  local function run_all(bodies)
    local controller = cqueues.new()
    for _, body in ipairs(bodies) do
      controller:wrap(body)
    end
    assert(controller:loop())
  end

  it("knows what the handler's webhooks said, in every worker", function()
    assert.equal(200, post("/hook", status_body("a", "delivered", { body = ',"callbackData":{"order":15555555555555555555}' })))
    assert.equal(200, post("/hook", status_body("a", "sent")))
    for _ = 1, 10 do
      assert.equal("delivered  15555555555555555555", get("/get?id=a"))
    end
    assert.equal(200, post("/hook", status_body("a", "delivery_failure", { update = ',"error":{"cntTraceId":"1777"}' })))
    assert.equal(200, post("/hook", status_body("a", "read")))
    for _ = 1, 10 do
      assert.equal("delivery_failed 1777 ", get("/get?id=a"))
    end
    assert.equal("nothing  ", get("/get?id=b"))
  end)

  it("takes in no webhook of another secret, and no other kind", function()
    assert.equal(401, (server:request { method = "POST", path = "/hook", body = status_body("c", "read") }))
    assert.equal(200, post("/hook", '{"message":{"text":"x","id":"c"}}'))
    assert.equal("nothing  ", get("/get?id=c"))
  end)

  it("is never undone by workers that write at once", function()
    local bodies, changes, observed = {}, 0, nil
    bodies[1] = function() observed = get("/observe") end
    for seed = 1, 6 do
      bodies[seed + 1] = function() changes = changes + tonumber(get("/hammer?seed=" .. seed)) end
    end
    run_all(bodies)
    assert.equal("never undone", observed)
    for index = 1, 400 do
      assert.equal("read  ", get("/get?id=h" .. index))
    end
    -- Each of a message's four statuses may be news once.
    assert(changes <= 4 * 400, "changes: " .. changes)
  end)

  it("wakes who waits in another worker", function()
    local bodies, elsewhere = {}, 0
    for index = 1, 40 do
      bodies[index] = function()
        local waiter, answer, feeder
        local controller = cqueues.new()
        controller:wrap(function() waiter, answer = get("/wait?id=w" .. index):match("^(%d+) (%S*)") end)
        controller:wrap(function()
          cqueues.sleep(0.02)
          feeder = get("/where?status=read&id=w" .. index)
        end)
        assert(controller:loop())
        assert.equal("read", answer)
        elsewhere = elsewhere + (feeder ~= waiter and 1 or 0)
      end
    end
    run_all(bodies)
    assert(elsewhere > 0, "all were fed by the worker in which they waited")
  end)

  it("ends a wait in time, with what is known", function()
    get("/where?status=delivered&id=t")
    assert.truthy(get("/wait?id=t&timeout=0.2"):find("^%d timeout delivered$"))
    assert.truthy(get("/wait?id=nobody&timeout=0.2"):find("^%d timeout $"))
  end)

  it("is told before the handlers are, and of duplicates too", function()
    for _ = 1, 3 do
      assert.equal(200, post("/once", status_body("o", "read")))
    end
    assert.equal("1", get("/record?of=read"))
    assert.equal("read", get("/record?of=known"))
  end)

  it("drops the oldest when the dictionary is full", function()
    assert.equal("dropped", get("/fill"))
  end)

  it("answers a webhook that it has no room for, and says so in the log", function()
    local much = ',"callbackData":"' .. ("canary"):rep(15000) .. '"'
    assert.equal(200, post("/little_hook", status_body("big", "read", { body = much })))
    assert.truthy(server:log():find("connectly: webhook: the status store takes no entry: no memory", 1, true), server:log())
    assert.is_nil(server:log():find("canary", 1, true))
  end)

  it("survives requests that go away while they wait", function()
    for index = 1, 20 do
      assert.is_nil((server:request { path = "/wait?id=gone" .. index % 2, timeout = 0.02 }))
    end
    get("/where?status=read&id=gone0")
    get("/where?status=read&id=gone1")
    assert.truthy(get("/wait?id=gone1"):find("read", 1, true))
    assert.is_nil(server:log():find("[error]", 1, true), server:log())
    assert.is_nil(server:log():find("[alert]", 1, true), server:log())
  end)

  it("goes on through a reload, for those who waited before it as well", function()
    local controller = cqueues.new()
    local waited, before = nil, server:workers()
    controller:wrap(function() waited = get("/wait?id=reloaded&timeout=15") end)
    controller:wrap(function()
      get("/where?status=sent&id=reloaded") -- so that the worker has taken the request before
      cqueues.sleep(0.1)
      server:reload()
      local deadline = cqueues.monotime() + 10
      repeat
        cqueues.sleep(0.05)
        local serving = server:workers()
      until #serving == 2 and serving[1] ~= before[1] and serving[2] ~= before[2] or cqueues.monotime() > deadline
      get("/where?status=read&id=reloaded")
    end)
    assert(controller:loop())
    assert.truthy(waited:find("^%d read"), waited)
  end)

  it("is not waited for where nothing can wait", function()
    local shared, own = get("/in_init"):match("^(.*)|(.*)$")
    assert.truthy(shared:find("no webhook told of the message in 0.1 s", 1, true), shared)
    assert.truthy(own:find("nothing can feed the status store", 1, true), own)
    assert.equal("ok", get("/in_log"))
    local deadline = cqueues.monotime() + 10
    while get("/record?of=in_log") == "0" and cqueues.monotime() < deadline do
      cqueues.sleep(0.01)
    end
    assert.truthy(get("/record?of=in_log"):find("wait_delivery: in nginx's log phase nothing can wait", 1, true))
  end)

  it("needs a dictionary that is there", function()
    assert.equal("config dict: there is no lua_shared_dict of this name", get("/options"))
  end)

  it("is warned of in the log when it is one worker's alone", function()
    for workers = 1, 2 do
      local other = nginx.start {
        workers = workers, http = [[init_by_lua_block { store = require("connectly").webhook.status_store() }]],
        server = [[location / { content_by_lua_block { ngx.say(tostring(store)) } }]],
      }
      finally(function() other:stop() end)
      local warning = other:log():find("a status store without `dict` knows of the webhooks of its own worker alone", 1, true)
      assert.equal(workers == 2, warning ~= nil, other:log())
      other:stop()
    end
  end)
end)
