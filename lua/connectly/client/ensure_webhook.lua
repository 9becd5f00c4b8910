-- A webhook's registration as it should be, whatever it was. One address a topic:
-- the API's pages say both that a second registration replaces the first and that it
-- is refused with 409. API: webhooks, registration; contradictions, 4.

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

--- Ours in the API's spelling, as far as it is compared.
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

--- Lists of names have no order.
local function is_same_set(there, wanted)
  return has_all(there, wanted) and has_all(wanted, there)
end

--- Whether all that is wanted is there; the API may have more.
local function holds(there, wanted)
  if is_empty(wanted) then
    return is_empty(there) -- what is empty may be left out
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

--- With what is there: nothing, or a change.
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

--- A registration that does not say its type is a custom one; and none can change it.
local function is_of_another_type(webhook, message)
  local type_there = not is_empty(webhook.type) and webhook.type or "custom"
  return not is_empty(message.type) and message.type ~= type_there
end

--- A creation that may have arrived is looked for, since only one can be there.
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

--- Registers, or changes what is registered for the topic. `info.change` is
--- "created", "updated" or "none".
---@param message table as create_webhook takes it
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
    return create(message, send) -- somebody has just removed it
  end
  return id, third
end

return registration
