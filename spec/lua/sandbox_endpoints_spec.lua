-- The sandbox's endpoints besides the two that send one message, over HTTP.

local cjson = require "cjson"
local sandboxes = require "spec.support.sandbox"

local customer, other_customer = "+14155550123", "+14155550124"

describe("a sandbox's", function()
  local sandbox

  setup(function()
    sandbox = sandboxes.start()
  end)

  teardown(function()
    sandbox:stop()
  end)

  before_each(function()
    sandbox:reset()
  end)

  local function call(method, path, body)
    return sandbox:call(method, path, body)
  end

  local function succeed(method, path, body)
    local reply = call(method, path, body)
    assert.equal(200, reply.status, reply.body)
    return reply.json, reply.body
  end

  local function refuse(status, method, path, body)
    local reply = call(method, path, body)
    assert.equal(status, reply.status, reply.body)
    assert.is_string(reply.json.message)
    return reply.json
  end

  describe("every endpoint", function()
    local endpoints = {
      { "POST", "/send/campaigns" }, { "POST", "/create/webhooks" }, { "GET", "/webhooks" },
      { "PUT", "/update/webhooks/x" }, { "DELETE", "/delete/webhooks/x" }, { "POST", "/create/template" },
      { "POST", "/get/templates" }, { "GET", "/get/quality_signals" }, { "POST", "/assets" },
      { "GET", "/assets/x" }, { "GET", "/reporting/reports" },
    }
    for _, each in ipairs(endpoints) do
      it(("wants the key: %s %s"):format(each[1], each[2]), function()
        local reply = sandbox:request({ method = each[1], path = "/v1/businesses/sandbox-business" .. each[2] })
        assert.equal(401, reply.status)
        assert.equal("ERROR_TYPE_AUTHENTICATION", reply.json.type)
        local other = sandbox:request({
          method = each[1], path = "/v1/businesses/other" .. each[2], headers = { ["X-API-Key"] = sandbox.api_key },
        })
        assert.equal(404, other.status)
      end)
    end
  end)

  describe("campaigns", function()
    local path = "/send/campaigns"

    local function entry(changes)
      local all = { client = customer, campaignName = "welcome" }
      for key, value in pairs(changes or {}) do
        all[key] = value
      end
      return all
    end

    local function start(...)
      return call("POST", path, { entries = { ... } })
    end

    it("are started, a sendout for each name and version", function()
      local _, body = succeed("POST", path, { entries = {
        entry(), entry({ client = other_customer, variables = { first_name = "Bo" } }),
        entry({ campaignVersion = "2" }), entry({ campaignName = "any_other", sender = "+14155550199" }),
      } })
      assert.equal('{"data":[{"acceptedCount":2,"error":null,"rejectedCount":0},'
        .. '{"acceptedCount":1,"error":null,"rejectedCount":0},'
        .. '{"acceptedCount":1,"error":null,"rejectedCount":0}]}', body)
      local deliveries, requests = sandbox:deliveries()
      assert.same({ 4, 1 }, { #deliveries, requests })
      assert.equal("send_campaigns", deliveries[1].endpoint)
      assert.equal(customer, deliveries[1].number)
    end)

    it("reject entries, and still answer with 200", function()
      sandbox:opt_out({ number = other_customer })
      local reply = start(entry(), entry({ client = other_customer }), entry({ client = "415" }),
        entry({ client = "416" }), entry({ client = "+15005550116" }), entry({ client = "+15005550016" }))
      assert.same({ { acceptedCount = 2, rejectedCount = 4,
        error = "4 of 6 entries rejected: ERROR_CODE_MESSAGE_CUSTOMER_OPTED_OUT, "
          .. "ERROR_CODE_PHONE_NUMBER_BAD_FORMAT, ERROR_CODE_BUSINESS_REACHED_LIMITS" } }, reply.json.data)
      assert.equal(200, reply.status)
    end)

    it("take variables of any kind", function()
      local text = '{"entries":[{"client":"+14155550123","campaignName":"welcome",'
        .. '"variables":{"a":1e999,"b":[],"c":null,"d":0.5,"e":true}}]}'
      assert.equal(200, call("POST", path, text).status)
    end)

    it("reject all when they are not known", function()
      local data = start(entry(), entry({ campaignName = "none" })).json.data
      assert.same({ 1, 0 }, { data[1].acceptedCount, data[1].rejectedCount })
      assert.same({ 0, 1 }, { data[2].acceptedCount, data[2].rejectedCount })
      assert.is_string(data[2].error)
    end)

    it("must be published", function()
      assert.equal(409, start(entry(), entry({ campaignName = "draft" })).status)
      assert.equal(0, #sandbox:deliveries())
      sandbox:turn("campaigns", { name = "draft" })
      assert.equal(200, start(entry({ campaignName = "draft" })).status)
      sandbox:turn("campaigns", { name = "draft", published = false })
      assert.equal(409, start(entry({ campaignName = "draft" })).status)
    end)

    it("take a moment in any zone", function()
      for _, moment in ipairs({ "2026-12-01T15:00:00Z", "2026-12-01T15:00:00.123+05:30", "2026-12-01T15:00:00-0300",
        "2028-02-29T15:00Z", "2026-12-31T23:59:60+01" }) do
        assert.equal(200, start(entry({ scheduledAt = moment })).status)
      end
    end)

    for name, entries in pairs({
      ["the same client and campaign twice"] = { entry(), entry({ sender = "+14155550199" }) },
      ["the same version twice"] = { entry({ campaignVersion = "2" }), entry({ campaignVersion = "2" }) },
      ["no client"] = { { campaignName = "welcome" } },
      ["no campaign"] = { { client = customer } },
      ["a sender that is an object"] = { entry({ sender = { id = "+14155550100" } }) },
      ["variables in a list"] = { entry({ variables = { "Bo" } }) },
      ["a moment that is none"] = { entry({ scheduledAt = "tomorrow" }) },
      ["a moment without a zone"] = { entry({ scheduledAt = "2026-12-01T15:00:00" }) },
      ["a day that is not in the calendar"] = { entry({ scheduledAt = "2026-02-29T15:00:00Z" }) },
      ["an hour that is none"] = { entry({ scheduledAt = "2026-12-01T25:00:00Z" }) },
      ["no entries"] = {},
    }) do
      it("refuse " .. name, function()
        refuse(400, "POST", path, #entries > 0 and { entries = entries } or '{"entries":[]}')
        assert.equal(0, #sandbox:deliveries())
      end)
    end
  end)

  describe("webhooks", function()
    local address = "https://hooks.example.com/connectly"

    local function create(changes)
      local all = { topic = "messages", address = address }
      for key, value in pairs(changes or {}) do
        all[key] = value
      end
      return call("POST", "/create/webhooks", all)
    end

    it("are registered, one for a topic, and listed", function()
      local _, none = succeed("GET", "/webhooks")
      assert.equal('{"entity":{"businessId":"sandbox-business","webhooks":[]}}', none)
      local id = create().json.id
      assert.truthy(id:find("^wh_"))
      local _, body = succeed("GET", "/webhooks")
      assert.equal(('{"entity":{"businessId":"sandbox-business","webhooks":[{"address":"%s","configuration":'
        .. '{"channelTypes":[],"echo":false,"filters":[]},"id":"%s","topic":"messages"}]}}'):format(address, id), body)
      assert.equal(409, create({ address = "https://elsewhere.example.com" }).status)
      assert.equal(200, create({ topic = "report" }).status)
    end)

    it("are changed in part", function()
      local id = create({ configuration = { echo = true, channelTypes = { "whatsapp" } } }).json.id
      succeed("PUT", "/update/webhooks/" .. id, { address = "https://moved.example.com" })
      local webhook = succeed("GET", "/webhooks").entity.webhooks[1]
      assert.same({ "https://moved.example.com", true }, { webhook.address, webhook.configuration.echo })
      succeed("PUT", "/update/webhooks/" .. id, { topic = "report", configuration = {
        filters = { { field = "campaign_name", expression = "promo-*" } } } })
      webhook = succeed("GET", "/webhooks").entity.webhooks[1]
      assert.same({ "https://moved.example.com", false, "messages" },
        { webhook.address, webhook.configuration.echo, webhook.topic })
      assert.same({ { field = "campaign_name", expression = "promo-*" } }, webhook.configuration.filters)
      refuse(400, "PUT", "/update/webhooks/" .. id, { address = "ftp://x" })
      refuse(404, "PUT", "/update/webhooks/none", {})
    end)

    it("are removed", function()
      local id = create().json.id
      local _, body = succeed("DELETE", "/delete/webhooks/" .. id)
      assert.equal("{}", body)
      refuse(404, "DELETE", "/delete/webhooks/" .. id)
      assert.equal(200, create().status)
    end)

    for name, changes in pairs({
      ["a topic that is none"] = { topic = "message" },
      ["http to elsewhere"] = { address = "http://hooks.example.com" },
      ["a name that only begins like this machine's"] = { address = "http://127.0.0.1.example.com/" },
      ["a user in the address"] = { address = "https://me:secret@hooks.example.com/" },
      ["a port that is none"] = { address = "https://hooks.example.com:99999/" },
      ["an address that is none"] = { address = "hooks.example.com" },
      ["a type that is none"] = { type = "x" },
      ["an echo that is no boolean"] = { configuration = { echo = 1 } },
      ["filters without expression"] = { configuration = { filters = { { field = "campaign_name" } } } },
    }) do
      it("refuse " .. name, function()
        assert.equal(400, create(changes).status)
      end)
    end

    for _, good in ipairs({ "http://127.0.0.1:8080", "http://localhost/x", "http://[::1]:80/", "https://e.com?x=1" }) do
      it("take " .. good, function()
        assert.equal(200, create({ address = good }).status)
      end)
    end
  end)

  describe("templates", function()
    local function create(changes)
      local all = {
        name = "order_left", language = { code = "en" }, category = "MESSAGE_TEMPLATE_GROUP_CATEGORY_UTILITY",
        template_components = {
          { header = { media = { type = "TYPE_IMAGE", example = { "https://files.example.com/h.png" } } } },
          { body = { text = { text = "Hi {{1}}, order {{2}} left.", example = { "Ana", "A-1" } } } },
          { footer = { text = { text = "Example Shop" } } },
          { button = { quickReply = { text = "Thanks" } } },
          { button = { url = { text = "Track", url = "https://example.com/{{1}}" } } },
        },
      }
      for key, value in pairs(changes or {}) do
        all[key] = value
      end
      return call("POST", "/create/template", all)
    end

    local function send(name)
      return call("POST", "/send/whatsapp_templated_messages", {
        number = customer, templateName = name, language = "en", parameters = {
          { name = "header_image", value = "https://files.example.com/h.png" },
          { name = "body_1", value = "Ana" }, { name = "body_2", value = "A-1" },
          { name = "button_2_url_suffix", value = "A-1" } } })
    end

    local function group(name)
      for _, each in ipairs(succeed("POST", "/get/templates").entity.templateGroups) do
        if each.name == name then
          return each
        end
      end
    end

    it("are created, wait for their review, and are sent then", function()
      local created = create().json.entity
      assert.equal("UTILITY", created.category)
      assert.equal("order_left", created.name)
      assert.equal("MESSAGE_TEMPLATE_STATUS_PENDING", created.templates[1].status)
      assert.same({ code = "en" }, created.templates[1].language)
      assert.equal("ERROR_CODE_MESSAGE_TEMPLATE_NOT_FOUND", send("order_left").json.code)
      sandbox:turn("review", { name = "order_left", status = "approved" })
      assert.equal(200, send("order_left").status)
      sandbox:turn("review", { name = "order_left", status = "rejected" })
      assert.equal(400, send("order_left").status)
      assert.equal("INVALID_FORMAT", group("order_left").templates[1].rejectionReason)
    end)

    it("are approved or rejected at once when their names say so", function()
      assert.equal("MESSAGE_TEMPLATE_STATUS_APPROVED", create({ name = "instant_x" }).json.entity.templates[1].status)
      assert.equal(200, send("instant_x").status)
      local rejected = create({ name = "rejected_x" }).json.entity.templates[1]
      assert.same({ "MESSAGE_TEMPLATE_STATUS_REJECTED", "INVALID_FORMAT" }, { rejected.status, rejected.rejectionReason })
      assert.equal("ERROR_CODE_MESSAGE_TEMPLATE_DELETED", create({ name = "deleted_x" }).json.code)
    end)

    it("come back with their components as they were given", function()
      local components = '[{"body":{"text":{"text":"Hi","example":[]}}}]'
      local text = '{"name":"plain","language":{"code":"en"},"category":"MESSAGE_TEMPLATE_GROUP_CATEGORY_MARKETING",'
        .. '"template_components":' .. components .. "}"
      succeed("POST", "/create/template", text)
      local _, body = succeed("POST", "/get/templates")
      assert.truthy(body:find('"templateComponents":' .. components, 1, true))
    end)

    it("are listed with what a client needs to count variables", function()
      local hello = group("hello")
      assert.equal("MESSAGE_TEMPLATE_STATUS_APPROVED", hello.templates[1].status)
      assert.same({ { body = { text = { text = "Hello {{1}}!", example = { "example 1" } } } } },
        hello.templates[1].templateComponents)
      local invoice = group("invoice_ready").templates[1].templateComponents
      assert.equal("TYPE_DOCUMENT", invoice[1].header.media.type)
      assert.truthy(invoice[3].button.url.url:find("{{1}}", 1, true))
      assert.equal(2, #group("autumn_carousel").templates[1].templateComponents[2].carousel.cards)
    end)

    it("stand in one group in all their languages", function()
      create()
      create({ language = { code = "de" } })
      assert.equal(2, #group("order_left").templates)
      assert.equal(400, create().status)
    end)

    it("are listed for requests with a body, too", function()
      succeed("POST", "/get/templates", "{}")
    end)

    for name, changes in pairs({
      ["a name in capitals"] = { name = "Order" },
      ["a language that is a string"] = { language = "en" },
      ["no category"] = { category = cjson.null },
      ["a short category"] = { category = "UTILITY" },
      ["no components"] = { template_components = cjson.null },
      ["no body"] = { template_components = { { footer = { text = { text = "x" } } } } },
      ["two members in a component"] = { template_components = {
        { body = { text = { text = "x" } }, footer = { text = { text = "x" } } } } },
      ["variables that do not count from 1"] = { template_components = { { body = { text = { text = "{{2}}" } } } } },
    }) do
      it("refuse " .. name, function()
        assert.equal(400, create(changes).status)
      end)
    end
  end)

  it("quality signals tell of its number", function()
    local signals = succeed("GET", "/get/quality_signals").entity.signals
    assert.same({ { whatsappQualitySignals = {
      phoneNumber = "+14155550100", wabaId = "100000000000001",
      messagesLimitTier = "WHATS_APP_MESSAGE_LIMIT_TIER_UNSPECIFIED", qualityScore = "WHATS_APP_QUALITY_SCORE_HIGH",
    } } }, signals)
  end)

  describe("assets", function()
    local uri = "https://files.example.com/h.png"

    it("are copied, and found by their id", function()
      local asset = succeed("POST", "/assets", { uri = uri }).asset
      assert.equal("sandbox-business", asset.ownerId)
      assert.same({ uri = uri }, asset.source)
      assert.equal("ASSET_ACCESS_CONTROL_TYPE_PUBLIC", asset.metadata.accessControlType)
      assert.truthy(asset.uri:find("^https://cdn%.connectly%.ai/"))
      assert.same({ cdnUri = asset.uri }, (succeed("GET", "/assets/" .. asset.id)))
      refuse(404, "GET", "/assets/none")
    end)

    it("take an id and an access control", function()
      local asset = succeed("POST", "/assets", {
        uri = uri, id = "my own/1", metadata = { accessControlType = "ASSET_ACCESS_CONTROL_TYPE_PRIVATE" } }).asset
      assert.equal("my own/1", asset.id)
      assert.equal("ASSET_ACCESS_CONTROL_TYPE_PRIVATE", asset.metadata.accessControlType)
      assert.equal(asset.uri, succeed("GET", "/assets/my%20own%2F1").cdnUri)
    end)

    for name, body in pairs({
      ["an address that is none"] = { uri = "h.png" },
      ["one that cannot be reached"] = { uri = "https://files.invalid/h.png" },
      ["none"] = { id = "x" },
      ["another access control"] = { uri = uri, metadata = { accessControlType = "PUBLIC" } },
    }) do
      it("refuse " .. name, function()
        refuse(400, "POST", "/assets", body)
      end)
    end
  end)

  it("reports are listed by type", function()
    local ready = succeed("GET", "/reporting/reports?type=campaign.daily.v1").data
    assert.equal(1, #ready)
    assert.equal("completed", ready[1].lastRun.status)
    assert.is_string(ready[1].lastRun.result.expiresAt)
    local _, none = succeed("GET", "/reporting/reports?type=campaign.weekly.v1")
    assert.equal('{"data":[]}', none)
    sandbox:turn("report", { type = "campaign.weekly.v1", status = "processing" })
    local processing = succeed("GET", "/reporting/reports?type=campaign%2Eweekly.v1").data[1]
    assert.same({ "processing", cjson.null }, { processing.lastRun.status, processing.lastRun.result })
    assert.equal(2, #succeed("GET", "/reporting/reports").data)
  end)
end)
