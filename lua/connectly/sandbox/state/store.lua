--- The state of a sandbox: templates, conversations, deliveries, webhooks, campaigns, assets,
--- reports, scripted replies, and a clock that can be advanced.

local magic = require "connectly.sandbox.state.magic"
local new_catalogue = require("connectly.sandbox.state.catalogue").new
local new_registrations = require("connectly.sandbox.state.registrations").new
local templates = require "connectly.sandbox.state.templates"
local ulid = require "connectly.sandbox.state.ulid"

--- Beyond this number, the store drops the older half of the deliveries.
local most_deliveries = 100000

local day = 24 * 60 * 60

---@class connectly.sandbox.store
local store = {}
store.__index = store
store.__name = "connectly.sandbox.state.store"

---@class connectly.sandbox.store.options
---@field now fun(): number  Unix seconds, with fractions
---@field templates connectly.sandbox.template[]|nil  in addition to the built-in ones

---@param options connectly.sandbox.store.options
---@return connectly.sandbox.store
function store.new(options)
  local self = setmetatable({
    real_now = options.now,
    own_templates = options.templates or {},
  }, store)
  self:reset()
  return self
end

--- Restores the initial state, including the clock.
function store:reset()
  self.advanced = 0
  self.next_id = ulid.source()
  local function new_id()
    return self:new_id()
  end
  self.webhooks = new_registrations(new_id)
  self.campaigns = { welcome = { published = true }, draft = { published = false } }
  self.assets, self.asset_count = {}, 0
  self.reports = {}
  self.seen = {}
  self.requests = 0
  self.deliveries = {}
  self.replies = {}
  self.heard = {}
  self.opted_out_numbers = {}
  self.catalogue = new_catalogue(new_id, function()
    return self:now()
  end)
  self.catalogue:add_all(templates.ready)
  self.catalogue:add_all(self.own_templates)
end

---@return number  Unix seconds
function store:now()
  return self.real_now() + self.advanced
end

---@param seconds number
function store:advance(seconds)
  self.advanced = self.advanced + seconds
end

--- Returns a new ULID, in the sandbox's time.
---@return string
function store:new_id()
  return self.next_id(self:now() * 1000)
end

local any_sender = "any"

--- Records that a customer wrote. Without a sender, the message counts for all numbers of the
--- business.
---@param number string
---@param sender string|nil  the business number written to
function store:hear(number, sender)
  local heard = self.heard[number] or {}
  heard[sender or any_sender] = self:now()
  self.heard[number] = heard
end

--- Returns the state of the 24-hour window, which each number of the business has separately.
--- API: session message.
---@param number string
---@param sender string
---@return "open"|"over"|"none"
function store:conversation(number, sender)
  local heard = self.heard[number]
  if magic.is_number(number) then
    return "open"
  elseif not heard then
    return "none"
  end
  local last = math.max(heard[sender] or -math.huge, heard[any_sender] or -math.huge)
  return self:now() - last <= day and "open" or "over"
end

---@param number string
function store:opt_out(number)
  self.opted_out_numbers[number] = true
end

---@param number string
---@return boolean
function store:opted_out(number)
  return self.opted_out_numbers[number] == true
end

--- Counts a send request, even a refused one.
function store:count_request()
  self.requests = self.requests + 1
end

local function forget_older_half(list)
  local kept, first = {}, math.floor(#list / 2) + 1
  for index = first, #list do
    kept[#kept + 1] = list[index]
  end
  return kept
end

--- Stores an accepted message.
---@param delivery table
---@return string id
function store:deliver(delivery)
  if #self.deliveries >= most_deliveries then
    self.deliveries = forget_older_half(self.deliveries)
  end
  delivery.received_at = self:now()
  delivery.id = self:new_id()
  self.deliveries[#self.deliveries + 1] = delivery
  return delivery.id
end

--- Returns the newest delivery with this value of a key.
---@param key "id"|"number"
---@param value string
---@return table?
function store:newest_delivery(key, value)
  for index = #self.deliveries, 1, -1 do
    if self.deliveries[index][key] == value then
      return self.deliveries[index]
    end
  end
end

--- Alternates between true and false for each key, starting with true.
---@param key string
---@return boolean
function store:is_first_of_two(key)
  self.seen[key] = not self.seen[key]
  return self.seen[key]
end

--- Adds a scripted reply for the next requests.
---@param reply connectly.sandbox.reply
function store:script(reply)
  table.insert(self.replies, { reply = reply, left = reply.times or 1 })
end

local function is_meant(reply, operation, is_send)
  if reply.operation then
    return reply.operation == operation
  end
  return is_send
end

--- Returns the oldest scripted reply that applies to an operation, and counts its use.
---@param operation string
---@param is_send boolean|nil
---@return connectly.sandbox.reply?
function store:next_reply(operation, is_send)
  for index, each in ipairs(self.replies) do
    if is_meant(each.reply, operation, is_send) then
      each.left = each.left - 1
      if each.left <= 0 then
        table.remove(self.replies, index)
      end
      return each.reply
    end
  end
end

return store
