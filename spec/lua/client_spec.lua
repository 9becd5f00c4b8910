-- The whole way: a table through the C core over real HTTP to the sandbox.

local cjson = require "cjson"
local connectly = require "connectly"
local safe = require "connectly.safe"
local sandboxes = require "spec.support.sandbox"

local hello = { number = "+14155550123", template_name = "any_hello", language = "en", body = { "Ana" } }

describe("a client", function()
  local plain, tls

  setup(function()
    plain = sandboxes.start()
    tls = sandboxes.start { tls = true }
  end)

  teardown(function()
    plain:stop()
    tls:stop()
  end)

  before_each(function()
    plain:reset()
    tls:reset()
  end)

  local function new(sandbox, changes)
    local options = {
      api_key = sandbox.api_key, business_id = sandbox.business_id, base_url = sandbox.base_url,
      ca_file = sandbox.ca_file, timeout = 10,
    }
    for name, value in pairs(changes or {}) do
      options[name] = value
    end
    return safe.new(options)
  end

  it("sends a template message and returns its id", function()
    local id, info = new(plain):send_template(hello)
    assert.truthy(id, tostring(info))
    local deliveries = plain:deliveries()
    assert.equal(1, #deliveries)
    assert.equal(deliveries[1].id, id)
    assert.equal("+14155550123", deliveries[1].number)
    assert.equal(200, info.status)
    assert.equal(1, info.attempts)
    assert.equal("1.1", info.http_version)
    assert.is_true(info.elapsed > 0 and info.elapsed < 10)
    assert.near(os.time(), connectly.message_time(id), 60)
  end)

  it("tells of wrong use where it was used", function()
    local client = new(plain)
    for _, use in ipairs {
      function() client.send_template("x", {}) return 1 end,
      function() client:close("x") return 1 end,
      function() client:post("send_campaigns", {}) return 1 end,
      function() client:send_many(1) return 1 end,
      function() client:send_many({}, { x = 1 }) return 1 end,
      function() client:check_template(1, 1) return 1 end,
      function() client:start("send_template", hello).wait("x") return 1 end,
      function() require("connectly.loop.cqueues").attach({}) return 1 end,
    } do
      local is_fine, problem = pcall(use)
      assert.is_false(is_fine)
      local line = debug.getinfo(use, "S").linedefined
      assert.matches("client_spec%.lua:" .. line .. ": connectly: ", problem)
    end
  end)

  it("sends exactly what a dry run shows", function()
    local client = new(plain)
    assert(client:send_template(hello))
    assert.equal((client:dry_run("send_template", hello)), plain:deliveries()[1].body)
  end)

  it("sends a session message inside the window, and says what to do outside it", function()
    local client = new(plain)
    local message = { number = "+14155550123", text = "Hello!" }
    local id, err = client:send_session(message)
    assert.is_nil(id)
    assert.equal("ERROR_CODE_MESSAGE_CUSTOMER_NO_CONVERSATION_INITIATION", err.code)
    plain:inbound { number = "+14155550123" }
    assert(client:send_session(message))
    plain:clock { advance = 24 * 3600 + 1 }
    id, err = client:send_session(message)
    assert.is_nil(id)
    assert.equal("rejected", err.kind)
    assert.equal("rejected", err.outcome)
    assert.equal("ERROR_TYPE_DEADLINE_EXCEEDED", err.type)
    assert.truthy(err.hint:find("send a template instead", 1, true))
    assert.is_false(err.retryable)
  end)

  it("speaks HTTP/2 over verified TLS", function()
    local id, info = new(tls):send_template(hello)
    assert.truthy(id, tostring(info))
    assert.equal("2", info.http_version)
    assert.equal("2", tostring(tls:deliveries()[1].http_version):sub(1, 1))
  end)

  it("speaks HTTP/1.1 when it is told to", function()
    local _, info = new(tls, { http2 = false }):send_template(hello)
    assert.equal("1.1", info.http_version)
  end)

  it("believes no certificate that nobody vouches for", function()
    local client = safe.new { api_key = "k", business_id = "b", base_url = tls.base_url }
    local id, err = client:send_template(hello)
    assert.is_nil(id)
    assert.equal("network", err.kind)
    assert.equal("not_sent", err.outcome)
    assert.equal(1, err.attempts)
    assert.is_false(err.retryable) -- not before a setting is changed
    assert.matches("connectly doctor.*ca_file", err.hint)
    assert.equal(0, #tls:deliveries())
  end)

  it("says who it is, and asks for no 100-continue", function()
    assert(new(plain):send_template(hello))
    local headers = plain:deliveries()[1].headers
    assert.truthy(headers["user-agent"]:match("^connectly%-lua/%S+ libcurl/%d"))
    assert.equal("application/json", headers["content-type"])
    assert.equal("application/json", headers["accept"])
    assert.is_nil(headers["expect"])
  end)

  it("asks for no 100-continue before the largest body either", function()
    local text = ("x"):rep(1024 * 1024 - 200) -- a request has at most 1 MiB
    local large = { number = "+14155550123", template_name = "any_x", language = "en", body = { text } }
    assert(new(plain):send_template(large))
    assert.is_nil(plain:deliveries()[1].headers["expect"])
  end)

  it("is refused with a wrong key", function()
    local _, err = new(plain, { api_key = "wrong" }):send_template(hello)
    assert.equal("auth", err.kind)
    assert.equal("rejected", err.outcome)
    assert.equal(401, err.status)
    assert.equal("ERROR_TYPE_AUTHENTICATION", err.type)
  end)

  it("raises the same errors that its safe twin returns", function()
    local options = { api_key = "wrong", business_id = plain.business_id, base_url = plain.base_url }
    local is_sent, err = pcall(connectly.new(options).send_template, connectly.new(options), hello)
    assert.is_false(is_sent)
    assert.is_true(connectly.is_error(err))
    assert.equal("auth", err.kind)
    assert.equal("string", type(tostring(err)))
    assert.equal(err.message, tostring(err):sub(1, #err.message))
    assert.truthy(tostring(err):find("status 401", 1, true))
  end)

  it("percent-encodes the business id", function()
    local strange = sandboxes.start { business_id = "a/b?c d" }
    local id, err = new(strange):send_template(hello)
    strange:stop()
    assert.truthy(id, tostring(err))
  end)

  it("goes any other way with request", function()
    local client = new(plain)
    plain:inbound { number = "+14155550123" }
    local reply, info = client:request {
      method = "POST", path = "/send/messages",
      body = { recipient = { id = "+14155550123", channelType = "whatsapp" }, message = { text = "x" } },
    }
    assert.equal(plain:deliveries()[1].id, reply.id)
    assert.equal(200, info.status)
    reply = client:request { method = "POST", path = "/send/messages", body = plain:deliveries()[1].body }
    assert.equal("string", type(reply.id))
    local _, err = client:request { method = "GET", path = "/nowhere" }
    assert.equal(404, err.status)
    assert.equal("rejected", err.outcome)
  end)

  for _, path in ipairs { "send", "/a b", "/../other/send", "/a/%2E%2e/b", "/a/./b", "/a#b", "/a\nb", "", "/" } do
    it(("refuses the path %q"):format(path), function()
      local _, err = new(plain):request { method = "GET", path = path }
      assert.equal("argument", err.kind)
      assert.equal("path", err.param)
    end)
  end

  it("refuses a body that is no JSON, a method that is none, a GET with a body", function()
    local client = new(plain)
    local _, err = client:request { method = "POST", path = "/x", body = "{" }
    assert.equal("body: not JSON", err.message)
    _, err = client:request { method = "TRACE", path = "/x" }
    assert.equal("method", err.param)
    _, err = client:request { method = "GET", path = "/x", body = {} }
    assert.equal("body", err.param)
  end)

  it("tells on_event what happens, without secrets", function()
    local events = {}
    local client = new(plain, { on_event = function(event) events[#events + 1] = event end })
    local id = client:send_template(hello)
    assert.same({ "start", "attempt", "done" }, { events[1].name, events[2].name, events[3].name })
    assert.equal(1, events[1].call)
    assert.equal(1, events[2].attempt)
    assert.is_true(events[2].timings.total >= events[2].timings.first_byte)
    assert.equal(id, events[3].id)
    assert.equal("send_template", events[3].operation)
    assert.equal(200, events[3].status)
    assert.equal(1, events[3].call)
    assert.is_true(events[3].elapsed > 0)
    client:send_template {}
    assert.equal("start", events[4].name)
    assert.equal("argument", events[5].kind)
    assert.is_nil(cjson.encode(events):find("4155550123", 1, true))
  end)

  it("counts in integers, where there are any", function()
    local events = {}
    local client = new(plain, { on_event = function(event) events[#events + 1] = event end })
    client:send_template(hello)
    assert(client:start("send_template", hello)):wait(5)
    assert(#events >= 6)
    for _, event in ipairs(events) do
      assert.equal(event.call < 2 and "1" or "2", tostring(event.call))
      local attempt = event.attempt or event.attempts
      assert.equal(attempt and "1", attempt and tostring(attempt))
    end
  end)

  it("passes a traceparent on as a header", function()
    local traced = { number = "+14155550123", template_name = "any_x", language = "en" }
    traced.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    assert(new(plain):send_template(traced))
    local delivery = plain:deliveries()[1]
    assert.equal(traced.traceparent, delivery.headers.traceparent)
    assert.is_nil(delivery.body:find("traceparent", 1, true))
    local capitals = "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"
    for _, wrong in ipairs { "x", 5, capitals, traced.traceparent .. "\r\nX: y" } do
      traced.traceparent = wrong
      local _, err = new(plain):send_template(traced)
      assert.equal("traceparent", err.param)
    end
  end)

  it("loses no result to an on_event that raises", function()
    local stderr = io.stderr
    io.stderr = { write = function() end } -- luacheck: ignore 122
    local id = new(plain, { on_event = function() error("mine") end }):send_template(hello)
    io.stderr = stderr -- luacheck: ignore 122
    assert.equal(plain:deliveries()[1].id, id)
  end)

  it("is of no use once closed", function()
    local client = new(plain)
    assert(client:send_template(hello))
    assert.is_true(client:close())
    assert.is_true(client:close())
    for _, call in ipairs { "send_template", "send_session", "request" } do
      local value, err = client[call](client, hello)
      assert.is_nil(value)
      assert.equal("closed", err.kind)
      assert.equal("not_sent", err.outcome)
    end
    local _, err = client:dry_run("send_template", hello)
    assert.equal("closed", err.kind)
    assert.equal("connectly.client (closed)", tostring(client))
  end)

  it("raises at a use that is wrong, in both faces", function()
    local client = new(plain)
    assert.has_error(function() client.send_template(hello) end)
    assert.has_error(function() client:dry_run("send_nothing", hello) end)
    assert.has_error(function() client.send_template("text", hello) end)
  end)

  it("keeps one connection for many messages", function()
    local client = new(plain)
    for _ = 1, 20 do
      assert(client:send_template(hello))
    end
    assert.equal(20, #plain:deliveries())
  end)

  it("serves two clients at once, each with its own key", function()
    local first, second = new(plain), new(plain, { api_key = "wrong" })
    assert(first:send_template(hello))
    local _, err = second:send_template(hello)
    assert.equal("auth", err.kind)
    assert(first:send_template(hello))
  end)

  it("is collected with its connections", function()
    for _ = 1, 50 do
      assert(new(plain):send_template(hello))
    end
    collectgarbage()
    collectgarbage()
    assert(new(plain):send_template(hello))
  end)

  it("stops waiting when its time is up, and says that the message may have gone", function()
    plain:reply { status = 200, body = '{"id":"x"}', delay = 5 }
    local _, err = new(plain, { timeout = 0.2 }):send_template(hello)
    assert.equal("timeout", err.kind)
    assert.equal("unknown", err.outcome)
    assert.is_false(err.retryable)
  end)
end)

describe("the options", function()
  local function fault(changes)
    local options = { api_key = "k", business_id = "b" }
    for name, value in pairs(changes) do
      options[name] = value ~= "none" and value or nil
    end
    local client, err = safe.new(options)
    assert.is_nil(client)
    assert.equal("config", err.kind)
    assert.equal("not_sent", err.outcome)
    return err
  end

  local cases = {
    { "api_key", "none", "missing" }, { "business_id", "none", "missing" },
    { "api_key", "", "must not be empty" }, { "api_key", 5, "string expected, got number" },
    { "api_key", "a\r\nX-Other: b", "control byte" }, { "api_key", "a\0b", "control byte" },
    { "api_key", "key\n", "line break at its end" }, { "api_key", " key", "blank" },
    { "business_id", "", "must not be empty" }, { "business_id", "..", "segment" },
    { "business_id", "a\nb", "control byte" },
    { "base_url", "http://api.connectly.ai", "https:// expected" },
    { "base_url", "http://localhost.example.com", "https:// expected" },
    { "base_url", "http://127.0.0.1.example.com", "https:// expected" },
    { "base_url", "http://127.0.0.1@example.com", "no password" },
    { "base_url", "https://user:pass@example.com", "no password" }, { "limiter", 5, "one of connectly.limiter expected" },
    { "base_url", "https://example.com?x=1", "only a host" }, { "base_url", "https://example.com/a?x", "plain path" },
    { "base_url", "https://example.com/../x", "plain path" }, { "base_url", "ftp://example.com", "https://" },
    { "base_url", "https://", "host name" }, { "base_url", "https://example.com:99999", "port" },
    { "base_url", "file:///etc/passwd", "https://" },
    { "sender", "4155", "E.164" }, { "timeout", 0, "number from" }, { "timeout", "5", "number expected" },
    { "timeout", 0 / 0, "number from" }, { "max_in_flight", 1.5, "whole number" }, { "max_attempts", 0, "number from" },
    { "http2", 1, "boolean expected" }, { "ca_file", "/nonexistent", "cannot be read" },
    { "on_event", true, "function expected" }, { "time_out", 5, "did you mean `timeout`" },
  }

  for _, case in ipairs(cases) do
    it(("%s = %q: %s"):format(case[1], tostring(case[2]), case[3]), function()
      local err = fault { [case[1]] = case[2] }
      assert.equal(case[1], err.param)
      assert.truthy(err.message:find(case[3], 1, true), err.message)
    end)
  end

  for _, url in ipairs {
    "https://api.connectly.ai", "https://example.com:8443/prefix/", "http://localhost:8080", "http://127.0.0.1",
    "http://127.8.9.10:1", "http://[::1]:8080", "HTTPS://Example.com",
  } do
    it("base_url may be " .. url, function()
      assert.truthy(safe.new { api_key = "k", business_id = "b", base_url = url })
    end)
  end

  it("a proxy does not go with plain HTTP, and its password is in no error", function()
    local _, err = safe.new { api_key = "k", business_id = "b", base_url = "http://127.0.0.1:1", proxy = "http://127.0.0.1:2" }
    assert.equal("proxy", err.param)
    for _, proxy in ipairs { "http://user:PASSWORD@:::1", "foo://user:PASSWORD@h", "http://user:PASSWORD@127.0.0.1:99999" } do
      local client = assert(safe.new {
        api_key = "k", business_id = "b", base_url = "https://localhost:1", proxy = proxy, max_attempts = 1,
      })
      _, err = client:send_template(hello)
      assert.equal("not_sent", err.outcome)
      assert.is_nil(tostring(err):find("PASSWORD", 1, true))
    end
  end)

  it("takes a key of any printable characters", function()
    assert.truthy(safe.new { api_key = "a+/=~ b{}\"'", business_id = "biz_01" })
  end)

  it("raises what is wrong in the raising face", function()
    local is_made, err = pcall(connectly.new, {})
    assert.is_false(is_made)
    assert.is_true(connectly.is_error(err))
  end)

  it("that are no table are refused", function()
    local _, err = safe.new("key")
    assert.equal("config", err.kind)
  end)
end)

describe("message_time", function()
  local cases = {
    { "01ARZ3NDEKTSV4RRFFQ69G5FAV", 1469922850.259 }, { "01FPW47QF69Y5JZH24605VAKQB", 1639473995.238 },
    { "01hf7yat00aaaaaaaaaaaaaaaa", 1700000000 }, { "7ZZZZZZZZZZZZZZZZZZZZZZZZZ", 281474976710.655 },
    { "8ZZZZZZZZZZZZZZZZZZZZZZZZZ", nil }, { "01ARZ3NDEKTSV4RRFFQ69G5FA", nil }, { "01ARZ3NDEKTSV4RRFFQ69G5FAU", nil },
    { "7b0e4f38-52f3-4f0e-8a55-1f6c2f0f9d11", nil }, { "", nil }, { 5, nil },
  }
  for _, case in ipairs(cases) do
    it("of " .. tostring(case[1]), function()
      assert.equal(case[2], connectly.message_time(case[1]))
    end)
  end
end)
