--- The four endpoints about webhooks. API: webhooks, registration.

local address = require "connectly.sandbox.check.address"
local answer = require "connectly.sandbox.http.answer"
local endpoint = require "connectly.sandbox.api.endpoint"
local json = require "connectly.sandbox.http.json"
local shape = require "connectly.sandbox.check.shape"

local text, list, object, one_of = shape.text, shape.list, shape.object, shape.one_of

local configuration = object({
  { "echo", shape.boolean },
  { "channelTypes", list(text(), 0, 100) },
  { "filters", list(object({ { "field", text(), "required" }, { "expression", text(), "required" } }), 0, 100) },
  { "webengageConfiguration", object({ { "webengageToken", text() }, { "webengageWebhookUrl", text() } }) },
})

local create_shape = object({
  { "topic", one_of({ "messages", "delivery_status", "report" }), "required" },
  { "address", address.check, "required" },
  { "type", one_of({ "custom", "zapier", "webengage", "integromat_make" }) },
  { "configuration", configuration },
})

local update_shape = object({ { "address", address.check }, { "configuration", configuration } })

local function whole_configuration(given)
  given = given or {}
  return {
    echo = given.echo or false,
    channelTypes = json.array(given.channelTypes or {}),
    filters = json.array(given.filters or {}),
    webengageConfiguration = given.webengageConfiguration,
  }
end

local function described(webhook)
  return {
    id = webhook.id, topic = webhook.topic, address = webhook.address,
    configuration = webhook.configuration,
  }
end

local webhooks = {}

--- Registers a webhook without checking whether the topic already has one.
---@param store connectly.sandbox.store
---@param wish table  { topic, address, type, configuration }
---@return string id
function webhooks.register(store, wish)
  return store.webhooks:add({
    topic = wish.topic, address = wish.address, type = wish.type or "custom",
    configuration = whole_configuration(wish.configuration),
  })
end

--- Sets the address for the topics; registers the topics that have no webhook yet.
---@param store connectly.sandbox.store
---@param topics string[]
---@param to string  the address
function webhooks.replace(store, topics, to)
  for _, topic in ipairs(topics) do
    local earlier = store.webhooks:by_topic(topic)
    if earlier then
      earlier.address = to
    else
      webhooks.register(store, { topic = topic, address = to })
    end
  end
end

webhooks.create = endpoint.new({
  operation = "create_webhook",
  shape = create_shape,
  perform = function(sandbox, _, body)
    if sandbox.store.webhooks:by_topic(body.topic) then
      return answer.refuse(409, ("topic %s is registered already: use update"):format(body.topic))
    end
    return answer.json({ id = webhooks.register(sandbox.store, body) })
  end,
})

webhooks.list = endpoint.new({
  operation = "list_webhooks",
  perform = function(sandbox)
    local all = json.array({})
    for index, webhook in ipairs(sandbox.store.webhooks.list) do
      all[index] = described(webhook)
    end
    return answer.json({ entity = { businessId = sandbox.business_id, webhooks = all } })
  end,
})

--- Replaces the given members; a given configuration replaces the old one entirely.
webhooks.update = endpoint.new({
  operation = "update_webhook",
  shape = update_shape,
  perform = function(sandbox, _, body, id)
    local webhook = sandbox.store.webhooks:by_id(id)
    if not webhook then
      return answer.refuse(404, "no such webhook")
    end
    webhook.address = body.address or webhook.address
    webhook.configuration = body.configuration and whole_configuration(body.configuration)
      or webhook.configuration
    return answer.json(described(webhook))
  end,
})

webhooks.delete = endpoint.new({
  operation = "delete_webhook",
  perform = function(sandbox, _, _, id)
    if not sandbox.store.webhooks:remove(id) then
      return answer.refuse(404, "no such webhook")
    end
    return answer.json({})
  end,
})

return webhooks
