--- The built-in templates of every sandbox.

---@class connectly.sandbox.template
---@field name string
---@field language string
---@field header string|nil  a field of table template_header, such as "image"; or "any", "none"; nil is none
---@field body integer|nil  variables in the body
---@field buttons integer|integer[]|nil  URL buttons with a suffix: their number, or their positions
---@field cards table[]|nil  a carousel's cards: { header = "image", body = 1, buttons = 1 }
---@field anything boolean|nil  accepts any parameters
---@field text string|nil  of the body, with {{1}}, {{2}}, …
---@field status "PENDING"|"APPROVED"|"REJECTED"|nil  approved when nil
---@field category "MARKETING"|"UTILITY"|"AUTHENTICATION"|nil  utility when nil
---@field components string|nil  the JSON of a created template's components
---@field reason string|nil  why it was rejected
---@field id string|nil  set by the store
---@field created_at number|nil  Unix seconds, set by the store
---@field updated_at number|nil

local native = require "connectly.loader"
local shape = require "connectly.sandbox.check.shape"

local card = { header = "image", body = 1, buttons = 1 }

local templates = {}

---@type connectly.sandbox.template[]
templates.ready = {
  { name = "hello", language = "en", body = 1, text = "Hello {{1}}!" },
  { name = "order_shipped", language = "en_US", body = 2, text = "Hi {{1}}, order {{2}} left our store." },
  { name = "invoice_ready", language = "pt_BR", header = "document", body = 1, buttons = 1,
    text = "Olá {{1}}, sua fatura está pronta." },
  { name = "autumn_carousel", language = "en", body = 1, cards = { card, card }, category = "MARKETING",
    text = "{{1}}, this is new." },
  { name = "order_confirmation", language = "en", header = "any", body = 2, buttons = 1,
    text = "Thank you {{1}}, we have your {{2}}." },
}

-- Those that core's tables have a parameter for; any: one of these, or none.
local header_kinds = { none = true, any = true }

---@type table<string, string>  the API's constants of the headers that take a URL, by their kinds
templates.media_types = {}

for _, param in ipairs(native.params()) do
  local kind = param.name:match("^header_(%l+)$")
  if kind then
    header_kinds[kind] = true
    templates.media_types[kind] = param.type == "url" and "TYPE_" .. kind:upper() or nil
  elseif param.name == "body_#" then
    ---@type integer  how many variables a body may have
    templates.body_max = math.floor(param.high)
  end
end

local function one_of(kinds)
  return function(value, path)
    return not kinds[value] and path .. ": not a kind of header" or nil
  end
end

local function check_buttons(value, path)
  local count, positions = shape.number(0, 10), shape.list(shape.number(1, 10))
  return (type(value) == "table" and positions or count)(value, path)
end

local body_count = shape.number(0, templates.body_max)

local template_shape = shape.object({
  { "name", shape.text(512, 1), "required" },
  { "language", shape.text(nil, 1), "required" },
  { "header", one_of(header_kinds) },
  { "body", body_count },
  { "buttons", check_buttons },
  { "cards", shape.list(shape.object({
    { "header", one_of({ none = true, image = true }) },
    { "body", body_count },
    { "buttons", shape.number(0, 2) },
  }), 0, 10) },
})

--- Checks whether a table describes a template.
---@param value any
---@return string? complaint
function templates.check(value)
  return template_shape(value, "template")
end

return templates
