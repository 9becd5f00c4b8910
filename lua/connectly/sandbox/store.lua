--- All that a sandbox remembers: templates, conversations, deliveries,
--- scripted replies, and a clock that can be turned.

local templates = require "connectly.sandbox.templates"
local ulid = require "connectly.sandbox.ulid"

--- Past this many, the older half of the deliveries is forgotten.
local most_deliveries = 100000

local day = 24 * 60 * 60

---@class connectly.sandbox.store
local store = {}
store.__index = store
store.__name = "connectly.sandbox.store"

---@class connectly.sandbox.store.options
---@field now fun(): number  Unix seconds, with fractions
---@field templates connectly.sandbox.template[]|nil  besides the ready ones

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

--- Back to how it was at the start, the clock included.
function store:reset()
  self.advanced = 0
  self.next_id = ulid.source()
  self.requests = 0
  self.deliveries = {}
  self.replies = {}
  self.heard = {}
  self.opted_out_numbers = {}
  self.templates = {}
  self:add_templates(templates.ready)
  self:add_templates(self.own_templates)
end

---@return number  Unix seconds
function store:now()
  return self.real_now() + self.advanced
end

---@param seconds number
function store:advance(seconds)
  self.advanced = self.advanced + seconds
end

local function template_key(name, language)
  return name .. "\0" .. language
end

---@param template connectly.sandbox.template
function store:add_template(template)
  self.templates[template_key(template.name, template.language)] = template
end

---@param list connectly.sandbox.template[]
function store:add_templates(list)
  for _, template in ipairs(list) do
    self:add_template(template)
  end
end

--- Names that begin with any_ stand for templates that take whatever comes.
---@param name string
---@param language string
---@return connectly.sandbox.template?
function store:find_template(name, language)
  if name:find("^any_") then
    return { name = name, language = language, anything = true }
  end
  return self.templates[template_key(name, language)]
end

local any_sender = "any"

--- A customer wrote. Without a sender the message counts for all numbers of
--- the business.
---@param number string
---@param sender string|nil  the business number written to
function store:hear(number, sender)
  local heard = self.heard[number] or {}
  heard[sender or any_sender] = self:now()
  self.heard[number] = heard
end

--- The window is kept for each number of the business.
--- API: session message.
---@param number string
---@param sender string
---@return "open"|"over"|"none"
function store:conversation(number, sender)
  local heard = self.heard[number]
  if not heard then
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

--- Counts a send request, refused ones too.
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

--- A message is on its way.
---@param delivery table
---@return string id
function store:deliver(delivery)
  if #self.deliveries >= most_deliveries then
    self.deliveries = forget_older_half(self.deliveries)
  end
  delivery.received_at = self:now()
  delivery.id = self.next_id(delivery.received_at * 1000)
  self.deliveries[#self.deliveries + 1] = delivery
  return delivery.id
end

--- Scripts what the next send requests are answered with.
---@param reply table
function store:script(reply)
  table.insert(self.replies, { reply = reply, left = reply.times or 1 })
end

---@return table? reply
function store:next_reply()
  local first = self.replies[1]
  if not first then
    return nil
  end
  first.left = first.left - 1
  if first.left <= 0 then
    table.remove(self.replies, 1)
  end
  return first.reply
end

return store
