-- Turns a webhook body into an event of one of five kinds. It reads every shape that the API's
-- pages show, including old spellings. Anything else stays available in `raw` and `body`.
-- API: webhooks, payloads.

local errors = require "connectly.errors"
local json = require "connectly.json"
local native = require "connectly.loader"
local time = require "connectly.webhook.time"

local null = native.null

-- Our field names and the names on the wire; our names are accepted on the wire as well.
local CUSTOMER = {
  id = "id", name = "name", user_id = "userId", phone_number = "phoneNumber", channel_type = "channelType",
}
local BUTTON = { id = "id", text = "text", payload = "payload" }
local ATTACHMENT = { type = "type", url = "url", caption = "caption", filename = "filename" }
local REFERRAL = {
  ctwa_clid = "ctwaClid", source_url = "sourceUrl", source_id = "sourceId", source_type = "sourceType",
  headline = "headline", body = "body", media_type = "mediaType", image_url = "imageUrl", video_url = "videoUrl",
  thumbnail_url = "thumbnailUrl",
}
local REPORT = { id = "id", name = "name", type = "type" }
local RUN = { id = "id", status = "status" }
local RESULT = { url = "url", expires_at = "expiresAt", created_at = "createdAt" }

local OLDER_STATUS = { delivery_failure = "delivery_failed" }

--- Returns a member by either of its names; nil when it is null.
local function member(object, name, older)
  local value = object[name]
  if value == nil or value == null then
    value = object[older]
  end
  if value == null then
    return nil
  end
  return value
end

--- Returns a member that is an object or a list, else nil.
local function part(object, name, older)
  local value = object and member(object, name, older)
  return type(value) == "table" and value or nil
end

--- Returns a member that is a non-empty string, or a whole number (as an id may be) as digits; else nil.
local function text(object, name, older)
  local value = object and member(object, name, older)
  if type(value) == "number" then
    return value % 1 == 0 and ("%.0f"):format(value) or nil
  end
  return type(value) == "string" and value ~= "" and value or nil
end

--- Returns the texts of an object under our names; nil when it is not an object.
local function pick(object, names)
  if type(object) ~= "table" then
    return nil
  end
  local picked = {}
  for ours, wire in pairs(names) do
    picked[ours] = text(object, wire, ours)
  end
  return picked
end

local function read_attachments(message)
  local list = {}
  for _, attachment in ipairs(part(message, "attachments") or {}) do
    local picked = pick(attachment, ATTACHMENT)
    list[#list + 1] = picked and next(picked) and picked or nil
  end
  return list
end

local function read_campaign_name(body)
  local metadata, inner = part(body, "metadata"), part(part(body, "statusUpdate", "status_update"), "metadata")
  return text(metadata, "campaign_name", "campaignName") or text(inner, "campaign_name", "campaignName")
end

--- Reads the customer: the recipient of a status or an echo, the sender of anything else.
local function read_customer(event, body)
  local is_outbound = event.kind == "status" or event.is_echo
  event.customer = pick(part(body, is_outbound and "recipient" or "sender"), CUSTOMER)
end

---- one reader per kind; each returns whether the body is of that kind

local readers = {}

function readers.status(event, body, raw)
  local update = part(body, "statusUpdate", "status_update")
  local status = text(update, "status")
  if not status then
    return false
  end
  local err = native.webhook_error(raw)
  event.id, event.status, event.error = text(update, "id"), OLDER_STATUS[status] or status, err and errors.complete(err)
  return true
end

function readers.report(event, body)
  local found = part(body, "report")
  local report, run = pick(found, REPORT), part(found, "last_run", "lastRun")
  if not report or not (next(report) or run) then
    return false
  end
  report.last_run = pick(run, RUN)
  if report.last_run then
    report.last_run.result = pick(part(run, "result"), RESULT)
  end
  event.id, event.report = report.id, report
  return true
end

local function read_content(event, message)
  local referral = pick(part(message, "referral"), REFERRAL)
  event.text, event.attachments = text(message, "text"), read_attachments(message)
  event.referral = referral and next(referral) and referral or nil
end

function readers.button(event, body)
  local message = part(body, "message")
  local button = pick(part(body, "buttonResponse", "button_response"), BUTTON)
  if not button and message and member(message, "isButtonResponse", "is_button_response") == true then
    button = { text = text(message, "text") }
  end
  if not button or not next(button) then
    return false
  end
  read_content(event, message)
  event.id, event.button, event.text = button.id, button, button.text or event.text
  return true
end

function readers.message(event, body)
  local message = part(body, "message")
  local content = {}
  read_content(content, message)
  if not (content.text or content.attachments[1] or content.referral) then
    return false
  end
  event.id, event.text, event.attachments, event.referral =
    text(message, "id"), content.text, content.attachments, content.referral
  event.is_echo = member(message, "isEcho", "is_echo") == true or nil
  return true
end

local ORDER = { "status", "report", "button", "message" }

local function read_kind(event, body, raw)
  for _, kind in ipairs(ORDER) do
    if readers[kind](event, body, raw) then
      return kind
    end
  end
  return "unknown"
end

--- Reads the fields that webhooks of every kind have.
local function read_common(event, body)
  event.topic, event.timestamp = text(body, "topic"), time.read(member(body, "timestamp"))
  event.from, event.to = text(part(body, "sender"), "id"), text(part(body, "recipient"), "id")
  event.callback_data = member(body, "callbackData", "callback_data")
  event.campaign_name = read_campaign_name(body)
  event.reply_to = text(part(body, "context"), "replyToId", "reply_to_id")
end

local event = {}

--- Returns the event of a body. Never fails.
---@param raw string
---@return connectly.WebhookEvent
function event.read(raw)
  local made = { kind = "unknown", raw = raw }
  local body = native.exact_json(raw) and json.decode(raw)
  if type(body) ~= "table" then
    return made
  end
  made.body = body
  read_common(made, body)
  made.kind = read_kind(made, body, raw)
  if made.kind ~= "unknown" and made.kind ~= "report" then
    read_customer(made, body)
  end
  return made
end

return event
