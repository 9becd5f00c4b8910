--- Keeps the original JSON text of free-form members. A Lua table would lose it: it cannot tell
--- an empty list from an empty object, and it has no order of members.

local fields = require "connectly.cli.fields"
local json = require "connectly.json"

local is_free = { json = true, json_object = true }

local verbatim = {}

local function hide(text)
  return '"' .. ("_"):rep(#text - 2) .. '"'
end

--- Replaces the strings in the text by placeholders of the same length. The remaining
--- brackets and spaces are JSON syntax.
local function blank(text)
  return (text:gsub("\\.", "__"):gsub('"[^"]*"', hide))
end

local function without_spaces(text, blanked)
  local pieces = {}
  for first, last in blanked:gmatch("()[^ \t\r\n]+()") do
    pieces[#pieces + 1] = text:sub(first, last - 1)
  end
  return table.concat(pieces)
end

--- Calls `use` with the name and the text of each member whose value is an object or a list.
local function each_member(text, use)
  local blanked = blank(text)
  local position = blanked:find("{", 1, true) + 1
  while true do
    local name_first, name_last, value_first = blanked:match('^[%s,]*"()_*()"%s*:%s*()', position)
    if not name_first then
      return -- end of the object
    end
    local opening = blanked:sub(value_first, value_first)
    local pattern = opening == "{" and "^%b{}" or opening == "[" and "^%b[]" or "^[^,}]*"
    local _, value_last = blanked:find(pattern, value_first)
    if opening == "{" or opening == "[" then
      use(text:sub(name_first, name_last - 1),
        without_spaces(text:sub(value_first, value_last), blanked:sub(value_first, value_last)))
    end
    position = value_last + 1
  end
end

--- Makes the library send the free-form members of the message with their text in `text`.
---@param text string valid JSON of an object
---@param message table decoded from it
---@param shape string
function verbatim.keep(text, message, shape)
  local is_wanted = {}
  for _, field in ipairs(fields.of(shape)) do
    is_wanted[field.name], is_wanted[field.wire] = is_free[field.type], is_free[field.type]
  end
  if next(is_wanted) == nil then
    return -- nothing to keep; skip scanning the text, which may be a long campaign
  end
  each_member(text, function(name, value)
    if is_wanted[name] and type(message[name]) == "table" then
      json.set_text(message[name], value)
    end
  end)
end

return verbatim
