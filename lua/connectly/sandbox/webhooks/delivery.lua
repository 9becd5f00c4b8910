--- The life of an accepted message: sent, delivered, read, or delivery_failed. A webhook
--- reports each status.

local event = require "connectly.sandbox.webhooks.event"
local random_bytes = require("openssl.rand").bytes
local wording = require "connectly.sandbox.webhooks.wording"

local function statuses_of(accepted, settings)
  local fate = accepted.fate or {}
  if fate.fails then
    return { "sent", "delivery_failed" }
  elseif fate.statuses then
    return fate.statuses
  end
  return settings.read and { "sent", "delivered", "read" } or { "sent", "delivered" }
end

local function status_steps(sandbox, accepted)
  local steps, settings = {}, sandbox.poster.settings
  for index, status in ipairs(statuses_of(accepted, settings)) do
    steps[index] = function()
      accepted.status = status
      return event.status(accepted, status, sandbox.store:now(), settings.old_spellings)
    end
  end
  return steps
end

local function echo_steps(sandbox, accepted, body)
  return { function()
    return event.echo(accepted, wording.of(sandbox.store, accepted, body), sandbox.store:now())
  end }
end

local function follow(sandbox, accepted, body)
  local poster, webhooks = sandbox.poster, sandbox.store.webhooks
  local pace = poster.settings.pace
  if webhooks:by_topic("delivery_status") then
    poster:submit(status_steps(sandbox, accepted), pace, accepted.scheduled_at)
  end
  local listener = webhooks:by_topic("messages")
  if listener and listener.configuration.echo then
    poster:submit(echo_steps(sandbox, accepted, body), pace, accepted.scheduled_at)
  end
end

local function visible_headers(headers)
  local visible = {}
  for name, value in headers:each() do
    if name:sub(1, 1) ~= ":" and name ~= "x-api-key" then
      visible[name] = visible[name] and visible[name] .. ", " .. value or value
    end
  end
  return visible
end

local function new_uuid()
  local hex = random_bytes(16):gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end)
  return ("%s-%s-4%s-a%s-%s"):format(hex:sub(1, 8), hex:sub(9, 12), hex:sub(14, 16), hex:sub(18, 20),
    hex:sub(21, 32))
end

local delivery = {}

--- Accepts a message and schedules its webhooks.
---@param sandbox connectly.sandbox
---@param request connectly.sandbox.request
---@param message table  endpoint, number, body and other known fields
---@param body any  decoded, for the echo
---@return string id
function delivery.accept(sandbox, request, message, body)
  message.sender = message.sender or sandbox.sender
  message.headers = visible_headers(request.headers)
  message.http_version = request.http_version
  message.status = "accepted"
  local id = sandbox.store:deliver(message)
  if message.number then
    follow(sandbox, message, body)
  end
  return id
end

--- Returns the id by which a customer's reply refers to a message. It is not the message id.
---@param accepted table
---@return string uuid
function delivery.reply_id(accepted)
  accepted.reply_id = accepted.reply_id or new_uuid()
  return accepted.reply_id
end

local shown = { "endpoint", "number", "body", "headers", "http_version", "received_at", "id", "status" }

--- Returns the fields that the control route shows.
---@param accepted table
---@return table
function delivery.describe(accepted)
  local description = {}
  for _, key in ipairs(shown) do
    description[key] = accepted[key]
  end
  return description
end

return delivery
