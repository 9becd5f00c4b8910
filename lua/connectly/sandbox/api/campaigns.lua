--- Starting campaigns for many customers at once. API: campaigns.
---
--- The sandbox knows "welcome" (published), "draft" (unpublished) and the campaigns added
--- by POST /_sandbox/campaigns. Names that begin with any_ count as published.

local answer = require "connectly.sandbox.http.answer"
local check = require "connectly.sandbox.check"
local delivery = require "connectly.sandbox.webhooks.delivery"
local endpoint = require "connectly.sandbox.api.endpoint"
local json = require "connectly.sandbox.http.json"
local magic = require "connectly.sandbox.state.magic"
local shape = require "connectly.sandbox.check.shape"

local text, list, object = shape.text, shape.list, shape.object

--- Days since 1970-01-01 in the Gregorian calendar, independent of the machine's time zone.
local function days(year, month, day)
  if month <= 2 then
    year, month = year - 1, month + 12
  end
  return 365 * year + math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
    + math.floor((153 * (month - 3) + 2) / 5) + day - 719469
end

--- Returns the day number of a date; nil if the date does not exist.
local function day_of(year, month, day)
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  if not year or month < 1 or month > 12 or day < 1 then
    return nil
  end
  local first, next_month = days(year, month, 1), days(year + math.floor(month / 12), month % 12 + 1, 1)
  return first + day <= next_month and first + day - 1 or nil
end

--- Returns the offset from UTC in seconds, east positive; nil if it is not a zone.
local function offset_of(zone)
  if zone:find("^[Zz]$") then
    return 0
  end
  local sign, hours, minutes = zone:match("^([+-])(%d%d):?(%d%d)$")
  if not sign then
    sign, hours = zone:match("^([+-])(%d%d)$")
  end
  local offset = sign and hours * 3600 + (minutes or 0) * 60
  return sign == "-" and -offset or offset
end

--- Converts an ISO 8601 date and time with zone to Unix seconds; returns nil for anything else.
local function moment_of(value)
  local year, month, day, hour, minute, rest = value:match("^(%d%d%d%d)%-(%d%d)%-(%d%d)[Tt](%d%d):(%d%d)(.*)$")
  local second, zone = (rest or ""):match("^:(%d%d)[.,]?%d*(.*)$")
  local date, offset = day_of(year, month, day), offset_of(zone or rest or "")
  second = tonumber(second) or 0
  if not date or not offset or tonumber(hour) > 23 or tonumber(minute) > 59 or second > 60 then
    return nil
  end
  return date * 86400 + hour * 3600 + minute * 60 + second - offset
end

local function check_moment(value, path)
  local complaint = text(40)(value, path)
  return complaint or not moment_of(value) and path .. ": an ISO 8601 date and time with its zone expected" or nil
end

local campaigns_shape = object({
  { "entries", list(object({
    { "client", text(), "required" },
    { "campaignName", text(nil, 1), "required" },
    { "sender", text() },
    { "variables", object({}) },
    { "campaignVersion", text() },
    { "scheduledAt", check_moment },
  }), 1), "required" },
})

local function sendout_key(entry)
  return entry.campaignName .. "\0" .. (entry.campaignVersion or "")
end

local function repeated(entries)
  local seen = {}
  for index, entry in ipairs(entries) do
    local key = entry.client .. "\0" .. sendout_key(entry)
    if seen[key] then
      return ("entries[%d]: the same client and campaign as entries[%d]"):format(index - 1, seen[key] - 1)
    end
    seen[key] = index
  end
end

local function find_campaign(store, name)
  return name:find("^any_") and { published = true } or store.campaigns[name]
end

local function unpublished(store, entries)
  for _, entry in ipairs(entries) do
    local campaign = find_campaign(store, entry.campaignName)
    if campaign and not campaign.published then
      return ("campaign %q is not published"):format(entry.campaignName)
    end
  end
end

--- Groups the entries by campaign and version, in order of first appearance.
local function sendouts_of(entries)
  local sendouts, by_key = {}, {}
  for _, entry in ipairs(entries) do
    local key = sendout_key(entry)
    if not by_key[key] then
      by_key[key] = {}
      sendouts[#sendouts + 1] = by_key[key]
    end
    table.insert(by_key[key], entry)
  end
  return sendouts
end

local function accept(sandbox, request, entry)
  local planned = magic.find(entry.client)
  delivery.accept(sandbox, request, {
    endpoint = "send_campaigns",
    number = entry.client,
    sender = entry.sender,
    campaign_name = entry.campaignName,
    scheduled_at = entry.scheduledAt and moment_of(entry.scheduledAt),
    fate = request.fate or planned and planned.reply and planned.reply.fate,
    body = json.encode(entry),
  }, entry)
end

local function report(accepted, codes, rejected, total)
  local reason = rejected > 0
    and ("%d of %d entries rejected: %s"):format(rejected, total, table.concat(codes, ", "))
  return { acceptedCount = accepted, rejectedCount = rejected, error = reason or json.null }
end

local function start_sendout(sandbox, request, entries)
  local store, codes, seen, rejected = sandbox.store, {}, {}, 0
  if not find_campaign(store, entries[1].campaignName) then
    return report(0, { "no such campaign" }, #entries, #entries)
  end
  local context = { default_sender = sandbox.sender, opted_out = function(number)
    return store:opted_out(number)
  end }
  for _, entry in ipairs(entries) do
    local refusal = check.entry(entry, context)
    if not refusal then
      accept(sandbox, request, entry)
    else
      rejected = rejected + 1
      codes[#codes + 1] = not seen[refusal.code] and refusal.code or nil
      seen[refusal.code] = true
    end
  end
  return report(#entries - rejected, codes, rejected, #entries)
end

--- Returns the reply for the whole request that the first magic number among the clients selects.
local function magic_reply(store, entries)
  for _, entry in ipairs(entries) do
    local found = magic.find(entry.client)
    local reply = found and found.reply
    if reply and not reply.fate and (not reply.once or store:is_first_of_two(found.name .. found.number)) then
      return reply
    end
  end
  return {}
end

local function start_all(sandbox, request, entries)
  local data = json.array({})
  for index, sendout in ipairs(sendouts_of(entries)) do
    data[index] = start_sendout(sandbox, request, sendout)
  end
  return answer.json({ data = data })
end

local function perform(sandbox, request, body)
  local entries = body.entries
  local complaint = repeated(entries)
  if complaint then
    return answer.refuse(400, complaint)
  end
  complaint = unpublished(sandbox.store, entries)
  if complaint then
    return answer.refuse(409, complaint)
  end
  local reply = magic_reply(sandbox.store, entries)
  local given = (not reply.status or reply.deliver) and start_all(sandbox, request, entries)
  if reply.status then
    given = answer.refuse(reply.status, "refused because of a magic number")
  end
  return endpoint.adorn(given, reply)
end

return {
  start = endpoint.new({
    operation = "send_campaigns",
    shape = campaigns_shape,
    is_send = true,
    perform = perform,
  }),
}
