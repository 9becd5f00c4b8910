-- What goes wrong in a sandbox: magic numbers and names, faults, rate limits.

local cjson = require "cjson"
local cqueues = require "cqueues"
local cqueues_socket = require "cqueues.socket"
local errno = require "cqueues.errno"
local receivers = require "spec.support.receiver"
local sandboxes = require "spec.support.sandbox"

local customer = "+14155550123"

--- API: error codes.
local codes = {
  "ERROR_CODE_INVALID_SENDER_ID", "ERROR_CODE_PHONE_NUMBER_BAD_FORMAT", "ERROR_CODE_MESSAGE_PHONE_NUMBER_INVALID",
  "ERROR_CODE_MESSAGE_SELF_INVALID", "ERROR_CODE_MESSAGE_TEXT_EMPTY",
  "ERROR_CODE_MESSAGE_ATTACHMENTS_NUMBER_INVALID", "ERROR_CODE_MESSAGE_ATTACHMENT_EMPTY",
  "ERROR_CODE_MESSAGE_ATTACHMENT_INVALID", "ERROR_CODE_MESSAGE_TEMPLATE_NOT_FOUND",
  "ERROR_CODE_MESSAGE_TEMPLATE_INPUT_INVALID", "ERROR_CODE_MESSAGE_TEMPLATE_DELETED",
  "ERROR_CODE_MESSAGE_OUTSIDE_OF_ELIGIBILITY_WINDOW", "ERROR_CODE_MESSAGE_CUSTOMER_NO_CONVERSATION_INITIATION",
  "ERROR_CODE_MESSAGE_CUSTOMER_OPTED_OUT", "ERROR_CODE_BUSINESS_MISSES_MATCHING_CHANNEL",
  "ERROR_CODE_BUSINESS_REACHED_LIMITS", "ERROR_CODE_BUSINESS_KEY_SECRET_ABSENT", "ERROR_CODE_UNSPECIFIED",
}

