--- Members of any shape go as they were written: in a Lua table an empty list and an
--- empty object are one, and members have no order.

local fields = require "connectly.cli.fields"
local json = require "connectly.json"

local is_free = { json = true, json_object = true }

local verbatim = {}

local function hide(text)
  return '"' .. ("_"):rep(#text - 2) .. '"'
end

--- The text with its strings blanked out, byte for byte: then brackets and spaces of
--- it are JSON's own.
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

--- Calls `use` with the name and the text of each member of an object that is itself an
--- object or a list.
local function each_member(text, use)
  local blanked = blank(text)
  local position = blanked:find("{", 1, true) + 1
  while true do
    local name_first, name_last, value_first = blanked:match('^[%s,]*"()_*()"%s*:%s*()', position)
    if not name_first then
      return -- at the end
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

--- Lets the members of any shape be sent as `text` has them.
---@param text string valid JSON of an object
---@param message table decoded from it
---@param shape string
function verbatim.keep(text, message, shape)
  local is_wanted = {}
  for _, field in ipairs(fields.of(shape)) do
    is_wanted[field.name], is_wanted[field.wire] = is_free[field.type], is_free[field.type]
  end
  if next(is_wanted) == nil then
    return -- a campaign may be long
  end
  each_member(text, function(name, value)
    if is_wanted[name] and type(message[name]) == "table" then
      json.set_text(message[name], value)
    end
  end)
end

return verbatim
