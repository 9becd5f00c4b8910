-- Writes a value as Lua source, to turn fixtures into the examples of the reference.

local native = require "connectly.loader"

local lua_table = {}

local WIDTH = 96

local shapes = native.shapes()

--- The keys in the order of the shape's fields; then all others, by name.
local function sorted_keys(value, shape)
  local rank, keys = {}, {}
  for index, field in ipairs(shapes[shape] or {}) do
    rank[field.name] = index
  end
  for key in pairs(value) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(left, right)
    local first, second = rank[left] or 1000, rank[right] or 1000
    if first ~= second then
      return first < second
    end
    return left < right
  end)
  return keys
end

local function shape_of(shape, key)
  for _, field in ipairs(shapes[shape] or {}) do
    if field.name == key then
      return field.shape or field.type == "media" and "media" or nil
    end
  end
end

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n" }

local function scalar(value)
  if type(value) == "string" then
    return '"' .. value:gsub('["\\\n]', ESCAPES) .. '"'
  elseif type(value) == "number" then
    return ("%.14g"):format(value)
  end
  assert(type(value) == "boolean", "no example of this can be written")
  return tostring(value)
end

local function key_text(key)
  return key:find("^[%a_][%w_]*$") and key or ("[%s]"):format(scalar(key))
end

local write

local function items(value, indent, shape)
  local list = {}
  for index, item in ipairs(value) do
    list[index] = write(item, indent .. "  ", shape)
  end
  if #value == 0 then
    for _, key in ipairs(sorted_keys(value, shape)) do
      list[#list + 1] = ("%s = %s"):format(key_text(key), write(value[key], indent .. "  ", shape_of(shape, key)))
    end
  end
  return list
end

function write(value, indent, shape)
  if type(value) ~= "table" then
    return scalar(value)
  end
  local list = items(value, indent, shape)
  local line = #list == 0 and "{}" or "{ " .. table.concat(list, ", ") .. " }"
  if #indent + #line <= WIDTH and not line:find("\n", 1, true) then
    return line
  end
  return "{\n" .. indent .. "  " .. table.concat(list, ",\n" .. indent .. "  ") .. ",\n" .. indent .. "}"
end

--- The source of a value; `shape` gives the order of its fields.
---@param value any
---@param shape string?
---@return string
function lua_table.write(value, shape)
  return write(value, "", shape)
end

return lua_table
