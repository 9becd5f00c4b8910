-- Every endpoint of the API through the whole way: the client, real HTTP, the sandbox.
-- Which faults are repeated is in endpoint_delivery_spec.

local connectly = require "connectly"
local native = require "connectly.loader"
local safe = require "connectly.safe"
local sandboxes = require "spec.support.sandbox"

local CUSTOMER, OTHER = "+14155550123", "+14155550124"
local HOOK = { topic = "delivery_status", address = "http://127.0.0.1:9/hooks" }

local tested = {}

for _, http in ipairs { "HTTP/1.1", "HTTP/2 over TLS" } do
  describe(http .. ": the client", function()
    local sandbox, client

    setup(function()
      sandbox = sandboxes.start(http == "HTTP/1.1" and {} or { tls = true })
      client = assert(safe.new {
        api_key = sandbox.api_key, business_id = sandbox.business_id, base_url = sandbox.base_url,
        ca_file = sandbox.ca_file, timeout = 20,
      })
    end)

    teardown(function()
      client:close()
      sandbox:stop()
    end)

    before_each(function() sandbox:reset() end)

    local function test(operation, what, action)
      tested[operation] = true
      it(operation .. " " .. what, action)
    end

    test("send_template", "gives an id", function()
      assert.equal(26, #assert(client:send_template {
        number = CUSTOMER, template_name = "any_hello", language = "en", body = { "Ana" },
      }))
    end)

    test("send_session", "gives an id inside the window", function()
      sandbox:inbound { number = CUSTOMER, text = "Hi" }
      assert.equal(26, #assert(client:send_session { number = CUSTOMER, text = "Hello" }))
    end)

    test("send_campaigns", "counts what was accepted, a sendout for each campaign", function()
      local result, info = client:send_campaigns { entries = {
        { number = CUSTOMER, campaign_name = "welcome" }, { number = OTHER, campaign_name = "welcome" },
        { number = CUSTOMER, campaign_name = "welcome", campaign_version = 2, variables = { first_name = "Bo" } },
      } }
      assert(result, tostring(info))
      assert.equal(3, result.accepted)
      assert.equal(0, result.rejected)
      assert.equal(2, #result.sendouts)
      assert.equal(200, info.status)
    end)

    test("send_campaigns", "is an error when an entry was rejected on 200", function()
      sandbox:opt_out { number = OTHER }
      local result, err = client:send_campaigns { entries = {
        { number = CUSTOMER, campaign_name = "welcome" }, { number = OTHER, campaign_name = "welcome" },
      } }
      assert.is_nil(result)
      assert.equal("rejected", err.kind)
      assert.equal("unknown", err.outcome)
      assert.equal(200, err.status)
      assert.equal(1, err.result.accepted)
      assert.equal(1, err.result.rejected)
    end)

    test("send_campaigns", "in the background and in send_many too", function()
      sandbox:opt_out { number = OTHER }
      local message = { entries = { { number = OTHER, campaign_name = "welcome" } } }
      local _, err = client:start("send_campaigns", message):wait(20)
      assert.equal("rejected", err.outcome)
      for result in client:send_many({ message }, { operation = "send_campaigns" }) do
        assert.equal("rejected", result.error.outcome)
      end
    end)

    test("send_campaigns", "is no success where the reply does not account for all", function()
      local message = { entries = {
        { number = CUSTOMER, campaign_name = "welcome" }, { number = OTHER, campaign_name = "welcome" },
      } }
      local reply = { status = 200, body = '{"data":[{"acceptedCount":1}]}', operation = "send_campaigns", times = 3 }
      sandbox:reply(reply)
      for _, result in ipairs {
        { client:send_campaigns(message) }, { client:start("send_campaigns", message):wait(20) },
      } do
        assert.is_nil(result[1])
        assert.equal("unknown", result[2].outcome)
      end
      for result in client:send_many({ message }, { operation = "send_campaigns" }) do
        assert.equal("unknown", result.error.outcome)
      end
    end)

    test("send_campaigns", "leaves nobody out: a list with a hole is refused", function()
      local _, err = client:send_campaigns { entries = {
        [1] = { number = CUSTOMER, campaign_name = "welcome" }, [3] = { number = OTHER, campaign_name = "welcome" },
      } }
      assert.equal("argument", err.kind)
      assert.equal("entries[2]", err.param)
    end)

    test("send_campaigns", "is not posted, since its reply must be read", function()
      assert.has_error(function() client:post("send_campaigns", { entries = {} }) end)
    end)

    test("send_campaigns", "goes in chunks, and stops where a campaign is not published", function()
      local entries = {}
      for index = 1, 7 do
        entries[index] = { number = ("+1415555%04d"):format(index), campaign_name = "welcome" }
      end
      assert.equal(7, assert(client:send_campaigns({ entries = entries }, { chunk_size = 3 })).accepted)
      entries[5].campaign_name = "draft"
      local _, err = client:send_campaigns({ entries = entries }, { chunk_size = 3 })
      assert.equal(409, err.status)
      assert.equal("unknown", err.outcome)
      assert.equal(3, err.result.accepted)
      assert.equal("rejected", err.result.chunks[2].outcome)
    end)

    test("create_webhook", "gives an id, and a 409 where the topic is taken", function()
      assert.is_string((assert(client:create_webhook(HOOK))))
      local id, err = client:create_webhook(HOOK)
      assert.is_nil(id)
      assert.equal(409, err.status)
      assert.equal("rejected", err.outcome)
    end)

    test("list_webhooks", "lists, changed and deleted ones as they are", function()
      local id = assert(client:create_webhook {
        topic = "messages", address = HOOK.address, configuration = { echo = true, channel_types = { "whatsapp" } },
      })
      local listed = assert(client:list_webhooks()).entity.webhooks
      assert.equal(id, listed[1].id)
      assert.same({ "whatsapp" }, listed[1].configuration.channelTypes)
      assert.equal(1, #listed)
    end)

    test("update_webhook", "changes one", function()
      local id = assert(client:create_webhook(HOOK))
      assert(client:update_webhook { id = id, address = "http://127.0.0.1:9/new" })
      assert.equal("http://127.0.0.1:9/new", assert(client:list_webhooks()).entity.webhooks[1].address)
      local _, err = client:update_webhook { id = "none/of that", address = HOOK.address }
      assert.equal(404, err.status)
    end)

    test("delete_webhook", "removes one", function()
      local id = assert(client:create_webhook(HOOK))
      assert.same({}, (assert(client:delete_webhook { id = id })))
      assert.same({}, assert(client:list_webhooks()).entity.webhooks)
      local _, err = client:delete_webhook { id = id }
      assert.equal(404, err.status)
    end)

    -- The server has deleted it, the answer is lost, and who asks again hears that it is not there.
    for _, fault in ipairs { "reply_lost", "reset" } do
      it("delete_webhook is done when the answer was lost to " .. fault, function()
        local id = assert(client:create_webhook(HOOK))
        sandbox:fault { fault = fault, operation = "delete_webhook" }
        local reply, info = client:delete_webhook { id = id }
        assert.same({}, reply, tostring(info))
        assert.equal(404, info.status)
        assert.same({}, assert(client:list_webhooks()).entity.webhooks)
      end)
    end

    it("delete_webhook is not done when it is not there the first time, whatever became of the call before", function()
      local one = assert(safe.new {
        api_key = sandbox.api_key, business_id = sandbox.business_id, base_url = sandbox.base_url,
        ca_file = sandbox.ca_file, timeout = 20, max_in_flight = 1, -- each call in the same place
      })
      local id = assert(one:create_webhook(HOOK))
      sandbox:fault { fault = "reply_lost", operation = "delete_webhook" }
      assert(one:delete_webhook { id = id })
      local reply, err = one:delete_webhook { id = id }
      one:close()
      assert.is_nil(reply)
      assert.same({ 404, "rejected", "rejected" }, { err.status, err.kind, err.outcome })
    end)

    it("tells that a message may have arrived when the connection was reset", function()
      sandbox:fault { fault = "reset" }
      local id, err = client:send_template { number = CUSTOMER, template_name = "any_hello", language = "en" }
      assert.is_nil(id)
      assert.same({ "network", "unknown" }, { err.kind, err.outcome })
      assert.equal(1, #sandbox:deliveries())
    end)

    it("ensure_webhook makes, changes and leaves alone", function()
      local id, info = client:ensure_webhook(HOOK)
      assert.equal("created", info.change)
      assert.same({ id, "none" }, { id, select(2, client:ensure_webhook(HOOK)).change })
      local changed = { topic = HOOK.topic, address = "http://127.0.0.1:9/new" }
      local same_id
      same_id, info = client:ensure_webhook(changed)
      assert.same({ id, "updated" }, { same_id, info.change })
      assert.equal(changed.address, assert(client:list_webhooks()).entity.webhooks[1].address)
    end)

    it("ensure_webhook finds the one that was made though the reply was lost", function()
      sandbox:fault { fault = "reply_lost", operation = "create_webhook" }
      local id, info = client:ensure_webhook(HOOK)
      assert(id, tostring(info))
      assert.equal("none", info.change)
      assert.equal(1, #assert(client:list_webhooks()).entity.webhooks)
    end)

    test("create_template", "sends one to review", function()
      local reply = assert(client:create_template {
        name = "order_shipped", language = "en", category = "utility",
        components = { { body = { text = { text = "Hi {{1}}", example = { "Ana" } } } } },
      })
      assert.equal("order_shipped", reply.entity.name)
      assert.equal("MESSAGE_TEMPLATE_STATUS_PENDING", reply.entity.templates[1].status)
      local _, err = client:send_template {
        number = CUSTOMER, template_name = "order_shipped", language = "en", body = { "Ana" },
      }
      assert.equal("rejected", err.outcome)
    end)

    test("list_templates", "lists those that there are, and check_template reads them", function()
      assert(client:create_template {
        name = "instant_order", language = "en", category = "utility",
        components = { { body = { text = { text = "Hi {{1}}", example = { "Ana" } } } } },
      })
      local groups = assert(client:list_templates()).entity.templateGroups
      assert.is_true(#groups > 0)
      local message = { number = CUSTOMER, template_name = "instant_order", language = "en", body = { "Ana" } }
      local report = assert(client:check_template(message, { refresh = true }))
      assert.is_true(report.ok)
      assert.equal("Hi Ana", report.preview.body)
      message.body = { "Ana", "Bo" }
      assert.is_false(assert(client:check_template(message)).ok)
    end)

    test("quality_signals", "tells of the numbers", function()
      local signals = assert(client:quality_signals()).entity.signals
      assert.is_string(signals[1].whatsappQualitySignals.phoneNumber)
    end)

    test("create_asset", "copies a file, and refuses what cannot be had", function()
      local asset = assert(client:create_asset { uri = "https://files.example.com/h.png", id = "a/b c" }).asset
      assert.equal("a/b c", asset.id)
      assert.truthy(asset.uri:find("^https://cdn%.connectly%.ai/"))
      local _, err = client:create_asset { uri = "https://files.invalid/h.png" }
      assert.equal(400, err.status)
    end)

    test("get_asset", "finds it by its id, encoded", function()
      assert(client:create_asset { uri = "https://files.example.com/h.png", id = "a/b c" })
      assert.truthy(assert(client:get_asset { id = "a/b c" }).cdnUri:find("^https://cdn%.connectly%.ai/"))
      local _, err = client:get_asset { id = "none" }
      assert.equal(404, err.status)
    end)

    test("list_reports", "lists those of a type", function()
      sandbox:turn("report", { type = "campaign.daily.v1", name = "Daily" })
      local reports = assert(client:list_reports { type = "campaign.daily.v1" }).data
      assert.equal("campaign.daily.v1", reports[1].type)
      assert.same({}, assert(client:list_reports { type = "none" }).data)
    end)

    test("request", "is the way to each of them", function()
      assert.same({}, assert(client:request { method = "GET", path = "/webhooks" }).entity.webhooks)
    end)

    it("says so when it has no memory to decode a reply, and loses no error over it", function()
      local json = require "connectly.json"
      local decode = json.decode
      json.decode = function() end
      local raising = connectly.new {
        api_key = sandbox.api_key, business_id = sandbox.business_id, base_url = sandbox.base_url,
        ca_file = sandbox.ca_file, timeout = 20,
      }
      local is_fine, problem = pcall(raising.list_webhooks, raising)
      local message = { entries = { { number = CUSTOMER, campaign_name = "welcome" } } }
      local result, err = client:start("send_campaigns", message):wait(20)
      sandbox:reply { status = 200, body = '{"data":[{"rejectedCount":1}]}', operation = "send_campaigns" }
      local other, refusal = client:start("send_campaigns", message):wait(20)
      json.decode = decode
      raising:close()
      assert.is_false(is_fine)
      assert.is_nil(result or other)
      for _, each in ipairs { problem, err } do
        assert.same({ "protocol", "unknown", 200, 1 }, { each.kind, each.outcome, each.status, each.attempts })
      end
      assert.same({ "rejected", "rejected" }, { refusal.kind, refusal.outcome })
      assert.is_nil(refusal.result)
    end)

    it("shows no key, though the API echoes it", function()
      local reply = assert(client:create_asset { uri = "https://files.example.com/" .. sandbox.api_key .. ".png" })
      assert.truthy(reply.asset.source.uri:find("^https://files%.example%.com/%*+%.png$"), reply.asset.source.uri)
    end)

    it("raises in the other face", function()
      local raising = connectly.new {
        api_key = "wrong", business_id = sandbox.business_id, base_url = sandbox.base_url, ca_file = sandbox.ca_file,
      }
      for _, name in ipairs { "list_webhooks", "list_templates", "quality_signals" } do
        local is_fine, err = pcall(raising[name], raising)
        assert.is_false(is_fine)
        assert.equal("auth", err.kind)
        assert.equal("ERROR_TYPE_AUTHENTICATION", err.type)
      end
      raising:close()
    end)

    it("is tested with every operation that there is", function()
      for _, operation in ipairs(native.operations()) do
        assert(tested[operation.name], operation.name)
      end
    end)
  end)
end
