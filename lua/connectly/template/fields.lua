-- Reads members of foreign tables: a list of templates holds what the API's pages show and
-- possibly more. A member of an unexpected type counts as absent.

local native = require "connectly.loader"

---@class connectly.template.fields
---@field header_kinds string[] the kinds of header that take a parameter, as core's tables have them: "text", "image", ...
---@field sends table<string, boolean> the same as a set
---@field media table<string, string> the kinds but text, by the constants of the API: IMAGE, ...
local fields = { null = native.null, header_kinds = {}, sends = {}, media = {} }

for _, param in ipairs(native.params()) do
  local kind = param.name:match("^header_(%l+)$")
  if kind then
    table.insert(fields.header_kinds, kind)
    fields.sends[kind] = true
    fields.media[kind:upper()] = kind ~= "text" and kind or nil
  end
end

--- Returns the first of the named members that is a table or a non-empty string.
local function member(object, ...)
  if type(object) ~= "table" then
    return nil
  end
  for index = 1, select("#", ...) do
    local value = object[select(index, ...)]
    if type(value) == "table" or type(value) == "string" and value ~= "" then
      return value
    end
  end
  return nil
end

--- Returns a member that is an object or a list, by any of its names, else nil.
---@return table?
function fields.part(object, ...)
  local value = member(object, ...)
  return type(value) == "table" and value or nil
end

--- Returns a member that is a non-empty string, by any of its names, else nil.
---@return string?
function fields.text(object, ...)
  local value = member(object, ...)
  return type(value) == "string" and value or nil
end

--- Returns the text of { text = { text = "…" } }, or of any simpler form of it.
---@return string?
function fields.inner_text(value)
  for _ = 1, 3 do
    if type(value) ~= "table" then
      break
    end
    value = value.text
  end
  return type(value) == "string" and value or nil
end

--- Returns a constant without its long prefix: sample replies have both forms.
---@return string?
function fields.constant(value, prefix)
  if type(value) ~= "string" or value == "" then
    return nil
  end
  value = value:upper()
  return value:sub(1, #prefix) == prefix and value:sub(#prefix + 1) or value
end

--- Returns WhatsApp's own form of one translation, when the API passes it through.
---@return table?
function fields.external(template)
  return fields.part(fields.part(template, "externalTemplate", "external_template"), "whatsapp")
end

--- Returns the status of one translation, such as "APPROVED"; an open set.
---@return string?
function fields.status(template)
  return fields.constant(template.status, "MESSAGE_TEMPLATE_STATUS_")
end

--- Replaces control characters in a text of the API, so that it stays on one line.
---@param text string
---@return string
function fields.plain(text)
  return (text:gsub("%c", "?"))
end

return fields
