-- The sandbox has a route for every operation of the API.

local native = require "connectly.loader"
local routes = require "connectly.sandbox.api.routes"

--- API: the table of everything.
local operations = {
  { name = "send_template", method = "POST", path = "/send/whatsapp_templated_messages" },
  { name = "send_session", method = "POST", path = "/send/messages" },
  { name = "send_campaigns", method = "POST", path = "/send/campaigns" },
  { name = "create_webhook", method = "POST", path = "/create/webhooks" },
  { name = "list_webhooks", method = "GET", path = "/webhooks" },
  { name = "update_webhook", method = "PUT", path = "/update/webhooks/{webhook_id}" },
  { name = "delete_webhook", method = "DELETE", path = "/delete/webhooks/{webhook_id}" },
  { name = "create_template", method = "POST", path = "/create/template" },
  { name = "list_templates", method = "POST", path = "/get/templates" },
  { name = "quality_signals", method = "GET", path = "/get/quality_signals" },
  { name = "create_asset", method = "POST", path = "/assets" },
  { name = "get_asset", method = "GET", path = "/assets/{asset_id}" },
  { name = "list_reports", method = "GET", path = "/reporting/reports" },
}

describe("the sandbox's routes", function()
  for _, operation in ipairs(operations) do
    it("lead to " .. operation.name, function()
      local route = routes.find(operation.method, operation.path)
      assert.is_table(route)
      assert.equal(operation.name, route.name)
      assert.is_function(route.handler)
      local whole = "/v1/businesses/a%20b" .. operation.path:gsub("{.-}", "wh_1") .. "?x=y"
      assert.equal(operation.name, routes.find(operation.method, whole).name)
    end)
  end

  it("lead to all that the library knows", function()
    for _, operation in ipairs(native.operations()) do
      local route = operation.path and routes.find(operation.method, operation.path)
      assert(operation.name == "request" or route and route.name == operation.name, operation.name)
    end
  end)

  it("lead to no operation that is not listed here", function()
    local listed, count = {}, 0
    for _, operation in ipairs(operations) do
      listed[operation.name] = true
    end
    for _, route in ipairs(routes.list) do
      assert.is_true(not route.name or listed[route.name])
      count = count + (route.name and 1 or 0)
    end
    assert.equal(#operations, count)
  end)

  it("do not lead elsewhere", function()
    for _, wrong in ipairs({
      { "GET", "/send/messages" }, { "POST", "/send/messages/" }, { "POST", "/send" },
      { "PUT", "/update/webhooks/" }, { "GET", "/assets/a/b" }, { "POST", "/sendXmessages" },
    }) do
      assert.is_nil(routes.find(wrong[1], wrong[2]))
    end
  end)
end)
