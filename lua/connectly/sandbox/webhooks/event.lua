--- The bodies of webhooks. API: webhooks, payload types.

local json = require "connectly.sandbox.http.json"
local native = require "connectly.loader"
local problem = require "connectly.sandbox.http.problem"

local null = json.null

local function timestamp(now)
  return ("%d"):format(math.floor(now))
end

local function person(id, name)
  return { id = id, channelType = "whatsapp", name = name or null }
end

--- Describes a customer. One with a business-scoped user id may have no number.
local function customer_of(inbound)
  local customer = person(inbound.number or inbound.user_id, inbound.name)
  if inbound.user_id then
    customer.userId, customer.phoneNumber = inbound.user_id, inbound.number or ""
  end
  return customer
end

--- The oldest pages show the business as digits without "+".
local function business_of(sender, old)
  return person(old and sender:gsub("^%+", "") or sender)
end

local function callback_of(delivery)
  return delivery and delivery.callback_data and json.raw(delivery.callback_data) or nil
end

local function campaign_metadata(delivery)
  return delivery.campaign_name and { campaign_name = delivery.campaign_name } or null
end

local event = {}

---@param delivery table  from the store
---@param status string
---@param now number
---@param old boolean  the spellings of older pages
---@return connectly.sandbox.event
function event.status(delivery, status, now, old)
  local failed = status == "delivery_failed"
  local body = {
    topic = "delivery_status",
    timestamp = timestamp(now),
    sender = person(delivery.sender),
    recipient = person(delivery.number),
    statusUpdate = {
      id = delivery.id,
      status = old and failed and "delivery_failure" or status,
      error = failed and problem.of_delivery(delivery.fate.fails) or null,
      metadata = old and delivery.campaign_name and { campaignName = delivery.campaign_name } or nil,
    },
    metadata = old and null or campaign_metadata(delivery),
    callbackData = callback_of(delivery),
  }
  return {
    topic = "delivery_status", body = json.encode(body), filtered = true,
    campaign_name = delivery.campaign_name,
  }
end

--- A message of the business itself, for registrations with `echo`.
---@param delivery table
---@param message table
---@param now number
---@return connectly.sandbox.event
function event.echo(delivery, message, now)
  message.isEcho = true
  local body = {
    topic = "messages",
    timestamp = timestamp(now),
    sender = person(delivery.sender),
    recipient = person(delivery.number),
    message = message,
    metadata = campaign_metadata(delivery),
  }
  return {
    topic = "messages", body = json.encode(body), filtered = true, echo = true,
    campaign_name = delivery.campaign_name,
  }
end

---@class connectly.sandbox.inbound  a message from a customer
---@field number string|nil  number or user_id is required
---@field user_id string|nil
---@field sender string|nil  the business number that the customer wrote to
---@field name string|nil
---@field text string|nil
---@field attachment table|nil  { type, url, caption, filename }
---@field button { text: string, payload: string? }|nil
---@field referral table|nil  of a click-to-WhatsApp ad
---@field reply_to string|nil  the id of a message
---@field old boolean|nil  use the shapes of the oldest pages
---@field without_topic boolean|nil

local function message_of(inbound)
  if inbound.button and not inbound.old then
    return nil
  elseif inbound.button then
    return { text = inbound.button.text, isButtonResponse = true }
  end
  return {
    text = inbound.text,
    attachments = inbound.attachment and { inbound.attachment } or nil,
    referral = inbound.referral,
  }
end

--- A message from a customer. A reply refers to a message by its reply id, not its message id.
---@param inbound connectly.sandbox.inbound
---@param replied table|nil  the delivery it replies to
---@param replied_id string|nil
---@param now number
---@return connectly.sandbox.event
function event.inbound(inbound, replied, replied_id, now)
  local button = not inbound.old and inbound.button or nil
  local body = {
    topic = not (inbound.old or inbound.without_topic) and "messages" or nil,
    timestamp = timestamp(now),
    sender = customer_of(inbound),
    recipient = business_of(inbound.sender, inbound.old),
    message = message_of(inbound),
    context = replied_id and { replyToId = replied_id } or nil,
    buttonResponse = button and { text = button.text, payload = button.payload or button.text } or nil,
    callbackData = callback_of(replied),
    metadata = null,
  }
  return { topic = "messages", body = json.encode(body) }
end

---@param report connectly.sandbox.report
---@param now number
---@return connectly.sandbox.event
function event.report(report, now)
  local run = report.run
  local body = {
    topic = "report",
    timestamp = native.datetime(now),
    report = {
      id = report.id, name = report.name, type = report.type,
      last_run = {
        id = run.id, status = run.status,
        result = run.url and {
          url = run.url, expires_at = native.datetime(now + 300), created_at = native.datetime(run.created_at),
        } or null,
      },
    },
  }
  return { topic = "report", body = json.encode(body) }
end

return event
