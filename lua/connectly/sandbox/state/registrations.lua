--- The registered webhooks of the business: at most one for each topic.

---@class connectly.sandbox.webhook
---@field id string
---@field topic string
---@field address string
---@field type string
---@field configuration table  { echo, channelTypes, filters, webengageConfiguration }

---@class connectly.sandbox.registrations
local registrations = {}
registrations.__index = registrations

--- The ids look like ULIDs but are none, as in the API.
---@param next_id fun(): string
---@return connectly.sandbox.registrations
function registrations.new(next_id)
  return setmetatable({ list = {}, next_id = function()
    return "wh_" .. next_id():sub(1, 25) .. "U"
  end }, registrations)
end

local function find(list, key, value)
  for index, webhook in ipairs(list) do
    if webhook[key] == value then
      return webhook, index
    end
  end
end

---@param topic string
---@return connectly.sandbox.webhook?
function registrations:by_topic(topic)
  return (find(self.list, "topic", topic))
end

---@param id string
---@return connectly.sandbox.webhook?
function registrations:by_id(id)
  return (find(self.list, "id", id))
end

---@param webhook table  { topic, address, type, configuration }
---@return string id
function registrations:add(webhook)
  webhook.id = self.next_id()
  self.list[#self.list + 1] = webhook
  return webhook.id
end

---@param id string
---@return boolean removed
function registrations:remove(id)
  local _, index = find(self.list, "id", id)
  if index then
    table.remove(self.list, index)
  end
  return index ~= nil
end

local function pattern_of(expression)
  return "^" .. expression:gsub("[%^%$%(%)%%%.%[%]%+%-%?]", "%%%0"):gsub("%*", ".*") .. "$"
end

--- An event passes if any filter matches, or if there are none. A filter on a field that the
--- event lacks does not match.
local function passes_filters(filters, event)
  for _, filter in ipairs(filters) do
    local value = filter.field == "campaign_name" and event.campaign_name
    if value and value:find(pattern_of(filter.expression)) then
      return true
    end
  end
  return #filters == 0
end

local function has_channel(channel_types)
  for _, each in ipairs(channel_types) do
    if each == "whatsapp" then
      return true
    end
  end
  return #channel_types == 0
end

--- Returns the registration that receives an event, or nil.
---@param event connectly.sandbox.event
---@return connectly.sandbox.webhook?
function registrations:receiver(event)
  local webhook = self:by_topic(event.topic)
  if not webhook or event.echo and not webhook.configuration.echo then
    return nil
  end
  local configuration = webhook.configuration
  local passes = event.topic == "report" or has_channel(configuration.channelTypes)
  passes = passes and (not event.filtered or passes_filters(configuration.filters, event))
  return passes and webhook or nil
end

return registrations
