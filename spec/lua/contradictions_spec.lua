-- Where the API's pages contradict each other, what this client does: a test for each
-- row of that table that concerns a client. API: contradictions between pages.

local connectly = require "connectly.safe"
local cjson = require "cjson"
local faults = require "spec.support.faults"
local webhook = require "connectly.webhook"

local NUMBER = "+14155550123"

describe("contradiction", function()
  local client, hook

  local function template(fields)
    local message = { number = NUMBER, template_name = "t", language = "en" }
    for name, value in pairs(fields or {}) do
      message[name] = value
    end
    return message
  end

  --- What would go, decoded.
  local function wire(operation, message)
    local body = assert(client:dry_run(operation, message))
    return cjson.decode(body)
  end

  local function refused(operation, message)
    local body, err = client:dry_run(operation, message)
    assert.is_nil(body)
    return err.param
  end

  local function parse(body)
    return hook:parse(cjson.encode(body))
  end

  setup(function()
    client = assert(connectly.new { api_key = "key", business_id = "business", base_url = "http://127.0.0.1:1" })
    hook = webhook.new { secret = "s" }
  end)

  teardown(function() client:close() end)

  it("1: a template message needs a language", function()
    assert.equal("language", refused("send_template", { number = NUMBER, template_name = "t" }))
  end)

  it("2: a sender is taken in both forms, and goes in that of the endpoint", function()
    local plain, object = "+14155550100", { id = "+14155550100", channelType = "whatsapp" }
    for _, sender in ipairs { plain, object } do
      assert.equal(plain, wire("send_template", template { sender = sender }).sender)
      assert.same(object, wire("send_session", { number = NUMBER, text = "x", sender = sender }).sender)
      local entries = { { number = NUMBER, campaign_name = "c", sender = sender } }
      assert.equal(plain, wire("send_campaigns", { entries = entries }).entries[1].sender)
    end
  end)

  it("5: a BSUID goes bare in a session message and prefixed in a template", function()
    local id = "US.13491208655302741918"
    assert.equal("bsuid:" .. id, wire("send_template", template { number = "bsuid:" .. id }).number)
    assert.equal(id, wire("send_session", { number = "bsuid:" .. id, text = "x" }).recipient.id)
    assert.equal(id, wire("send_session", { number = id, text = "x" }).recipient.id)
    local open = { recipient = { userId = id }, message = { text = "x" } }
    assert.equal(id, wire("send_session", open).recipient.userId)
  end)

  it("6: interactive content goes in camelCase", function()
    local body = wire("send_session", { number = NUMBER, text = "x", buttons = { { id = "a", text = "A" } } })
    assert.is_table(body.message.replyButtonMessage)
    local reply_buttons = { buttons = { { id = "a", text = "A" } } }
    local wired = { recipient = { id = NUMBER }, message = { text = "x", reply_button_message = reply_buttons } }
    assert.is_table(wire("send_session", wired).message.replyButtonMessage)
  end)

  it("7: a header may be a video", function()
    local url = "https://files.example.com/v.mp4"
    assert.same({ { name = "header_video", value = url } },
      wire("send_template", template { header = { video = url } }).parameters)
  end)

  it("8: a button's address goes as its suffix", function()
    assert.same({ { name = "button_1_url_suffix", value = "a" } },
      wire("send_template", template { buttons = { "a" } }).parameters)
  end)

  it("9: cards count from 0 on the wire, the rest from 1", function()
    local parameters = wire("send_template", template { body = { "a" }, cards = { { body = { "b" } } } }).parameters
    assert.equal("body_1", parameters[1].name)
    assert.equal("card.0.body.0", parameters[2].name)
  end)

  it("10: a campaign's name is read wherever it stands", function()
    local update = { id = "01", status = "sent" }
    for _, body in ipairs {
      { statusUpdate = update, metadata = { campaign_name = "c" } },
      { statusUpdate = { id = "01", status = "sent", metadata = { campaignName = "c" } }, metadata = cjson.null },
      { statusUpdate = { id = "01", status = "sent", metadata = { campaign_name = "c" } } },
    } do
      assert.equal("c", parse(body).campaign_name)
    end
  end)

  it("11: an event is told by its content where no topic is named", function()
    local people = { sender = { id = NUMBER }, recipient = { id = "123456123" } }
    local function of(field, value)
      return parse { timestamp = "1", sender = people.sender, recipient = people.recipient, [field] = value }.kind
    end
    assert.equal("status", of("statusUpdate", { id = "01", status = "read" }))
    assert.equal("message", of("message", { text = "x" }))
    assert.equal("button", of("buttonResponse", { text = "x", payload = "1" }))
    assert.equal("report", of("report", { id = "r" }))
  end)

  it("12: delivery_failure is delivery_failed", function()
    assert.equal("delivery_failed", parse { statusUpdate = { id = "01", status = "delivery_failure" } }.status)
  end)

  it("14: a button's reply is read in each of its shapes", function()
    for _, body in ipairs {
      { buttonResponse = { text = "Yes", payload = "1" }, context = { replyToId = "u" } },
      { buttonResponse = { text = "Yes", payload = "1" }, message = { text = "Yes" } },
      { message = { text = "Yes", isButtonResponse = true } },
    } do
      local event = parse(body)
      assert.equal("button", event.kind)
      assert.equal("Yes", event.text)
    end
  end)

  it("15: a customer may send a video", function()
    local event = parse { message = { attachments = { { type = "video", url = "https://cdn.connectly.ai/v" } } } }
    assert.equal("message", event.kind)
    assert.equal("video", event.attachments[1].type)
  end)

  it("16: the list of webhooks has no verb in its path", function()
    local _, request = assert(client:dry_run("list_webhooks", {}))
    assert.same({ method = "GET", path = "/webhooks" }, request)
  end)

  it("18: a report is read in both spellings", function()
    local result = { url = "https://files.example.com/r.csv", expires_at = "2026-01-02T03:09:05Z" }
    local snake = parse { report = { id = "r", last_run = { id = "1", status = "completed", result = result } } }
    local camel = parse { report = { id = "r", lastRun = { id = "1", status = "completed",
      result = { url = result.url, expiresAt = result.expires_at } } } }
    assert.equal(result.url, snake.report.last_run.result.url)
    assert.same(snake.report, camel.report)
  end)

  it("19: a business id is opaque", function()
    for _, id in ipairs { "3f0c6c1e-7a55-4a0a-9b7e-0d3f5a1b2c4d", "biz_01ARZ3NDEKTSV4RRFFQ69G5FAV", "a b/c" } do
      assert(connectly.new { api_key = "key", business_id = id }):close()
    end
    assert.is_nil((connectly.new { api_key = "key", business_id = "" }))
  end)

  it("20: a number is in E.164", function()
    for _, number in ipairs { "+1(604) 585 2331", "16045852331", "+1 604 585 2331", "00 1 604" } do
      assert.equal("number", refused("send_template", template { number = number }))
    end
  end)

  it("21: a template's language is an object when it is made, its components in snake_case", function()
    local body = wire("create_template", {
      name = "t", language = "en", category = "utility", components = { { body = { text = { text = "Hi" } } } },
    })
    assert.same({ code = "en" }, body.language)
    assert.is_table(body.template_components)
    assert.equal("en", wire("send_template", template()).language)
  end)

  it("22: a template needs a category", function()
    assert.equal("category", refused("create_template", { name = "t", language = "en", components = {} }))
  end)

  it("23: a campaign's name goes with a template only when it is given", function()
    assert.is_nil(wire("send_template", template()).campaignName)
    assert.equal("c", wire("send_template", template { campaign_name = "c" }).campaignName)
  end)

  it("25: ids are opaque", function()
    local _, request = assert(client:dry_run("delete_webhook", { id = "wh_ILOU-not/a ULID" }))
    assert.equal("/delete/webhooks/wh_ILOU-not%2Fa%20ULID", request.path)
    assert.equal("not a ULID", parse({ statusUpdate = { id = "not a ULID", status = "sent" } }).id)
  end)

  -- 4 is in registration_spec and endpoints_spec, 13 in status_store_spec, 24 in
  -- spec/nginx/webhook_spec, 26 in client_spec; 17 is advice to who reads a report.

  describe("over the network", function()
    local server

    setup(function() server = faults.start() end)
    teardown(function() server:stop() end)

    local function client_of(behaviour)
      return assert(connectly.new { api_key = "key", business_id = behaviour, base_url = server:url("http") })
    end

    it("3: each 2xx with an id is a success", function()
      local made = client_of "ok-201"
      assert(made:send_template(template()))
      made:close()
    end)

  end)
end)
