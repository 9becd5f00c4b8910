-- Reads WhatsApp's own form of a template's components, { type = "BODY", text = "…" }, which the
-- API passes through beside its own form. API: get templates, its older page.

local fields = require "connectly.template.fields"

local part, text = fields.part, fields.text

local native_components = {}

local function read_header(parts, component)
  local format, content = fields.constant(component.format, "FORMAT_"), text(component, "text")
  local is_text = format == "TEXT" and content
  parts.header = { kind = is_text and "text" or fields.media[format] or "unknown", text = is_text and content or nil }
end

--- A button also has the members of other types, but they are empty: only `type` tells its kind.
local function read_button(button)
  local kind = fields.constant(button.type, "TYPE_")
  local read = { kind = "unknown", text = text(button, "text") }
  if kind == "QUICK_REPLY" then
    read.kind = "quick_reply"
  elseif kind == "URL" then
    read.kind, read.url, read.is_sure = "url", text(button, "url"), true
  elseif kind == "PHONE_NUMBER" then
    read.kind, read.phone = "phone", text(button, "phoneNumber", "phone_number")
  end
  return read
end

local function read_buttons(parts, component)
  local list = part(component, "buttons")
  parts.has_unknown = parts.has_unknown or not list
  for _, button in ipairs(list or {}) do
    parts.buttons[#parts.buttons + 1] = type(button) == "table" and read_button(button) or { kind = "unknown" }
  end
end

local READERS = {
  HEADER = read_header,
  BODY = function(parts, component) parts.body = { text = text(component, "text") } end,
  FOOTER = function(parts, component) parts.footer = text(component, "text") end,
  BUTTONS = read_buttons,
  CAROUSEL = function(parts, component, read_cards) read_cards(parts, component) end,
}

--- Tells whether a component is in this form.
---@return boolean
function native_components.is_one(component)
  return type(component.type) == "string"
end

--- Adds one component to the parts; `read_cards` reads the cards of a carousel.
---@param parts connectly.template.Parts
---@param component table
---@param read_cards fun(parts: connectly.template.Parts, component: table)
function native_components.read(parts, component, read_cards)
  local reader = READERS[component.type:upper()]
  if reader then
    reader(parts, component, read_cards)
  else
    parts.has_unknown = true
  end
end

return native_components
