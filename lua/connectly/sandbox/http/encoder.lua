--- Encodes values as JSON. Empty arrays stay arrays, raw text from a client is copied
--- unchanged, and members are sorted.

local codec = require("cjson").new()

local encoder = {}

local array, raw = {}, {}

encoder.null = codec.null

--- Marks a list, so that it is encoded as an array even if empty.
---@generic T
---@param list T
---@return T list  the same table
function encoder.array(list)
  return setmetatable(list, array)
end

--- Wraps JSON text, which is then written byte for byte.
---@param text string
---@return table
function encoder.raw(text)
  return setmetatable({ text = text }, raw)
end

--- The codec writes each slash as \/, and never writes \/ for anything else.
local function encode_text(text)
  return (codec.encode(text):gsub("\\/", "/"))
end

--- Infinity stands for a number too large to decode; encode it as a number too large as well.
local function encode_number(value)
  if value == math.huge or value == -math.huge then
    return value > 0 and "1e999" or "-1e999"
  end
  if value % 1 == 0 and value > -1e15 and value < 1e15 then
    return ("%d"):format(value)
  end
  return codec.encode(value)
end

local encode

local function encode_array(list)
  local items = {}
  for index, item in ipairs(list) do
    items[index] = encode(item)
  end
  return "[" .. table.concat(items, ",") .. "]"
end

local function encode_object(object)
  local members = {}
  for key, value in pairs(object) do
    members[#members + 1] = encode_text(tostring(key)) .. ":" .. encode(value)
  end
  table.sort(members)
  return "{" .. table.concat(members, ",") .. "}"
end

local function encode_table(value)
  local mark = getmetatable(value)
  if mark == raw then
    return value.text
  end
  return (mark == array or value[1] ~= nil) and encode_array(value) or encode_object(value)
end

local by_type = { string = encode_text, number = encode_number, table = encode_table }

---@param value any
---@return string
function encode(value)
  return (by_type[type(value)] or codec.encode)(value)
end

encoder.encode = encode

return encoder
