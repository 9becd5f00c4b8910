-- What is repeated by itself and what never is, for each operation: at a server that
-- misbehaves and counts. API: idempotence follows from the method, but for the POST
-- that only reads.

local connectly = require "connectly.safe"
local faults = require "spec.support.faults"
local native = require "connectly.loader"

-- What each operation needs.
local NEEDED = {
  send_template = { number = "+14155550123", template_name = "t", language = "en" },
  send_session = { number = "+14155550123", text = "x" },
  send_campaigns = { entries = { { number = "+14155550123", campaign_name = "c" } } },
  create_webhook = { topic = "messages", address = "https://hooks.example.com/" },
  update_webhook = { id = "wh_1", address = "https://hooks.example.com/" },
  delete_webhook = { id = "wh_1" },
  create_template = { name = "t", language = "en", category = "utility", components = { { body = {} } } },
  create_asset = { uri = "https://files.example.com/a.png" },
  get_asset = { id = "a" },
  list_reports = { type = "campaign.daily.v1" },
  request = { method = "POST", path = "/send/messages", body = {} },
}

-- RFC 9110 section 9.2.2, and what only reads.
local REPEATED = {
  list_webhooks = true, update_webhook = true, delete_webhook = true, list_templates = true, quality_signals = true,
  get_asset = true, list_reports = true,
}

describe("of the operations", function()
  local server, client

  setup(function()
    server = faults.start()
    client = assert(connectly.new {
      api_key = "key", business_id = "ok", base_url = server:url("https"), ca_file = server.ca_file, timeout = 20,
    })
  end)

  teardown(function()
    client:close()
    server:stop()
  end)

  before_each(function() server:reset() end)

  local function arm(behaviour)
    server:arm(behaviour)
  end

  for _, operation in ipairs(native.operations()) do
    local name = operation.name

    local function call()
      return client[name](client, NEEDED[name] or {})
    end

    it(name .. " is repeated after a 429", function()
      arm "429"
      local value, second = call()
      -- The server's reply is that of a message: for campaigns no success.
      assert(value or second.kind == "protocol", tostring(second))
      assert.equal(2, server:counts().requests)
    end)

    for _, behaviour in ipairs { "500", "reset-after-request", "reset-in-body" } do
      it(("%s is%s repeated after %s"):format(name, REPEATED[name] and "" or " not", behaviour), function()
        arm(behaviour)
        local value, second = call()
        if REPEATED[name] then
          assert(value, tostring(second)) -- by the client, or by libcurl, which may here
        else
          assert.is_nil(value)
          assert.equal("unknown", second.outcome)
        end
        assert.equal(REPEATED[name] and 2 or 1, server:counts().requests)
      end)
    end

    it(name .. " is not repeated after a refusal", function()
      arm "400"
      local value, err = call()
      assert.is_nil(value)
      assert.equal("rejected", err.outcome)
      assert.equal(1, server:counts().requests)
    end)
  end

  it("request is repeated where its method is one that may be", function()
    for _, method in ipairs { "GET", "PUT", "DELETE" } do
      server:reset()
      arm "500"
      local reply, info = client:request { method = method, path = "/webhooks", body = method == "PUT" and {} or nil }
      assert(reply, tostring(info))
      assert.equal(2, info.attempts)
    end
    server:reset()
    arm "500"
    assert.is_nil((client:request { method = "PATCH", path = "/webhooks", body = {} }))
    assert.equal(1, server:counts().requests)
  end)
end)
