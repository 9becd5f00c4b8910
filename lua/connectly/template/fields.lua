-- Reads what others wrote: a list of templates holds what the API's pages show, and
-- anything else besides. What is not what it should be counts as absent.

local native = require "connectly.loader"

local fields = { null = native.null }

--- The first of the named members that says something; null does not.
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

--- A member that is an object or a list, by any of its names, else nil.
---@return table?
function fields.part(object, ...)
  local value = member(object, ...)
  return type(value) == "table" and value or nil
end

--- A member that is a text which is not empty, by any of its names, else nil.
---@return string?
function fields.text(object, ...)
  local value = member(object, ...)
  return type(value) == "string" and value or nil
end

--- The text of { text = { text = "…" } }, or of any simpler form of it.
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

--- A constant without its long prefix: sample replies have both forms.
---@return string?
function fields.constant(value, prefix)
  if type(value) ~= "string" or value == "" then
    return nil
  end
  value = value:upper()
  return value:sub(1, #prefix) == prefix and value:sub(#prefix + 1) or value
end

--- WhatsApp's own form of one translation, where the API hands it through.
---@return table?
function fields.external(template)
  return fields.part(fields.part(template, "externalTemplate", "external_template"), "whatsapp")
end

--- The status of one translation, "APPROVED" for one; an open set.
---@return string?
function fields.status(template)
  return fields.constant(template.status, "MESSAGE_TEMPLATE_STATUS_")
end

--- A text of the API's that is shown stays on its line.
---@param text string
---@return string
function fields.plain(text)
  return (text:gsub("%c", "?"))
end

return fields
