-- connectly.openresty.webhook in a real nginx with two workers.

local basexx = require "basexx"
local bits = require "spec.support.bits"
local cqueues = require "cqueues"
local fixtures = require "spec.support.fixtures"
local hmac = require "openssl.hmac"
local nginx = require "spec.support.nginx"

local SECRET = "canary secret"
local OLDER = "older secret"
local NUMBER = "+16045550199"
local TEXT = "canary text of a customer"

-- What the handlers did is counted in a dictionary that /count shows.
local http = [[
lua_shared_dict seen 1m;
lua_shared_dict record 1m;
init_by_lua_block {
  local connectly = require "connectly"
  local function note(name)
    return function(event)
      ngx.shared.record:incr(name, 1, 0)
      ngx.shared.record:set("last", name .. " " .. event.kind .. " " .. tostring(event.id) .. " " .. tostring(event.text))
      ngx.shared.record:rpush("order", name)
    end
  end
  local function made(options)
    options.secret = options.secret or "canary secret"
    return connectly.openresty.webhook(options)
  end
  hooks = {
    all = made {
      on_status = note "on_status", on_message = note "on_message", on_button = note "on_button",
      on_report = note "on_report", on_unknown = note "on_unknown", on_event = note "on_event",
    },
    some = made { on_status = note "on_status" },
    rotated = connectly.openresty.webhook { secrets = { "canary secret", "older secret" }, on_event = note "on_event" },
    documented = made { secret = "example-secret", on_event = note "on_event" },
    small = made { max_body = 2000, on_event = note "on_event" },
    once = made {
      dedupe = "seen",
      on_event = function(event)
        ngx.sleep(0.05)
        note "on_event"(event)
        ngx.shared.record:incr("of " .. (event.text or event.id), 1, 0)
      end,
    },
    briefly = made { dedupe = "seen", dedupe_seconds = 0.2, on_event = note "on_event" },
    raises = made {
      dedupe = "seen",
      on_event = function(event)
        ngx.sleep(0.05)
        if ngx.shared.record:incr("tries", 1, 0) == 1 then
          error("no such customer: " .. event.from .. " " .. event.text .. " canary secret")
        end
        note "on_event"(event)
      end,
    },
    raises_otherwise = made {
      on_status = function() error({ text = "canary text of a customer" }) end,
      on_message = function(event) return event.nothing.there end,
      on_button = function() require("connectly").new { timeout = "canary secret" } end,
      on_report = function() error("canary text of a customer", 0) end,
    },
    forgets = made { store = { put = function(_, event) error(event.text) end }, on_event = note "on_event" },
    dies = made { dedupe = "seen", on_event = function() os.execute("kill -9 " .. ngx.worker.pid()) ngx.sleep(1) end },
  }
}
]]

local server_part = [[
client_body_buffer_size 1k;
client_max_body_size 2m;
location /hook/ {
  access_by_lua_block { ngx.shared.record:incr("worker " .. ngx.worker.id(), 1, 0) }
  content_by_lua_block { hooks[ngx.var.uri:match("[^/]+$")]() }
}
location = /count {
  content_by_lua_block {
    local record = ngx.shared.record
    local order = {}
    for index = 1, record:llen("order") do order[index] = record:lpop("order") end
    ngx.print(record:get(ngx.unescape_uri(ngx.var.arg_of)) or 0, "|", record:get("last") or "", "|", table.concat(order, " "))
  }
}
location = /reset { content_by_lua_block { ngx.shared.record:flush_all() ngx.shared.seen:flush_all() } }
location = /options {
  content_by_lua_block {
    local new = require("connectly").openresty.webhook
    local nothing = function() end
    for _, options in ipairs {
      { on_event = nothing }, { secret = "s" }, { secret = "s", on_event = 5 },
      { secret = "s", on_event = nothing, dedupe = "x" },
      { secret = "s", on_event = nothing, max_body = 0 }, { secret = "s", on_event = nothing, dedupe_seconds = 0 / 0 },
      { secret = "s", on_event = nothing, ["canary secret"] = 1 }, { secrets = {}, on_event = nothing },
      { secret = "s", store = {} },
    } do
      local _, err = pcall(new, options)
      ngx.say(err.kind, " ", err.param, ": ", err.message)
    end
  }
}
]]

local function sign(body, secret)
  return basexx.to_base64(hmac.new(secret or SECRET, "sha256"):final(body))
end

local function message(text)
  return ('{"sender":{"id":"%s"},"message":{"text":"%s"}}'):format(NUMBER, text or TEXT)
end

local function status(id, name, timestamp)
  return ('{"timestamp":"%d","statusUpdate":{"id":"%s","status":"%s"}}'):format(timestamp or 1700000000, id, name)
end

