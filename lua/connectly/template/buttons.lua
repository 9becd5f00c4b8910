-- Reads the buttons of a template. The API's pages show the form of a quick reply only; other
-- buttons are recognized by their members.

local fields = require "connectly.template.fields"
local variables = require "connectly.template.variables"

local part, text = fields.part, fields.text

---@class connectly.template.Button
---@field kind "quick_reply"|"url"|"phone"|"unknown"
---@field text string? its label
---@field url string? including its variable, if it has one
---@field phone string?
---@field is_sure boolean? of url: the address was in the member `url`

-- Levels of nesting in which an address or a label is searched.
local DEPTH = 4

local buttons = {}

local function is_address(value)
  return type(value) == "string" and value:find("^https?://") ~= nil
end

local function sorted_keys(object)
  local keys = {}
  for key in next, object do
    keys[#keys + 1] = type(key) == "string" and not key:find("^example") and key or nil
  end
  table.sort(keys)
  return keys
end

--- Returns the first address, preferring one with a variable; and whether it was the member `url`
--- of its object.
local function find_address(object, depth)
  local found, is_sure
  for _, key in ipairs(sorted_keys(object)) do
    local address, is_plain = object[key], key == "url"
    if type(address) == "table" and depth < DEPTH then
      address, is_plain = find_address(address, depth + 1)
    end
    if is_address(address) and (not found or variables.has_any(address) and not variables.has_any(found)) then
      found, is_sure = address, is_plain
    end
  end
  return found, is_sure
end

--- Returns the label of the outermost object that has one.
local function find_label(object, depth)
  local label = text(object, "text", "label", "title", "displayText", "display_text")
  if label or depth == DEPTH then
    return label
  end
  for _, key in ipairs(sorted_keys(object)) do
    label = label or type(object[key]) == "table" and find_label(object[key], depth + 1) or nil
  end
  return label
end

--- Returns the first member whose name contains `word`.
local function member_like(object, word)
  for _, key in ipairs(sorted_keys(object)) do
    if key:lower():find(word, 1, true) then
      return object[key]
    end
  end
  return nil
end

local function read_phone(value, phone)
  local number = type(phone) == "table" and member_like(phone, "phone") or phone
  return { kind = "phone", text = find_label(value, 1), phone = type(number) == "string" and number or nil }
end

---@param value any
---@return connectly.template.Button
function buttons.read(value)
  if type(value) ~= "table" then
    return { kind = "unknown" }
  end
  local quick = part(value, "quickReply", "quick_reply")
  if quick then
    return { kind = "quick_reply", text = text(quick, "text") }
  end
  local url, is_sure = find_address(value, 1)
  if url or type(member_like(value, "url")) == "table" then
    return { kind = "url", text = find_label(value, 1), url = url, is_sure = is_sure }
  end
  local phone = member_like(value, "phone")
  if type(phone) == "table" or type(phone) == "string" then
    return read_phone(value, phone)
  end
  return { kind = "unknown", text = find_label(value, 1) }
end

return buttons
