-- Finds and fills the variables of a template's text: {{1}}, {{2}}, … API: create template.

-- The braces enclose a number, or a name, for which the API has no parameter.
local VARIABLE = "{{%s*([^{}%s]+)%s*}}"

local variables = {}

local function number_of(name)
  return name:find("^[1-9]%d?%d?$") and tonumber(name) or nil
end

---@class connectly.template.Variables
---@field numbers integer[] ascending, without duplicates
---@field is_there table<integer, true>
---@field names string[] of named variables, without duplicates

--- Returns the variables of a text, without duplicates.
---@param text string
---@return connectly.template.Variables
function variables.find(text)
  local found = { numbers = {}, is_there = {}, names = {} }
  local seen = {}
  for name in text:gmatch(VARIABLE) do
    local number = number_of(name)
    if number and not found.is_there[number] then
      found.is_there[number] = true
      found.numbers[#found.numbers + 1] = number
    elseif not number and not seen[name] then
      seen[name] = true
      found.names[#found.names + 1] = name
    end
  end
  table.sort(found.numbers)
  return found
end

---@param text string
---@return boolean
function variables.has_any(text)
  return text:find(VARIABLE) ~= nil
end

--- Replaces the variables of a text with values; variables without a value stay. Braces in a
--- value are not expanded.
---@param text string
---@param value_of fun(number: integer): string?
---@return string
function variables.fill(text, value_of)
  return (text:gsub(VARIABLE, function(name)
    local number = number_of(name)
    return number and value_of(number) or nil
  end))
end

return variables
