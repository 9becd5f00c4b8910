-- The sandbox's webhooks, as a server that was registered for them gets them.

local cjson = require "cjson"
local hmac = require "openssl.hmac"
local base64 = require("basexx").to_base64
local receivers = require "spec.support.receiver"
local sandboxes = require "spec.support.sandbox"

local customer, business = "+14155550123", "+14155550100"

local function sign(secret, body)
  return base64(hmac.new(secret, "sha256"):final(body))
end

local function template(changes)
  local body = { number = customer, templateName = "any_thing", language = "en" }
  for key, value in pairs(changes or {}) do
    body[key] = value
  end
  return body
end

describe("a sandbox's webhooks", function()
  local sandbox, receiver

  setup(function()
    sandbox, receiver = sandboxes.start(), receivers.start()
  end)

  teardown(function()
    sandbox:stop()
    receiver:stop()
  end)

  before_each(function()
    sandbox:reset()
    sandbox:turn("webhooks", { pace = 0.01, backoff = 0.01 })
    receiver:clear()
  end)

  local function register(topic, configuration)
    local reply = sandbox:call("POST", "/create/webhooks", {
      topic = topic, address = receiver.address, configuration = configuration,
    })
    assert.equal(200, reply.status, reply.body)
    return reply.json.id
  end

  local function send(body)
    local reply = sandbox:call("POST", "/send/whatsapp_templated_messages", body)
    assert.equal(200, reply.status, reply.body)
    return reply.json.id
  end

  -- Until all that was under way has come or was given up.
  local function settle()
    receiver:serve_until(function()
      return sandbox:webhooks().waiting == 0
    end)
    return receiver.requests
  end

  local function statuses(requests)
    local list = {}
    for index, each in ipairs(requests) do
      list[index] = each.json.statusUpdate.status
    end
    return list
  end

  it("tell that a message was sent, delivered and read", function()
    register("delivery_status")
    local id = send(template({ campaignName = "promo-november" }))
    local requests = receiver:wait(3)
    assert.same({ "sent", "delivered", "read" }, statuses(requests))
    for _, each in ipairs(requests) do
      assert.equal("POST", each.method)
      assert.equal("/hooks?from=connectly", each.path)
      assert.equal("text/plain; charset=utf-8", each.header("content-type"))
      assert.equal(sign("sandbox-secret", each.body), each.header("x-connectly-hmac-sha256"))
      assert.equal("delivery_status", each.json.topic)
      assert.equal(id, each.json.statusUpdate.id)
      assert.equal(cjson.null, each.json.statusUpdate.error)
      assert.truthy(each.json.timestamp:find("^%d+$"))
      assert.same({ id = business, channelType = "whatsapp", name = cjson.null }, each.json.sender)
      assert.same({ id = customer, channelType = "whatsapp", name = cjson.null }, each.json.recipient)
      assert.same({ campaign_name = "promo-november" }, each.json.metadata)
      assert.is_nil(each.json.callbackData)
    end
    assert.equal("read", sandbox:deliveries()[1].status)
  end)

  it("are what connectly.webhook verifies and parses", function()
    sandbox:turn("webhooks", { secret = "another" })
    register("delivery_status")
    local id = send(template({ callbackData = "ticket-9" }))
    local webhook = require("connectly.webhook").new({ secret = "another" })
    local first = receiver:wait(1)[1]
    assert.is_true(webhook:verify(first.body, first.header("x-connectly-hmac-sha256")))
    assert.falsy(webhook:verify(first.body .. " ", first.header("x-connectly-hmac-sha256")))
    local event = webhook:parse(first.body)
    assert.same({ "status", "sent", id, "ticket-9" }, { event.kind, event.status, event.id, event.callback_data })
    settle()
  end)

  describe("give back callbackData byte by byte:", function()
    local cases = {
      '{ "b":1,\t"a" : [ ] , "n":12345678901234567890, "e":1E2 }', '"\\u00e9\\/"', "[]", "{}", "0.10", "false",
    }
    for _, case in ipairs(cases) do
      it(case, function()
        register("delivery_status")
        send(('{"number":"%s","templateName":"any_x","language":"en","callbackData":%s}'):format(customer, case))
        for _, each in ipairs(receiver:wait(3)) do
          assert.truthy(each.body:find('"callbackData":' .. case, 1, true), each.body)
        end
      end)
    end

    it("not when it was null", function()
      register("delivery_status")
      send(template({ callbackData = cjson.null }))
      assert.is_nil(receiver:wait(3)[1].json.callbackData)
    end)
  end)

  it("come again while the answer is anything but 200, and no longer", function()
    register("delivery_status")
    receiver.answers = { 500, 204 }
    send(template())
    local requests = settle()
    assert.same({ "sent", "sent", "sent", "delivered", "read" }, statuses(requests))
    assert.equal(requests[1].body, requests[2].body)
    assert.equal(requests[1].body, requests[3].body)
    local seen = {}
    for index, attempt in ipairs(sandbox:webhooks().attempts) do
      seen[index] = { attempt.attempt, attempt.status }
    end
    assert.same({ { 1, 500 }, { 2, 204 }, { 3, 200 }, { 1, 200 }, { 1, 200 } }, seen)
  end)

  it("are given up after so many repetitions", function()
    sandbox:turn("webhooks", { retries = 2, read = false })
    register("delivery_status")
    receiver.answers = { 500, 500, 500, 500, 500, 500 }
    send(template())
    assert.same({ "sent", "sent", "sent", "delivered", "delivered", "delivered" }, statuses(settle()))
  end)

  it("come once only when repetitions are switched off", function()
    sandbox:turn("webhooks", { retries = 0 })
    register("delivery_status")
    receiver.answers = { 500 }
    send(template())
    assert.same({ "sent", "delivered", "read" }, statuses(settle()))
  end)

  it("do not wait longer than their deadline", function()
    sandbox:turn("webhooks", { timeout = 0.1, retries = 1 })
    register("delivery_status")
    receiver.answers = { false }
    send(template())
    assert.same({ "sent", "sent", "delivered", "read" }, statuses(settle()))
    assert.is_nil(sandbox:webhooks().attempts[1].status)
    assert.is_string(sandbox:webhooks().attempts[1].reason)
  end)

  it("survive a server that is not there", function()
    sandbox:turn("webhooks", { retries = 1 })
    sandbox:call("POST", "/create/webhooks", { topic = "delivery_status", address = "http://127.0.0.1:1/" })
    send(template())
    settle()
    assert.equal(6, #sandbox:webhooks().attempts)
  end)

  it("do not tell of what scripts accepted and was no message", function()
    register("messages", { echo = true })
    sandbox:reply({ status = 200 })
    sandbox:call("POST", "/send/messages", { number = customer })
    settle()
    assert.equal(0, #receiver.requests)
    sandbox:inbound({ number = customer, text = "Hi" })
    receiver:wait(1)
  end)

  it("stop with a reset", function()
    sandbox:turn("webhooks", { pace = 60 })
    register("delivery_status")
    send(template())
    assert.equal(1, sandbox:webhooks().waiting)
    sandbox:reset()
    assert.equal(0, sandbox:webhooks().waiting)
    assert.same({}, cjson.decode(sandbox:call("GET", "/webhooks").body).entity.webhooks)
  end)

  it("go where they were registered last", function()
    local id = register("delivery_status")
    sandbox:call("PUT", "/update/webhooks/" .. id, { address = receiver.address:gsub("hooks", "moved") })
    send(template())
    for _, each in ipairs(receiver:wait(3)) do
      assert.equal("/moved?from=connectly", each.path)
    end
  end)

  local function in_an_hour()
    local now = sandbox:request({ path = "/_sandbox/health" }).json.now
    return os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(now) + 3600)
  end

  it("go nowhere when they no longer are registered", function()
    local id = register("delivery_status")
    sandbox:call("POST", "/send/campaigns", { entries = { {
      client = customer, campaignName = "welcome", scheduledAt = in_an_hour() } } })
    sandbox:call("DELETE", "/delete/webhooks/" .. id)
    sandbox:clock({ advance = 3601 })
    assert.equal(0, #settle())
  end)

  it("tell of a failed delivery, and why", function()
    register("delivery_status")
    local id = send(template({ number = "+15005550116", callbackData = { invoice = 77 } }))
    local requests = receiver:wait(2)
    assert.same({ "sent", "delivery_failed" }, statuses(requests))
    local failed = requests[2].json
    assert.equal(id, failed.statusUpdate.id)
    assert.equal("ERROR_CODE_BUSINESS_REACHED_LIMITS", failed.statusUpdate.error.code)
    assert.truthy(requests[2].body:find('"cntTraceId":"%d+"'))
    assert.same({ invoice = 77 }, failed.callbackData)
  end)

  it("are spelt as on older pages, on demand", function()
    sandbox:turn("webhooks", { old_spellings = true })
    register("delivery_status")
    send(template({ number = "+15005550118", campaignName = "promo" }))
    local update = receiver:wait(2)[2].json
    assert.equal("delivery_failure", update.statusUpdate.status)
    assert.same({ campaignName = "promo" }, update.statusUpdate.metadata)
    assert.equal(cjson.null, update.metadata)
  end)

  it("are for those campaigns alone that the filters name", function()
    register("delivery_status", { filters = { { field = "campaign_name", expression = "promo-*.x" } } })
    for _, name in ipairs({ "promo-1.x", "promo-1yx", "other" }) do
      send(template({ campaignName = name }))
    end
    send(template())
    local requests = settle()
    assert.equal(3, #requests)
    assert.equal("promo-1.x", requests[1].json.metadata.campaign_name)
  end)

  it("are not for other channels", function()
    register("delivery_status", { channelTypes = { "sms" } })
    send(template())
    assert.equal(0, #settle())
  end)

  it("show the business its own messages when it wants an echo", function()
    register("messages", { echo = true })
    send({ number = customer, templateName = "order_shipped", language = "en_US", parameters = {
      { name = "body_1", value = "Ana" }, { name = "body_2", value = "A-1" } } })
    local echo = receiver:wait(1)[1].json
    assert.equal("messages", echo.topic)
    assert.equal(business, echo.sender.id)
    assert.equal(customer, echo.recipient.id)
    assert.same({ text = "Hi Ana, order A-1 left our store.", isEcho = true }, echo.message)
    sandbox:inbound({ number = customer })
    sandbox:call("POST", "/send/messages", {
      recipient = { id = customer, channelType = "whatsapp" }, message = { text = "Hello" } })
    assert.same({ text = "Hello", isEcho = true }, receiver:wait(2)[2].json.message)
  end)

  it("come for campaigns, too, and for scheduled ones when it is time", function()
    register("delivery_status")
    local reply = sandbox:call("POST", "/send/campaigns", { entries = { {
      client = customer, campaignName = "welcome", scheduledAt = in_an_hour(),
    }, { client = "+14155550124", campaignName = "welcome" } } })
    assert.equal(2, reply.json.data[1].acceptedCount)
    for _, each in ipairs(receiver:wait(3)) do
      assert.equal("+14155550124", each.json.recipient.id)
      assert.equal("welcome", each.json.metadata.campaign_name)
    end
    sandbox:clock({ advance = 3601 })
    assert.equal(customer, receiver:wait(6)[4].json.recipient.id)
  end)

  it("are registered from the start when the command says so", function()
    local own = sandboxes.start({ webhook = receiver.address, webhook_secret = "it's mine", webhook_retries = 0 })
    finally(function()
      own:stop()
    end)
    assert.equal("it's mine", own.webhook_secret)
    assert.equal(3, #own:call("GET", "/webhooks").json.entity.webhooks)
    own:inbound({ number = customer, text = "Hi" })
    local request = receiver:wait(1)[1]
    assert.equal(sign("it's mine", request.body), request.header("x-connectly-hmac-sha256"))
  end)

  describe("on what customers write", function()
    before_each(function()
      register("messages")
    end)

    local function receive(message)
      sandbox:inbound(message)
      local requests = settle()
      return requests[#requests].json
    end

    it("bring text, and open the window", function()
      local event = receive({ number = customer, name = "Ana", text = "Open today?" })
      assert.equal("messages", event.topic)
      assert.same({ id = customer, channelType = "whatsapp", name = "Ana" }, event.sender)
      assert.same({ id = business, channelType = "whatsapp", name = cjson.null }, event.recipient)
      assert.same({ text = "Open today?" }, event.message)
      assert.equal(200, sandbox:call("POST", "/send/messages", {
        recipient = { id = customer, channelType = "whatsapp" }, message = { text = "Hello" } }).status)
    end)

    it("bring media", function()
      local image = { type = "image", url = "https://cdn.connectly.ai/example/abc" }
      assert.same({ image }, receive({ number = customer, attachment = image }).message.attachments)
    end)

    it("bring the ad a customer came from", function()
      local referral = { sourceId = "120000000000000000", sourceType = "ad", headline = "Autumn sale" }
      assert.same(referral, receive({ number = customer, text = "I saw", referral = referral }).message.referral)
    end)

    it("bring a button, and the callbackData of its message", function()
      local id = send(template({ callbackData = "first" }))
      send(template({ callbackData = "second" }))
      local event = receive({ number = customer, button = { text = "Yes", payload = "1" } })
      assert.same({ text = "Yes", payload = "1" }, event.buttonResponse)
      assert.equal("second", event.callbackData)
      assert.truthy(event.context.replyToId:find("^%x+%-%x+%-4%x+%-a%x+%-%x+$"))
      assert.is_nil(event.message)
      event = receive({ number = customer, button = { text = "Yes" }, reply_to = id })
      assert.equal("first", event.callbackData)
    end)

    it("bring the callbackData of a quoted message", function()
      local id = send(template({ callbackData = { a = 1 } }))
      assert.same({ a = 1 }, receive({ number = customer, text = "This one", reply_to = id }).callbackData)
      assert.is_nil(receive({ number = customer, text = "Nothing quoted" }).callbackData)
    end)

    it("bring customers without a number", function()
      local user = "US.13491208655302741918"
      local event = receive({ user_id = user, text = "Hi" })
      assert.same({ id = user, channelType = "whatsapp", name = cjson.null, userId = user, phoneNumber = "" },
        event.sender)
      event = receive({ user_id = user, number = customer, text = "Hi" })
      assert.same({ customer, user, customer }, { event.sender.id, event.sender.userId, event.sender.phoneNumber })
    end)

    it("come in the shapes of older pages", function()
      local event = receive({ number = customer, button = { text = "Yes" }, old = true })
      assert.is_nil(event.topic)
      assert.equal("14155550100", event.recipient.id)
      assert.same({ text = "Yes", isButtonResponse = true }, event.message)
      assert.is_nil(receive({ number = customer, text = "Hi", without_topic = true }).topic)
    end)

    for reason, message in pairs({
      ["nobody"] = { text = "Hi" },
      ["an unknown message"] = { number = customer, text = "Hi", reply_to = "x" },
      ["a kind of media that is none"] = { number = customer, attachment = { type = "x", url = "https://e.com" } },
    }) do
      it("refuse " .. reason, function()
        local reply = sandbox:request({ method = "POST", path = "/_sandbox/inbound", body = cjson.encode(message) })
        assert.equal(400, reply.status)
      end)
    end
  end)

  it("tell of a report that was run", function()
    register("report")
    sandbox:turn("report", { name = "Mine", type = "campaign.weekly.v1" })
    local event = receiver:wait(1)[1].json
    assert.equal("report", event.topic)
    assert.truthy(event.timestamp:find("^%d+%-%d%d%-%d%dT.*Z$"))
    assert.equal("Mine", event.report.name)
    assert.equal("completed", event.report.last_run.status)
    assert.is_string(event.report.last_run.result.url)
    assert.is_string(event.report.last_run.result.expires_at)
  end)
end)

describe("a sandbox's webhooks over TLS", function()
  it("go to those alone whom it trusts", function()
    local server = sandboxes.start({ tls = true })
    finally(function()
      server:stop()
    end)
    local function post(trust)
      local own = sandboxes.start({
        webhook = server.base_url .. "/_sandbox/reset", webhook_retries = 0, trust = trust,
      })
      own:inbound({ number = customer, text = "Hi" })
      local seen
      repeat
        seen = own:webhooks()
      until seen.waiting == 0
      own:stop()
      return seen.attempts[1]
    end
    assert.equal(200, post(server.ca_file).status)
    assert.truthy(post().reason:find("verify failed"))
  end)
end)

describe("a sandbox's poster", function()
  local cqueues_socket = require "cqueues.socket"
  local cqueues = require "cqueues"

  -- What it sees of a server that says `reply` and then does `finally_do`.
  local function post_to(reply, finally_do)
    local listener = assert(cqueues_socket.listen("127.0.0.1", 0))
    assert(listener:listen())
    local _, _, port = listener:localname()
    local status, reason
    local loop = cqueues.new()
    local is_over = false
    loop:wrap(function()
      local socket = listener:accept(5)
      socket:onerror(function(_, _, why) return why end)
      socket:setmode("bn", "bn")
      -- To close on what was not read would take the reply back.
      for line in socket:lines("*l") do
        if line:match("^\r?$") then
          break
        end
      end
      socket:read(#"{}")
      while reply and not is_over and socket:write(reply) and socket:flush() do
        if not finally_do then
          break
        end
        finally_do()
      end
      if not finally_do then
        socket:shutdown()
      end
    end)
    loop:wrap(function()
      local target = require("connectly.sandbox.check.address").parse(("http://127.0.0.1:%d/"):format(port))
      status, reason = require("connectly.sandbox.webhooks.post")(target, "{}", {}, 0.3)
      is_over = true
    end)
    local started = cqueues.monotime()
    assert(loop:loop(5))
    assert.is_true(cqueues.monotime() - started < 3)
    listener:close()
    return status, reason
  end

  local cases = {
    { "says 200", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200 },
    { "says 200 and the half of a body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{", 200 },
    { "announces first", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", 202 },
    { "hangs up", nil },
    { "stops in the first line", "HTTP/1.1 2" },
    { "stops in the headers", "HTTP/1.1 200 OK\r\nContent-Le" },
    { "says rubbish", ("rubbish"):rep(10000) },
  }
  for _, case in ipairs(cases) do
    it("gets along with a server that " .. case[1], function()
      local status, reason = post_to(case[2])
      assert.equal(case[3], status)
      assert.is_true(status ~= nil or type(reason) == "string")
    end)
  end

  it("leaves a server that only announces", function()
    local status, reason = post_to("HTTP/1.1 102 Processing\r\n\r\n", function()
      cqueues.sleep(0.01)
    end)
    assert.is_nil(status)
    assert.is_string(reason)
  end)

  it("leaves a server whose headers have no end", function()
    local is_first = true
    local status = post_to("HTTP/1.1 200 OK\r\nx: y\r\n" .. ("x: y\r\n"):rep(1000), function()
      cqueues.sleep(is_first and 0.01 or 5)
      is_first = false
    end)
    assert.is_nil(status)
  end)

  it("has a ceiling", function()
    local poster = require("connectly.sandbox.webhooks.poster").new({ beside = function() end })
    for _ = 1, 10003 do
      poster:submit({ function() end }, 1)
    end
    assert.same({ 10000, 3 }, { poster.waiting, poster.dropped })
  end)
end)

describe("the signature", function()
  it("is that of the known example", function()
    local poster = require("connectly.sandbox.webhooks.poster").new({ settings = { secret = "example-secret" } })
    local body = '{"topic":"delivery_status","timestamp":"1700000000","statusUpdate":'
      .. '{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","status":"read","error":null}}'
    assert.equal("Ldm2bkiSUSrrEKHejpUgQcwcaM6RcUfpQ9dCNKpVPiU=", poster:sign(body))
  end)
end)