describe("connectly.openresty.webhook", function()
  local server

  setup(function()
    server = nginx.start { workers = 2, http = http, server = server_part }
  end)

  teardown(function() server:stop() end)

  before_each(function() server:request { path = "/reset" } end)

  local function post(hook, body, headers)
    headers = headers or { ["X-Connectly-Hmac-Sha256"] = sign(body), ["Content-Type"] = "text/plain; charset=utf-8" }
    return server:request { method = "POST", path = "/hook/" .. hook, headers = headers, body = body }
  end

  --- How often, what was handled last, and in which order.
  local function count(name)
    local _, body = server:request { path = "/count?of=" .. name:gsub(" ", "%%20") }
    local number, last, order = body:match("^(%d+)|([^|]*)|(.*)$")
    return tonumber(number), last, order
  end

  --- Posts them all at once; how many had which status.
  local function post_all(hook, bodies)
    local controller, statuses = cqueues.new(), {}
    for _, body in ipairs(bodies) do
      controller:wrap(function()
        local answer = post(hook, body) or "none"
        statuses[answer] = (statuses[answer] or 0) + 1
      end)
    end
    assert(controller:loop())
    return statuses
  end

  for _, fixture in ipairs(fixtures.read("webhooks")) do
    it("hands an event to its handlers: " .. fixture.description, function()
      assert.equal(200, (post("all", fixture.body)))
      local kind = fixture.expect.kind
      local number, last, order = count("on_" .. kind)
      assert.equal(1, number)
      assert.equal("on_" .. kind .. " on_event", order)
      assert.equal(("on_event %s %s %s"):format(kind, fixture.expect.id or "nil", fixture.expect.text or "nil"), last)
    end)
  end

  it("answers 200 to an event without a handler", function()
    assert.equal(200, (post("some", message())))
    assert.equal(0, (count("on_status")))
    assert.equal(200, (post("some", status("a", "read"))))
    assert.equal(1, (count("on_status")))
  end)

  it("takes POST alone", function()
    for _, method in ipairs { "GET", "PUT", "DELETE" } do
      local answer, _, headers = server:request { method = method, path = "/hook/all", body = method == "PUT" and "x" or nil }
      assert.equal(405, answer)
      assert.equal("POST", headers.allow)
    end
  end)

  it("wants a good signature", function()
    local body = message()
    assert.equal(401, (post("all", body, {})))
    assert.equal(401, (post("all", body, { ["x-connectly-hmac-sha256"] = "" })))
    assert.equal(401, (post("all", body, { ["x-connectly-hmac-sha256"] = sign(body .. " ") })))
    assert.equal(401, (post("all", body, { ["x-connectly-hmac-sha256"] = sign(body, OLDER) })))
    assert.equal(401, (post("all", body:rep(100), { ["x-connectly-hmac-sha256"] = sign(body) })))
    assert.equal(0, (count("on_event")))
  end)

  it("takes the signatures of both secrets while one replaces the other", function()
    local body = message()
    for _, secret in ipairs { SECRET, OLDER } do
      assert.equal(200, (post("rotated", body, { ["x-connectly-hmac-sha256"] = sign(body, secret) })))
    end
    assert.equal(401, (post("rotated", body, { ["x-connectly-hmac-sha256"] = sign(body, "another") })))
    assert.equal(2, (count("on_event")))
  end)

  it("takes the documentation's vector, and none that differs in one bit", function()
    -- API: webhooks, delivery mechanics.
    local body = '{"topic":"delivery_status","timestamp":"1700000000","statusUpdate":{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV",'
      .. '"status":"read","error":null}}'
    local signature = "Ldm2bkiSUSrrEKHejpUgQcwcaM6RcUfpQ9dCNKpVPiU="
    local function answer(sent, signed)
      return (post("documented", sent, { ["x-connectly-hmac-sha256"] = signed }))
    end
    assert.equal(200, answer(body, signature))
    for bit = 0, #body * 8 - 1 do
      assert.equal(401, answer(bits.flip(body, bit), signature))
    end
    for bit = 0, #signature * 8 - 1 do
      -- Some are no header's bytes any more, which nginx itself refuses.
      local changed = answer(body, bits.flip(signature, bit))
      assert(changed == 401 or changed == 400, changed)
    end
    assert.equal(1, (count("on_event")))
  end)

  it("reads a body that nginx has put into a file", function()
    local text = ("spooled "):rep(50000)
    assert.equal(200, (post("all", message(text))))
    local _, last = count("on_event")
    assert.equal("on_event message nil " .. text, last)
    assert.truthy(server:log():find("buffered to a temporary file", 1, true))
  end)

  it("takes no body for an empty one", function()
    assert.equal(200, (post("all", "")))
    assert.equal(401, (server:request { method = "POST", path = "/hook/all" }))
    assert.equal(1, (count("on_unknown")))
  end)

  it("refuses a body that is too big, announced or not", function()
    local limit = message(("x"):rep(2000 - #message("")))
    assert.equal(2000, #limit)
    assert.equal(200, (post("small", limit)))
    assert.equal(413, (post("small", limit .. " ")))
    assert.equal(413, (post("all", (" "):rep(1024 * 1024 + 1))))
    local chunked = ("%x\r\n%s\r\n0\r\n\r\n"):format(#limit + 1, limit .. " ")
    assert.equal(413, (post("small", chunked, {
      ["Transfer-Encoding"] = "chunked", ["x-connectly-hmac-sha256"] = sign(limit .. " "),
    })))
    chunked = ("%x\r\n%s\r\n0\r\n\r\n"):format(#limit, limit)
    assert.equal(200, (post("small", chunked, { ["Transfer-Encoding"] = "chunked", ["x-connectly-hmac-sha256"] = sign(limit) })))
    assert.equal(2, (count("on_event")))
  end)

  it("handles an event once that comes many times at once", function()
    local bodies = {}
    for index = 1, 100 do
      bodies[index] = message("the same")
    end
    assert.same({ [200] = 100 }, post_all("once", bodies))
    assert.equal(1, (count("of the same")))
    assert.same({ [200] = 100 }, post_all("once", bodies))
    assert.equal(1, (count("of the same")))
  end)

  it("handles each of many events once, whichever worker they come to", function()
    local bodies = {}
    for index = 0, 299 do
      -- A status that is delivered again may bear another time.
      bodies[index + 1] = index % 2 == 0 and message("text" .. index % 30) or status("id" .. index % 30, "read", index)
    end
    assert.same({ [200] = 300 }, post_all("once", bodies))
    assert.equal(30, (count("on_event")))
    for index = 0, 29 do
      assert.equal(1, (count("of " .. (index % 2 == 0 and "text" or "id") .. index)))
    end
    local first, second = count("worker 0"), count("worker 1")
    assert.equal(300, first + second)
    assert(first > 0 and second > 0, "one worker got all")
  end)

  it("knows one status of a message from the next", function()
    for _, name in ipairs { "sent", "delivered", "read", "sent", "delivery_failed", "delivery_failure" } do
      assert.equal(200, (post("once", status("a", name))))
    end
    assert.equal(4, (count("on_event")))
  end)

  it("remembers an event for as long as it is told", function()
    assert.equal(200, (post("briefly", message())))
    assert.equal(200, (post("briefly", message())))
    assert.equal(1, (count("on_event")))
    cqueues.sleep(0.3)
    assert.equal(200, (post("briefly", message())))
    assert.equal(2, (count("on_event")))
  end)

  it("answers 500 when a handler raises, and handles the next delivery", function()
    assert.equal(500, (post("raises", message())))
    assert.equal(0, (count("on_event")))
    assert.equal(200, (post("raises", message())))
    assert.equal(200, (post("raises", message())))
    assert.equal(1, (count("on_event")))
    assert.equal(2, (count("tries")))
  end)

  it("lets a delivery that waited handle what another could not", function()
    local bodies = {}
    for index = 1, 20 do
      bodies[index] = message()
    end
    assert.same({ [500] = 1, [200] = 19 }, post_all("raises", bodies))
    assert.equal(1, (count("on_event")))
    assert.equal(2, (count("tries")))
  end)

  it("says where a handler raised, whatever it raised", function()
    local button = '{"sender":{"id":"' .. NUMBER .. '"},"buttonResponse":{"text":"' .. TEXT .. '"}}'
    for _, body in ipairs { status("a", "read"), message(), button, '{"report":{"id":"' .. TEXT .. '"}}' } do
      assert.equal(500, (post("raises_otherwise", body)))
    end
    for _, kind in ipairs { "status", "message", "button", "report" } do
      assert.truthy(server:log():find("a handler of kind " .. kind .. " raised an error at [^ ]*:%d+"), server:log())
    end
  end)

  it("answers 500 when the store raises, and says where alone", function()
    assert.equal(500, (post("forgets", message())))
    assert.equal(0, (count("on_event")))
    assert.truthy(server:log():find("the status store raised an error at [^ ]*:%d+"), server:log())
  end)

  it("does not take an event for handled whose worker died", function()
    assert.is_nil((post("dies", message("deadly"))))
    assert.equal(503, (post("once", message("deadly"))))
    assert.equal(0, (count("on_event")))
  end)

  it("refuses options that are wrong, and shows none", function()
    local _, body = server:request { path = "/options" }
    assert.same({
      "config secret: secret: string expected, got nil",
      "config on_event: on_event: no handler is given",
      "config on_event: on_event: function expected, got number",
      "config dedupe: dedupe: there is no lua_shared_dict of this name",
      "config max_body: max_body: more than 0 expected",
      "config dedupe_seconds: dedupe_seconds: more than 0 expected",
      "config options: options: an unknown one is given; known are dedupe, dedupe_seconds, max_body, on_button, on_event, "
        .. "on_message, on_report, on_status, on_unknown, secret, secrets, store",
      "config secrets: secrets: 1 to 16 expected, got 0",
      "config store: store: one of connectly.webhook.status_store expected",
    }, { body:match((("([^\n]*)\n"):rep(9))) })
    assert.is_nil(body:find(SECRET, 1, true))
  end)

  it("has logged no text, no number and no secret in all this", function()
    local log = server:log()
    assert.truthy(log:find("a handler of kind", 1, true))
    for _, canary in ipairs { SECRET, OLDER, NUMBER, NUMBER:sub(2), TEXT, "the same" } do
      assert(not log:find(canary, 1, true), "the log shows: " .. canary .. "\n" .. log)
    end
  end)
end)
