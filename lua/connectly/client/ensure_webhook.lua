-- client:ensure_webhook: brings a webhook's registration into the wanted state. Each topic has
-- one address: the API's pages say both that a second registration replaces the first and that
-- the API refuses it with 409. API: webhooks, registration; contradictions, 4.

local native = require "connectly.loader"

local registration = {}

local NOT_FOUND, CONFLICT = 404, 409

local function list_of(reply)
  local entity = type(reply) == "table" and reply.entity
  local webhooks = type(entity) == "table" and entity.webhooks
  return type(webhooks) == "table" and webhooks or {}
end

local function find(reply, topic)
  for _, webhook in ipairs(list_of(reply)) do
    if type(webhook) == "table" and webhook.topic == topic and type(webhook.id) == "string" then
      return webhook
    end
  end
end

--- Our field names and the API's spelling, of the fields that are compared.
local WIRE = {
  channel_types = "channelTypes", webengage_configuration = "webengageConfiguration",
  webengage_token = "webengageToken", webengage_webhook_url = "webengageWebhookUrl",
}

local function is_empty(value)
  return not value or value == native.null or value == "" or type(value) == "table" and next(value) == nil
end

local function has_all(list, wanted)
  local has = {}
  for _, name in ipairs(list) do
    has[name] = true
  end
  for _, name in ipairs(wanted) do
    if not has[name] then
      return false
    end
  end
  return true
end

--- Compares lists of names, whose order does not matter.
local function is_same_set(there, wanted)
  return has_all(there, wanted) and has_all(wanted, there)
end

--- Tells whether the registration has all that is wanted; the API may return more.
local function holds(there, wanted)
  if is_empty(wanted) then
    return is_empty(there) -- the API may omit empty fields
  elseif type(wanted) ~= "table" or type(there) ~= "table" then
    return there == wanted
  end
  if type(wanted[1]) == "string" then
    return is_same_set(there, wanted)
  end
  for name, value in pairs(wanted) do
    local found = WIRE[name] and there[WIRE[name]]
    if found == nil then
      found = there[name]
    end
    if not holds(found, value) then
      return false
    end
  end
  return #wanted == #there
end

local function is_as_wanted(webhook, message)
  return webhook.address == message.address
    and (is_empty(message.configuration) or holds(webhook.configuration, message.configuration))
end

--- Updates an existing registration unless it is already as wanted.
local function adjust(webhook, message, send, info)
  if is_as_wanted(webhook, message) then
    info.change = "none"
    return webhook.id, info
  end
  local reply, second = send("update_webhook", {
    id = webhook.id, address = message.address, configuration = message.configuration,
  })
  if reply == nil then
    return nil, second
  end
  second.change = "updated"
  return webhook.id, second
end

--- A registration without a type is a custom one. An update cannot change the type.
local function is_of_another_type(webhook, message)
  local type_there = not is_empty(webhook.type) and webhook.type or "custom"
  return not is_empty(message.type) and message.type ~= type_there
end

--- Tells whether to look for the webhook after a failed creation: on a conflict, or when the
--- outcome is unknown. A topic has at most one, so the one found is the one to adjust.
local function is_worth_a_look(problem)
  return problem.status == CONFLICT or problem.outcome == "unknown"
end

local function create(message, send)
  local id, second = send("create_webhook", message)
  if id ~= nil then
    second.change = "created"
  end
  return id, second
end

--- Registers a webhook, or changes the topic's existing registration. `info.change` is
--- "created", "updated" or "none".
---@param message table the same fields as for create_webhook
---@param send fun(operation: string, message: table): any, connectly.Info|connectly.Error
---@return string? id
---@return connectly.Info|connectly.Error
function registration.ensure(message, send)
  local id, second = create(message, send)
  if id ~= nil or not is_worth_a_look(second) then
    return id, second
  end
  local reply, third = send("list_webhooks", {})
  if reply == nil then
    return nil, second.status == CONFLICT and third or second
  end
  local webhook = find(reply, message.topic)
  if not webhook or is_of_another_type(webhook, message) then
    return nil, second
  end
  id, third = adjust(webhook, message, send, third)
  if id == nil and third.status == NOT_FOUND then
    return create(message, send) -- another client has just removed it
  end
  return id, third
end

return registration
