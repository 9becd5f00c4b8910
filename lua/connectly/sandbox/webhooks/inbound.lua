--- Simulates a customer who writes: opens the 24-hour window, and sends the message as a
--- webhook of the topic `messages`.

local delivery = require "connectly.sandbox.webhooks.delivery"
local event = require "connectly.sandbox.webhooks.event"
local shape = require "connectly.sandbox.check.shape"

local text, object = shape.text, shape.object

local inbound = {}

inbound.shape = object({
  { "number", text(nil, 1) },
  { "user_id", text(200, 1) },
  { "sender", text(nil, 1) },
  { "name", text() },
  { "text", text() },
  { "attachment", object({
    { "type", shape.one_of({ "image", "video", "audio", "document" }), "required" },
    { "url", text(2048, 1), "required" },
  }) },
  { "button", object({ { "text", text(), "required" }, { "payload", text() } }) },
  { "referral", object({}) },
  { "reply_to", text(nil, 1) },
  { "old", shape.boolean },
  { "without_topic", shape.boolean },
})

local function says_something(body)
  return body.text or body.attachment or body.button or body.referral
end

--- A button reply always answers a message: without reply_to, the customer's newest one.
local function replied_to(store, body)
  if body.reply_to then
    return store:newest_delivery("id", body.reply_to)
  end
  return body.button and body.number and store:newest_delivery("number", body.number) or nil
end

---@param sandbox connectly.sandbox
---@param body connectly.sandbox.inbound
---@return string? complaint
function inbound.receive(sandbox, body)
  local store, customer = sandbox.store, body.number or body.user_id
  local replied = replied_to(store, body)
  if not customer then
    return "number: required, or user_id"
  elseif body.reply_to and not replied then
    return "reply_to: no such message"
  end
  store:hear(customer, body.sender)
  if says_something(body) then
    body.sender = body.sender or sandbox.sender
    local replied_id = replied and delivery.reply_id(replied)
    sandbox.poster:submit({ function()
      return event.inbound(body, replied, replied_id, store:now())
    end }, 0)
  end
end

return inbound
