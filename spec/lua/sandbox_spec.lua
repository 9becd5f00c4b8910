-- The sandbox, asked as clients ask it: over HTTP.

local cjson = require "cjson"
local cqueues = require "cqueues"
local cqueues_socket = require "cqueues.socket"
local support = require "spec.support.sandbox"

local customer, business_number = "+14155550123", "+14155550100"
local hour = 3600

local function copy(original)
  if type(original) ~= "table" then
    return original
  end
  local duplicate = {}
  for key, value in pairs(original) do
    duplicate[key] = copy(value)
  end
  return duplicate
end

local function with(original, changes)
  local changed = copy(original)
  for key, value in pairs(changes) do
    changed[key] = value
  end
  return changed
end

local function parameters(values)
  local list = {}
  for name, value in pairs(values) do
    list[#list + 1] = { name = name, value = value }
  end
  return list
end

local function template(changes)
  return with({
    number = customer, templateName = "hello", language = "en",
    parameters = parameters({ body_1 = "Ana" }),
  }, changes or {})
end

local function person(id)
  return { id = id, channelType = "whatsapp" }
end

local function session(message, changes)
  return with({ recipient = person(customer), message = message or { text = "Hello" } }, changes or {})
end

local function attachment(url, kind)
  return { type = kind or "image", url = url }
end

describe("a sandbox", function()
  local sandbox

  setup(function()
    sandbox = support.start()
  end)

  teardown(function()
    sandbox:stop()
  end)

  before_each(function()
    sandbox:reset()
  end)

  local function post(path, body, options)
    options = options or {}
    return sandbox:request({
      method = "POST",
      path = "/v1/businesses/" .. (options.business_id or sandbox.business_id) .. path,
      headers = options.headers or { ["X-API-Key"] = sandbox.api_key },
      body = type(body) == "table" and cjson.encode(body) or body,
      version = options.version,
    })
  end

  local function send_template(body, options)
    return post("/send/whatsapp_templated_messages", body, options)
  end

  local function send_session(body, options)
    return post("/send/messages", body, options)
  end

  -- lua-http as a client waits for ever on a peer that has gone, so what is
  -- broken is said and heard without it.
  local function say(bytes)
    local host, port = sandbox.base_url:match("^http://([%d.]+):(%d+)$")
    local socket = assert(cqueues_socket.connect(host, tonumber(port)))
    socket:setmode("bn", "bn")
    socket:settimeout(5)
    socket:onerror(function(_, _, reason)
      return reason
    end)
    socket:write(bytes)
    socket:shutdown("w")
    local reply = socket:read("*a")
    socket:close()
    return reply or ""
  end

  local function raw_request(body)
    return "POST /v1/businesses/sandbox-business/send/whatsapp_templated_messages HTTP/1.1\r\n"
      .. ("X-API-Key: %s\r\nContent-Length: %d\r\n\r\n%s"):format(sandbox.api_key, #body, body)
  end

  local function assert_accepted(reply)
    assert.equal(200, reply.status, reply.body)
    assert.truthy(reply.json.id:match("^[0-7][0-9A-HJKMNP-TV-Z]+$"))
    assert.equal(26, #reply.json.id)
  end

  local function assert_refused(reply, status, code, error_type)
    assert.equal(status, reply.status, reply.body)
    assert.equal(code, reply.json.code, reply.body)
    assert.equal(error_type or "ERROR_TYPE_INVALID_REQUEST", reply.json.type)
    for _, field in ipairs({ "message", "userTitle", "userMessage" }) do
      assert.is_string(reply.json[field])
    end
    assert.truthy(reply.json.cntTraceId:match("^%d+$"))
    assert.equal(20, #reply.json.cntTraceId)
    assert.is_table(reply.json.details)
    assert.equal(0, #sandbox:deliveries())
  end

  describe("accepts the template", function()
    local carousel = {
      body_1 = "Ana",
      ["card.0.header.image"] = "https://files.example.com/c0.jpg",
      ["card.0.body.0"] = "Boots",
      ["card.0.button.0.urlSuffix"] = "boots",
      ["card.1.header.image"] = "https://files.example.com/c1.jpg",
      ["card.1.body.0"] = "Coats",
      ["card.1.button.0.urlSuffix"] = "coats",
    }
    local confirmation = { body_1 = "John", body_2 = "98765", button_1_url_suffix = "track" }
    local function confirmed(header)
      return parameters(with(confirmation, header))
    end
    local cases = {
      { "with a body", template() },
      { "with two variables", template({
        templateName = "order_shipped", language = "en_US",
        parameters = parameters({ body_1 = "Ana", body_2 = "A-1007" }) }) },
      { "with document, suffix, sender, callbackData and campaignName", {
        sender = business_number, number = "+5511955550123",
        templateName = "invoice_ready", language = "pt_BR",
        parameters = {
          { name = "header_document", value = "https://files.example.com/77.pdf", filename = "77.pdf" },
          { name = "body_1", value = "Bruno" },
          { name = "button_1_url_suffix", value = "inv/77" },
        },
        callbackData = { invoice = 77 }, campaignName = "invoices-november" } },
      { "with a carousel", template({
        templateName = "autumn_carousel", parameters = parameters(carousel) }) },
      { "with any header: none", template({
        templateName = "order_confirmation", parameters = confirmed({}) }) },
      { "with any header: image", template({
        templateName = "order_confirmation",
        parameters = confirmed({ header_image = "https://files.example.com/h.png" }) }) },
      { "with any header: text", template({
        templateName = "order_confirmation", parameters = confirmed({ header_text = "Hi" }) }) },
      { "that takes anything", template({
        templateName = "any_thing", language = "xx", parameters = parameters({ var1 = "x" }) }) },
      { "without parameters, when it has none", template({
        templateName = "any_thing", parameters = cjson.null }) },
      { "with unknown keys, which are ignored", template({ unknown = { 1, 2 } }) },
    }
    for _, case in ipairs(cases) do
      it(case[1], function()
        assert_accepted(send_template(case[2]))
      end)
    end
  end)

  describe("refuses a template message", function()
    local input_invalid = "ERROR_CODE_MESSAGE_TEMPLATE_INPUT_INVALID"
    local invoice = { templateName = "invoice_ready", language = "pt_BR" }
    local function invoiced(values)
      return template(with(invoice, { parameters = parameters(values) }))
    end
    local function confirmed(values)
      return template({ templateName = "order_confirmation", parameters = parameters(with({
        body_1 = "a", body_2 = "b", button_1_url_suffix = "c" }, values)) })
    end
    local cases = {
      { "to a number without plus", template({ number = "14155550123" }), "ERROR_CODE_PHONE_NUMBER_BAD_FORMAT" },
      { "to a number with blanks", template({ number = "+1 415 555 0123" }), "ERROR_CODE_PHONE_NUMBER_BAD_FORMAT" },
      { "to too long a number", template({ number = "+1234567890123456" }), "ERROR_CODE_PHONE_NUMBER_BAD_FORMAT" },
      { "to an empty number", template({ number = "" }), "ERROR_CODE_PHONE_NUMBER_BAD_FORMAT" },
      { "to a malformed user id", template({ number = "bsuid:x" }), "ERROR_CODE_PHONE_NUMBER_BAD_FORMAT" },
      { "to a user id", template({ number = "bsuid:US.13491208655302741918" }),
        "ERROR_CODE_MESSAGE_PHONE_NUMBER_INVALID" },
      { "from a bad sender", template({ sender = "4155550100" }), "ERROR_CODE_INVALID_SENDER_ID" },
      { "from its recipient", template({ sender = customer }), "ERROR_CODE_MESSAGE_SELF_INVALID" },
      { "to the default sender", template({ number = business_number }), "ERROR_CODE_MESSAGE_SELF_INVALID" },
      { "of an unknown template", template({ templateName = "none" }), "ERROR_CODE_MESSAGE_TEMPLATE_NOT_FOUND" },
      { "in another language", template({ language = "en_US" }), "ERROR_CODE_MESSAGE_TEMPLATE_NOT_FOUND" },
      { "without its parameters", template({ parameters = cjson.null }), input_invalid },
      { "with misspelt parameters", template({ parameters = cjson.null, paramaters = {} }), input_invalid },
      { "with a parameter too many", template({
        parameters = parameters({ body_1 = "a", body_2 = "b" }) }), input_invalid },
      { "with a parameter twice", template({ parameters = {
        { name = "body_1", value = "a" }, { name = "body_1", value = "b" } } }), input_invalid },
      { "with an empty parameter", template({ parameters = parameters({ body_1 = "" }) }), input_invalid },
      { "with too long a parameter", template({
        parameters = parameters({ body_1 = ("x"):rep(1025) }) }), input_invalid },
      { "with the wrong kind of header", invoiced({
        header_image = "https://e.com/i.png", body_1 = "a", button_1_url_suffix = "b" }), input_invalid },
      { "with a header that is no address", invoiced({
        header_document = "i.pdf", body_1 = "a", button_1_url_suffix = "b" }), input_invalid },
      { "without its button", invoiced({
        header_document = "https://e.com/i.pdf", body_1 = "a" }), input_invalid },
      { "with two headers", confirmed({ header_text = "a", header_image = "https://e.com/i.png" }), input_invalid },
      { "with an incomplete card", template({
        templateName = "autumn_carousel", parameters = parameters({ body_1 = "a" }) }), input_invalid },
      { "with an object as sender", template({ sender = person(business_number) }), "ERROR_CODE_UNSPECIFIED" },
      { "without a number", { templateName = "hello", language = "en" }, "ERROR_CODE_UNSPECIFIED" },
      { "without a template name", { number = customer, language = "en" }, "ERROR_CODE_UNSPECIFIED" },
      { "without a language", { number = customer, templateName = "hello" }, "ERROR_CODE_UNSPECIFIED" },
      { "with a number as value", template({ parameters = { { name = "body_1", value = 1 } } }),
        "ERROR_CODE_UNSPECIFIED" },
      { "with parameters as an object", template({ parameters = { body_1 = "a" } }), "ERROR_CODE_UNSPECIFIED" },
      { "that is not JSON", "number=1", "ERROR_CODE_UNSPECIFIED" },
      { "that is an array", "[1]", "ERROR_CODE_UNSPECIFIED" },
      { "that is empty", "", "ERROR_CODE_UNSPECIFIED" },
      { "with trailing bytes", "{} x", "ERROR_CODE_UNSPECIFIED" },
      { "that is not UTF-8", '{"number":"\255"}', "ERROR_CODE_UNSPECIFIED" },
      { "that is nested without end", ("["):rep(5000), "ERROR_CODE_UNSPECIFIED" },
    }
    for _, case in ipairs(cases) do
      it(case[1], function()
        assert_refused(send_template(case[2]), 400, case[3])
      end)
    end

    it("to a customer who opted out, who may still be answered", function()
      sandbox:opt_out({ number = customer })
      assert_refused(send_template(template()), 400, "ERROR_CODE_MESSAGE_CUSTOMER_OPTED_OUT")
      sandbox:inbound({ number = customer })
      assert_accepted(send_session(session()))
    end)
  end)

  describe("counts callbackData as it was sent", function()
    local text = '{ "callbackData" : %s , "number":"+14155550123","templateName":"any_x","language":"en" }'
    local cases = {
      { "1024 bytes", '"' .. ("x"):rep(1022) .. '"', 200 },
      { "1025 bytes", '"' .. ("x"):rep(1023) .. '"', 400 },
      { "1024 bytes with brackets in a string", '{"a":"' .. ("}"):rep(1014) .. '\\""}', 200 },
      { "escapes, as many bytes as they take", '"' .. ("\\u0041"):rep(171) .. '"', 400 },
      { "blanks inside", "[1," .. (" "):rep(1024) .. "2]", 400 },
    }
    for _, case in ipairs(cases) do
      it(case[1], function()
        local reply = send_template(text:format(case[2]))
        assert.equal(case[3], reply.status, reply.body)
      end)
    end
  end)

  describe("inside the 24-hour window accepts", function()
    local button = { id = "yes", text = "Yes" }
    local header = { attachment = attachment("https://files.example.com/h.png") }
    local cases = {
      { "text", { text = "Hello" } },
      { "an attachment", { attachments = {
        { type = "document", url = "https://files.example.com/m.pdf", caption = "Menu", filename = "m.pdf" } } } },
      { "a location", { location = { latitude = 49.2827, longitude = -123.1207, name = "Store" } } },
      { "a list", { text = "Pick", listMessage = {
        header = { text = "Booking" }, footer = { text = "Local" }, button = { text = "Times" },
        sections = { { title = "Monday", rows = {
          { id = "9", text = "09:00", description = "30 minutes" }, { id = "10", text = "10:00" } } } } } } },
      { "reply buttons", { text = "Sure?", replyButtonMessage = { header = header, buttons = { button } } } },
      { "a product", { singleProductMessage = {
        catalogId = "1", productItem = { productRetailerId = "SKU-1" } } } },
      { "products", { text = "Ours", multiProductMessage = { header = { text = "All" } } } },
    }
    for _, case in ipairs(cases) do
      it(case[1], function()
        sandbox:inbound({ number = customer })
        assert_accepted(send_session(session(case[2])))
      end)
    end
  end)

  describe("inside the 24-hour window refuses", function()
    local url = "https://files.example.com/a.png"
    local function list(rows)
      return { text = "Pick", listMessage = { button = { text = "B" }, sections = { { rows = rows } } } }
    end
    local function buttons(count)
      local all = {}
      for index = 1, count do
        all[index] = { id = tostring(index), text = "B" }
      end
      return { text = "Sure?", replyButtonMessage = { buttons = all } }
    end
    local row = { id = "1", text = "Row" }
    local unspecified = "ERROR_CODE_UNSPECIFIED"
    local cases = {
      { "empty text", session({ text = "" }), "ERROR_CODE_MESSAGE_TEXT_EMPTY" },
      { "too long a text", session({ text = ("x"):rep(4097) }), unspecified },
      { "two attachments", session({ attachments = { attachment(url), attachment(url) } }),
        "ERROR_CODE_MESSAGE_ATTACHMENTS_NUMBER_INVALID" },
      { "no attachment", '{"recipient":{"id":"+14155550123","channelType":"whatsapp"},"message":{"attachments":[]}}',
        "ERROR_CODE_MESSAGE_ATTACHMENTS_NUMBER_INVALID" },
      { "an attachment without address", session({ attachments = { { type = "image" } } }),
        "ERROR_CODE_MESSAGE_ATTACHMENT_EMPTY" },
      { "an attachment with an empty address", session({ attachments = { attachment("") } }),
        "ERROR_CODE_MESSAGE_ATTACHMENT_EMPTY" },
      { "an attachment with a bad address", session({ attachments = { attachment("a b") } }),
        "ERROR_CODE_MESSAGE_ATTACHMENT_INVALID" },
      { "an unknown kind of attachment", session({ attachments = { attachment(url, "sticker") } }), unspecified },
      { "no content", session({ id = "x" }), unspecified },
      { "two contents", session({ attachments = { attachment(url) }, location = { latitude = 1, longitude = 1 } }),
        unspecified },
      { "text beside an attachment", session({ text = "x", attachments = { attachment(url) } }), unspecified },
      { "a place outside the world", session({ location = { latitude = 91, longitude = 0 } }), unspecified },
      { "a place in strings", session({ location = { latitude = "1", longitude = "1" } }), unspecified },
      { "a list without text", session(with(list({ row }), { text = cjson.null })),
        "ERROR_CODE_MESSAGE_TEXT_EMPTY" },
      { "a row id twice", session(list({ row, row })), unspecified },
      { "four buttons", session(buttons(4)), unspecified },
      { "a string as sender", session(nil, { sender = business_number }), unspecified },
      { "a bad sender", session(nil, { sender = person("1") }), "ERROR_CODE_INVALID_SENDER_ID" },
      { "another channel", session(nil, { recipient = { id = customer, channelType = "sms" } }),
        "ERROR_CODE_BUSINESS_MISSES_MATCHING_CHANNEL" },
      { "a recipient without channel", session(nil, { recipient = { id = customer } }), unspecified },
      { "a bad recipient", session(nil, { recipient = person("415") }), "ERROR_CODE_PHONE_NUMBER_BAD_FORMAT" },
      { "a user id", session(nil, { recipient = person("US.13491208655302741918") }),
        "ERROR_CODE_MESSAGE_PHONE_NUMBER_INVALID" },
      { "oneself", session(nil, { sender = person(customer) }), "ERROR_CODE_MESSAGE_SELF_INVALID" },
      { "a string as message", session(nil, { message = "Hello" }), unspecified },
    }
    for _, case in ipairs(cases) do
      it(case[1], function()
        sandbox:inbound({ number = customer })
        assert_refused(send_session(case[2]), 400, case[3])
      end)
    end
  end)

  describe("the 24-hour window", function()
    local never = "ERROR_CODE_MESSAGE_CUSTOMER_NO_CONVERSATION_INITIATION"
    local over = "ERROR_CODE_MESSAGE_OUTSIDE_OF_ELIGIBILITY_WINDOW"

    it("needs a customer who wrote", function()
      assert_refused(send_session(session()), 400, never)
    end)

    it("is open for 24 hours and then over", function()
      sandbox:inbound({ number = customer })
      sandbox:clock({ advance = 24 * hour - 60 })
      assert_accepted(send_session(session()))
      sandbox:clock({ advance = 120 })
      local reply = send_session(session())
      assert.equal(over, reply.json.code)
      assert.equal("ERROR_TYPE_DEADLINE_EXCEEDED", reply.json.type)
      assert.equal(400, reply.status)
    end)

    it("opens again with the next message", function()
      sandbox:inbound({ number = customer })
      sandbox:clock({ advance = 25 * hour })
      sandbox:inbound({ number = customer })
      assert_accepted(send_session(session()))
    end)

    it("belongs to the number that was written to", function()
      sandbox:inbound({ number = customer, sender = "+14155550199" })
      assert_accepted(send_session(session(nil, { sender = person("+14155550199") })))
      assert.equal(over, send_session(session()).json.code)
    end)
  end)

  describe("refuses a caller", function()
    local cases = {
      { "without a key", { headers = {} }, 401, "ERROR_TYPE_AUTHENTICATION" },
      { "with another key", { headers = { ["X-API-Key"] = "other" } }, 401, "ERROR_TYPE_AUTHENTICATION" },
      { "of another business", { business_id = "other" }, 404, "ERROR_TYPE_INVALID_REQUEST" },
    }
    for _, case in ipairs(cases) do
      it(case[1], function()
        assert_refused(send_template(template(), case[2]), case[3], "ERROR_CODE_UNSPECIFIED", case[4])
      end)
    end

    it("on an unknown path", function()
      assert.equal(404, post("/send/elsewhere", "{}").status)
    end)

    it("with another method", function()
      local path = "/v1/businesses/sandbox-business/send/messages"
      local reply = sandbox:request({ method = "PUT", path = path, body = "{}" })
      assert.equal(405, reply.status)
      assert.equal("POST", reply.headers:get("allow"))
    end)

    it("with more than 1 MiB, over each version of HTTP", function()
      for _, version in ipairs({ 1.1, 2 }) do
        local body = template({ filler = ("x"):rep(1024 * 1024) })
        assert.equal(413, send_template(body, { version = version }).status)
      end
      local deliveries, requests = sandbox:deliveries()
      assert.same({}, deliveries)
      assert.equal(2, requests)
    end)
  end)

  it("takes a business id that is percent-encoded", function()
    assert_accepted(send_template(template(), { business_id = "sandbox%2Dbusiness" }))
  end)

  describe("remembers", function()
    it("deliveries, byte by byte", function()
      local body = ' {"number":"+14155550123", "templateName":"any_x","language":"en","x":"\195\169\\u0000"} '
      local reply = send_template(body)
      local deliveries = sandbox:deliveries()
      assert.equal(1, #deliveries)
      assert.equal(body, deliveries[1].body)
      assert.equal(reply.json.id, deliveries[1].id)
      assert.equal("send_template", deliveries[1].endpoint)
      assert.equal(customer, deliveries[1].number)
      assert.equal("1.1", deliveries[1].http_version)
      assert.equal(tostring(#body), deliveries[1].headers["content-length"])
      assert.is_nil(deliveries[1].headers["x-api-key"])
      assert.is_number(deliveries[1].received_at)
    end)

    it("the version of HTTP", function()
      assert_accepted(send_template(template(), { version = 2 }))
      assert.equal("2", sandbox:deliveries()[1].http_version)
    end)

    it("ids in order, each only once", function()
      local last = ""
      for _ = 1, 50 do
        local id = send_template(template()).json.id
        assert.is_true(id > last)
        last = id
      end
    end)

    it("requests that were refused", function()
      send_template(template({ number = "" }))
      send_template(template())
      local deliveries, requests = sandbox:deliveries()
      assert.equal(1, #deliveries)
      assert.equal(2, requests)
    end)

    it("nothing after a reset", function()
      send_template(template())
      sandbox:inbound({ number = customer })
      sandbox:opt_out({ number = customer })
      sandbox:reply({ status = 500 })
      sandbox:reset()
      local deliveries, requests = sandbox:deliveries()
      assert.same({}, deliveries)
      assert.equal(0, requests)
      assert_accepted(send_template(template()))
      assert.equal(400, send_session(session()).status)
    end)
  end)

  describe("answers by script", function()
    it("as often as it was told, then as usual", function()
      sandbox:reply({ status = 429, headers = { ["Retry-After"] = "2" }, body = "slow", times = 2 })
      for _ = 1, 2 do
        local reply = send_template(template())
        assert.equal(429, reply.status)
        assert.equal("2", reply.headers:get("retry-after"))
        assert.equal("slow", reply.body)
      end
      assert_accepted(send_template(template()))
      local deliveries, requests = sandbox:deliveries()
      assert.equal(1, #deliveries)
      assert.equal(3, requests)
    end)

    it("with an error body when none is given", function()
      sandbox:reply({ status = 503 })
      assert_refused(send_template(template()), 503, "ERROR_CODE_UNSPECIFIED", "ERROR_TYPE_UNSPECIFIED")
    end)

    it("while the message is delivered all the same", function()
      sandbox:reply({ status = 500, deliver = true })
      assert.equal(500, send_template(template()).status)
      assert.equal(1, #sandbox:deliveries())
    end)

    it("that all went well, although nothing was delivered", function()
      sandbox:reply({ status = 200, deliver = false, body = '{"id":"x"}' })
      assert.equal("x", send_template(template()).json.id)
      assert.equal(0, #sandbox:deliveries())
    end)

    it("with an empty body", function()
      sandbox:reply({ status = 201, body = "" })
      local reply = send_template(template())
      assert.equal(201, reply.status)
      assert.equal("", reply.body)
    end)

    it("late, and as usual", function()
      sandbox:reply({ delay = 0.2 })
      local started = cqueues.monotime()
      assert_accepted(send_template(template()))
      assert.is_true(cqueues.monotime() - started >= 0.2)
    end)

    for moment, seen in pairs({ before_reply = "^$", in_body = '^HTTP/1.1 200 OK\r\n.*\r\n{"id":"' }) do
      it("by hanging up " .. moment, function()
        sandbox:reply({ hang_up = moment })
        local reply = say(raw_request(cjson.encode(template())))
        assert.truthy(reply:match(seen))
        assert.is_nil(reply:match("}$"))
        assert.equal(1, #sandbox:deliveries())
      end)
    end

    it("only with what can be an answer", function()
      for _, bad in ipairs({ { status = 99 }, { status = "200" }, { hang_up = "x" }, { deliver = 1 } }) do
        local reply = sandbox:request({
          method = "POST", path = "/_sandbox/replies", body = cjson.encode({ replies = { bad } }),
        })
        assert.equal(400, reply.status)
      end
    end)
  end)

  it("takes further templates", function()
    sandbox:template({ name = "mine", language = "de", header = "video", body = 1, buttons = { 2 } })
    local mine = { templateName = "mine", language = "de", parameters = parameters({
      header_video = "https://files.example.com/v.mp4", body_1 = "x", button_2_url_suffix = "y" }) }
    assert_accepted(send_template(template(mine)))
  end)

  describe("survives", function()
    local post_line = "POST /v1/businesses/sandbox-business/send/messages HTTP/1.1\r\n"
    local cases = {
      { "rubbish", "rubbish\r\n\r\n", 400 },
      { "a header that is none", "GET / HTTP/1.1\r\nno colon\r\n\r\n", 400 },
      { "a chunk without a size", post_line .. "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400 },
      { "a chunk cut short", post_line .. "Transfer-Encoding: chunked\r\n\r\nff\r\nabc" },
      { "a body cut short", post_line .. "Content-Length: 100\r\n\r\n{}" },
      { "a large body cut short", post_line .. "Content-Length: 10000000\r\n\r\n{}", 413 },
      { "a length that is none", post_line .. "Content-Length: x\r\n\r\n{}" },
      { "a negative length", post_line .. "Content-Length: -1\r\n\r\n{}", 400 },
      { "a transfer coding that is none", post_line .. "Transfer-Encoding: x\r\n\r\n{}", 400 },
      { "an empty transfer coding", post_line .. "Transfer-Encoding: ,\r\n\r\n{}", 400 },
      { "a request line cut short", "POST /v1" },
      { "headers cut short", post_line .. "Content-Le" },
      { "a bad percent sign", "GET /v1/businesses/%zz%/send/messages HTTP/1.1\r\n\r\n", 405 },
      { "half of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\255rubbish" },
      { "zero bytes", ("\0"):rep(100) .. "\r\n\r\n", 400 },
      { "two requests, the second broken", "GET /x HTTP/1.1\r\n\r\nrubbish\r\n\r\n", 404 },
      { "nothing", "" },
    }
    for _, case in ipairs(cases) do
      it(case[1], function()
        local reply = say(case[2])
        if case[3] then
          assert.equal("HTTP/1.1 " .. case[3], reply:match("^HTTP/1.1 %d+"))
        end
        assert.equal(200, sandbox:request({ path = "/_sandbox/health" }).status)
      end)
    end
  end)
end)

describe("a sandbox with TLS", function()
  local cases = {
    { "speaks HTTP/2", { tls = true }, 2 },
    { "speaks HTTP/1.1 when told so", { tls = true, http1 = true }, 1.1 },
  }
  for _, case in ipairs(cases) do
    it(case[1] .. ", to those who trust its certificate", function()
      local sandbox = support.start(case[2])
      finally(function()
        sandbox:stop()
      end)
      local reply = sandbox:request({ path = "/_sandbox/health" })
      assert.equal(200, reply.status)
      assert.equal(case[3], reply.http_version)
      sandbox.context = nil
      assert.has_error(function()
        sandbox:request({ path = "/_sandbox/health" })
      end)
    end)
  end
end)

describe("the sandbox command", function()
  it("takes key, business and templates", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write('[{"name":"mine","language":"en","body":0}]')
    file:close()
    local sandbox = support.start({ api_key = "it's mine", business_id = "b", templates = path })
    finally(function()
      sandbox:stop()
      os.remove(path)
    end)
    local reply = sandbox:request({
      method = "POST",
      path = "/v1/businesses/b/send/whatsapp_templated_messages",
      headers = { ["X-API-Key"] = "it's mine" },
      body = cjson.encode({ number = customer, templateName = "mine", language = "en" }),
    })
    assert.equal(200, reply.status)
  end)

  it("leaves no process and no certificate behind", function()
    local sandbox = support.start({ tls = true })
    local pid = sandbox.process.pid
    sandbox:stop()
    local alive = os.execute(("kill -0 %d 2>/dev/null"):format(pid))
    assert.is_true(alive ~= true and alive ~= 0)
    assert.is_nil(io.open(sandbox.ca_file, "r"))
  end)
end)
