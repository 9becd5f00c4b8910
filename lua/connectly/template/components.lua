-- Turns the components of a template, as replies have them, into parts under our names. For an
-- unknown component only `has_unknown` is set. API: create template, get templates.

local buttons = require "connectly.template.buttons"
local fields = require "connectly.template.fields"
local native_components = require "connectly.template.native_components"

local part, text = fields.part, fields.text

---@class connectly.template.Parts
---@field header {kind: string, text: string?}? nil when there is none
---@field body {text: string?}? without `text` when it could not be read
---@field footer string?
---@field buttons connectly.template.Button[]
---@field cards connectly.template.Parts[]? of a carousel
---@field has_unknown boolean the template has something that could not be read

local read

local readers = {}

function readers.header(parts, value)
  local media, content = part(value, "media"), fields.inner_text(value)
  local kind = media and fields.media[fields.constant(text(media, "type"), "TYPE_")] or content and "text"
  parts.header = { kind = kind or "unknown", text = kind == "text" and content or nil }
end

function readers.body(parts, value)
  parts.body = { text = fields.inner_text(value) }
end

function readers.footer(parts, value)
  parts.footer = fields.inner_text(value)
end

function readers.button(parts, value)
  parts.buttons[#parts.buttons + 1] = buttons.read(value)
end

function readers.buttons(parts, value)
  for _, each in ipairs(type(value) == "table" and value or {}) do
    readers.button(parts, part(each, "button") or each)
  end
end

local function components_of(holder)
  return part(holder, "templateComponents", "template_components", "components", "cardComponents", "card_components")
end

function readers.carousel(parts, value)
  local list = part(value, "cards") or value
  if type(list) ~= "table" or list[1] == nil or parts.is_card or parts.cards then
    parts.has_unknown = true
    return
  end
  parts.cards = {}
  for index, card in ipairs(list) do
    parts.cards[index] = read(components_of(card) or card, true)
  end
end

readers.cards = readers.carousel

--- Members are read in this order when an object has several.
local KINDS = { "header", "body", "footer", "button", "buttons", "carousel", "cards" }

-- A template has at most one of each of these.
local ONCE = { header = true, body = true, footer = true }

local function read_kind(parts, kind, value)
  if ONCE[kind] and parts[kind] then
    parts.has_unknown = true
    return
  end
  readers[kind](parts, value)
end

--- Reads one component object, which normally has one of the known members.
local function read_component(parts, component)
  local null = fields.null
  for _, kind in ipairs(KINDS) do
    local value = component[kind]
    if value ~= nil and value ~= null then
      read_kind(parts, kind, value)
    end
  end
  for key, value in next, component do
    parts.has_unknown = parts.has_unknown or not readers[key] and value ~= null
  end
end

function read(components, is_card)
  local parts = { buttons = {}, has_unknown = type(components) ~= "table", is_card = is_card }
  local list = type(components) == "table" and components or {}
  -- A table without items is a single object with all components.
  for _, component in ipairs(list[1] == nil and { list } or list) do
    if type(component) ~= "table" then
      parts.has_unknown = true
    elseif native_components.is_one(component) then
      native_components.read(parts, component, readers.carousel)
    else
      read_component(parts, component)
    end
  end
  return parts
end

local function has_text(parts)
  return parts.body and parts.body.text
end

--- Tells whether everything was read without guessing.
local function is_clear(parts)
  local is_fine = not parts.has_unknown and (parts.is_card or has_text(parts))
    and not (parts.header and parts.header.kind == "unknown")
  for _, button in ipairs(parts.buttons) do
    is_fine = is_fine and button.kind ~= "unknown" and (button.kind ~= "url" or button.is_sure and button.url)
  end
  for _, card in ipairs(parts.cards or {}) do
    is_fine = is_fine and is_clear(card)
  end
  return is_fine
end

local components = {}

--- Returns the parts of one translation of a template. When the API's own form cannot be read
--- completely, WhatsApp's form may be readable.
---@param template table
---@return connectly.template.Parts
function components.read(template)
  local parts = read(components_of(template), false)
  if is_clear(parts) then
    return parts
  end
  local native = part(fields.external(template), "components")
  local others = native and read(native, false)
  if others and (is_clear(others) or has_text(others) and not has_text(parts)) then
    return others
  end
  return parts
end

return components