describe("a sandbox", function()
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
    receiver:clear()
  end)

  local function template(number, name)
    return { number = number or customer, templateName = name or "any_x", language = "en" }
  end

  local function send(number, name)
    return sandbox:call("POST", "/send/whatsapp_templated_messages", template(number, name))
  end

  local function send_session(number)
    return sandbox:call("POST", "/send/messages", {
      recipient = { id = number, channelType = "whatsapp" }, message = { text = "Hello" } })
  end

  -- lua-http as a client waits for ever on a peer that has gone.
  local function send_bare(number, name)
    local body = cjson.encode(template(number, name))
    local host, port = sandbox.base_url:match("^http://([%d.]+):(%d+)$")
    local socket = assert(cqueues_socket.connect(host, tonumber(port)))
    socket:setmode("bn", "bn")
    socket:settimeout(5)
    socket:onerror(function(_, _, reason)
      return reason
    end)
    socket:write("POST /v1/businesses/sandbox-business/send/whatsapp_templated_messages HTTP/1.1\r\n"
      .. ("Connection: close\r\nX-API-Key: %s\r\nContent-Length: %d\r\n\r\n%s"):format(sandbox.api_key, #body, body))
    local reply, problem = socket:read("*a")
    socket:close()
    return reply or "", problem
  end

  local function settle()
    receiver:serve_until(function()
      return sandbox:webhooks().waiting == 0
    end)
    return receiver.requests
  end

  local function error_type(code)
    return code == "ERROR_CODE_MESSAGE_OUTSIDE_OF_ELIGIBILITY_WINDOW" and "ERROR_TYPE_DEADLINE_EXCEEDED"
      or "ERROR_TYPE_INVALID_REQUEST"
  end

  for index, code in ipairs(codes) do
    local suffix = code:gsub("^ERROR_CODE_", ""):lower()

    it("refuses by magic with " .. code, function()
      local number = ("+1500555%04d"):format(index)
      for _, reply in ipairs({ send(number), send_session(number), send(nil, "refuse_" .. suffix) }) do
        assert.equal(400, reply.status)
        assert.same({ code, error_type(code) }, { reply.json.code, reply.json.type })
        assert.is_string(reply.json.userTitle)
      end
      assert.equal(0, #sandbox:deliveries())
    end)

    it("lets a delivery fail by magic with " .. code, function()
      sandbox:turn("webhooks", { address = receiver.address, topic = "delivery_status", pace = 0 })
      local number = ("+1500555%04d"):format(100 + index)
      for _, reply in ipairs({ send(number), send_session(number), send(nil, "fail_" .. suffix) }) do
        assert.equal(200, reply.status, reply.body)
      end
      local failed = 0
      for _, each in ipairs(settle()) do
        local update = each.json.statusUpdate
        failed = failed + (update.status == "delivery_failed" and update.error.code == code and 1 or 0)
      end
      assert.equal(3, failed)
    end)
  end

  it("lists its magic", function()
    local magic = sandbox:request({ path = "/_sandbox/magic" }).json.magic
    assert.equal(18 + 18 + 14, #magic)
    assert.same({ number = "+15005550001", template = "refuse_invalid_sender_id",
      does = "400 ERROR_CODE_INVALID_SENDER_ID" }, magic[1])
  end)

  local faults = {
    { "reply_lost", "+15005550201", reply = "^$", delivered = 1 },
    { "request_lost", "+15005550202", reply = "^$", delivered = 0 },
    { "reply_cut", "+15005550203", reply = '^HTTP/1.1 200 OK\r\n.*\r\n{"id":"[^}]*$', delivered = 1 },
    { "rate_limited", "+15005550204", reply = "^HTTP/1.1 429 ", delivered = 0 },
    { "retry_after", "+15005550205", reply = "^HTTP/1.1 429 .*retry%-after: 1\r\n", delivered = 0 },
    { "server_error", "+15005550207", reply = "^HTTP/1.1 500 ", delivered = 0 },
    { "server_error_accepted", "+15005550208", reply = "^HTTP/1.1 500 ", delivered = 1 },
    { "unavailable", "+15005550209", reply = "^HTTP/1.1 503 ", delivered = 0 },
  }
  for _, case in ipairs(faults) do
    it("fails as it should: " .. case[1], function()
      local function check(number, name, count)
        local reply = send_bare(number, name)
        assert.truthy(reply:find(case.reply), reply)
        assert.equal(count * case.delivered, #sandbox:deliveries())
      end
      check(case[2], nil, 1)
      check(nil, "fault_" .. case[1], 2)
      sandbox:fault({ fault = case[1] })
      check(nil, nil, 3)
      local accepted = #sandbox:deliveries()
      assert.equal(200, send().status)
      assert.equal(accepted + 1, #sandbox:deliveries())
    end)
  end

  it("ends a connection as a machine that goes, and as one that crashes", function()
    assert.same({ "", nil }, { send_bare("+15005550201") })
    for index, case in ipairs({ { "+15005550214" }, { nil, "fault_reset" } }) do
      local reply, problem = send_bare(case[1], case[2])
      assert.same({ "", errno.ECONNRESET }, { reply, problem })
      assert.equal(1 + index, #sandbox:deliveries())
    end
  end)

  it("tells no Retry-After unless asked", function()
    assert.is_nil(send("+15005550204").headers:get("retry-after"))
  end)

  it("is busy once, then not", function()
    for _, status in ipairs({ 429, 200, 429, 200 }) do
      assert.equal(status, send("+15005550206").status)
    end
    assert.equal(2, #sandbox:deliveries())
  end)

  it("is slow for as long as it is told", function()
    sandbox:fault({ fault = "slow", delay = 0.2 })
    local started = cqueues.monotime()
    assert.equal(200, send().status)
    assert.is_true(cqueues.monotime() - started >= 0.2)
  end)

  it("lets a delivery fail later, with the code it is told", function()
    sandbox:turn("webhooks", { address = receiver.address, pace = 0 })
    sandbox:fault({ fault = "delivery_failed", code = "ERROR_CODE_MESSAGE_CUSTOMER_OPTED_OUT" })
    send()
    assert.equal("ERROR_CODE_MESSAGE_CUSTOMER_OPTED_OUT", settle()[2].json.statusUpdate.error.code)
    receiver:clear()
    send("+15005550211")
    local failed = settle()[2].json.statusUpdate.error
    assert.same({ "ERROR_CODE_UNSPECIFIED", "ERROR_TYPE_UNSPECIFIED", "Internal server error" },
      { failed.code, failed.type, failed.message })
  end)

  it("keeps back what became of a message", function()
    sandbox:turn("webhooks", { address = receiver.address, pace = 0 })
    send("+15005550212")
    assert.equal("delivered", settle()[2].json.statusUpdate.status)
    send("+15005550213")
    assert.equal(2, #settle())
  end)

  it("fails where it is told to fail", function()
    sandbox:fault({ fault = "server_error_accepted", operation = "create_webhook" })
    assert.equal(200, send().status)
    local webhook = { topic = "report", address = "https://hooks.example.com" }
    assert.equal(500, sandbox:call("POST", "/create/webhooks", webhook).status)
    assert.equal(409, sandbox:call("POST", "/create/webhooks", webhook).status)
    sandbox:reply({ status = 503, operation = "list_templates", times = 2 })
    for _, status in ipairs({ 503, 503, 200 }) do
      assert.equal(status, sandbox:call("POST", "/get/templates").status)
    end
  end)

  it("lets a batch meet the faults of its clients", function()
    local function start(client)
      return sandbox:call("POST", "/send/campaigns", { entries = { { client = client, campaignName = "welcome" } } })
    end
    assert.equal(429, start("+15005550205").status)
    assert.equal(500, start("+15005550207").status)
    assert.equal(0, #sandbox:deliveries())
    assert.equal(500, start("+15005550208").status)
    assert.equal(1, #sandbox:deliveries())
  end)

  it("takes no fault that it does not know", function()
    for _, bad in ipairs({ { fault = "x" }, { fault = "slow", operation = "x" }, { times = 1 } }) do
      local reply = sandbox:request({ method = "POST", path = "/_sandbox/faults", body = cjson.encode(bad) })
      assert.equal(400, reply.status)
    end
  end)

  describe("when told to limit the rate", function()
    local asset = { uri = "https://files.example.com/h.png" }

    it("lets so many requests through in any second", function()
      sandbox:turn("rate_limit", { sends = 3, assets = 1 })
      for _, status in ipairs({ 200, 200, 200, 429 }) do
        assert.equal(status, send().status)
      end
      assert.equal(3, #sandbox:deliveries())
      assert.equal(200, sandbox:call("POST", "/assets", asset).status)
      assert.equal(429, sandbox:call("GET", "/assets/x").status)
      assert.equal(200, sandbox:call("GET", "/webhooks").status)
      sandbox:turn("rate_limit", { enabled = false })
      assert.equal(200, send().status)
    end)

    it("does so from the start on the command line, and 200 at most", function()
      local limited = sandboxes.start({ rate_limit = true })
      finally(function()
        limited:stop()
      end)
      limited:turn("rate_limit", { sends = 0 })
      local path = "/send/whatsapp_templated_messages"
      assert.equal(429, limited:call("POST", path, template()).status)
      limited:reset()
      assert.equal(200, limited:call("POST", path, template()).status)
    end)

    it("slides", function()
      local now = 100
      local rate = require("connectly.sandbox.state.rate").new(function() return now end, true)
      local function count(moment)
        now = moment
        local allowed = 0
        while rate:allows("sends") do
          allowed = allowed + 1
        end
        return allowed
      end
      rate:configure({ sends = 10 })
      assert.equal(10, count(100))
      assert.equal(0, count(100.999))
      assert.equal(10, count(101))
      rate:reset()
      assert.equal(200, count(102))
    end)
  end)
end)

describe("the sandbox command", function()
  local process = require "spec.support.process"

  local function run(arguments)
    local command = {}
    for index, word in ipairs(sandboxes.program()) do
      command[index] = process.quote(word)
    end
    return process.capture(table.concat(command, " ") .. " sandbox " .. arguments .. " 2>&1")
  end

  it("takes no webhook to where it may not go", function()
    for _, host in ipairs { "hooks.example.com", "127.0.0.256", "127.0.0.01" } do -- the last two are names
      assert.equal("connectly sandbox: webhook: https expected; http only to this machine\n",
        run("--webhook http://" .. host .. "/"), host)
    end
    assert.truthy(run("--webhook-retries 21"):find("from 0 to 20", 1, true))
  end)

  it("prints the magic", function()
    local text = run("--magic")
    assert.truthy(text:find("+15005550118", 1, true))
    assert.truthy(text:find("fault_reply_lost", 1, true))
  end)
end)
