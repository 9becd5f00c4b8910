--- Formats an event as one line of JSON. Customers' names, numbers and texts are hidden
--- unless --show is given.

local json = require "connectly.json"

local PLAIN = { "kind", "topic", "timestamp", "id", "status", "campaign_name", "reply_to", "is_echo" }
local ERROR = { "kind", "outcome", "message", "code", "type", "trace_id" }
local PERSONAL = { "from", "to", "customer", "text", "attachments", "button", "referral" }
-- Members of these objects that contain no personal data.
local HARMLESS = {
  type = true, channel_type = true, source_type = true, media_type = true, created_at = true, expires_at = true,
}

local function pick(object, names)
  local picked = {}
  for _, name in ipairs(names) do
    picked[name] = object[name]
  end
  return picked
end

--- Returns a copy with its strings hidden; nil if it is empty.
local function hide(value)
  if type(value) == "string" then
    return ("hidden, %d bytes"):format(#value)
  elseif type(value) ~= "table" or next(value) == nil then
    return nil
  end
  local hidden = {}
  for name, item in pairs(value) do
    hidden[name] = HARMLESS[name] and item or hide(item)
  end
  return hidden
end

local function hide_report(report)
  local hidden = pick(report, { "id", "name", "type" })
  if report.last_run then
    -- Hidden because the URL alone gives access to the report.
    hidden.last_run = pick(report.last_run, { "id", "status" })
    hidden.last_run.result = hide(report.last_run.result)
  end
  return hidden
end

local function masked(event)
  local shown = pick(event, PLAIN)
  for _, name in ipairs(PERSONAL) do
    shown[name] = hide(event[name])
  end
  shown.error = event.error and pick(event.error, ERROR)
  shown.report = event.report and hide_report(event.report)
  shown.callback_data = event.callback_data ~= nil and "hidden" or nil
  return shown
end

local function whole(event)
  local shown = {}
  for name, value in pairs(event) do
    shown[name] = value
  end
  -- The parsed fields already contain the rest.
  shown.raw, shown.body = nil, event.kind == "unknown" and event.body or nil
  shown.attachments = event.attachments and event.attachments[1] and event.attachments or nil
  return shown
end

local line = {}

---@param event connectly.WebhookEvent
---@param shows_all boolean? also print numbers and texts
---@return string
function line.of(event, shows_all)
  local text = shows_all and json.encode(whole(event))
  -- If json.encode fails, for example on an inexact number, hide the values rather than print wrong ones.
  return text or assert(json.encode(masked(event)))
end

return line
