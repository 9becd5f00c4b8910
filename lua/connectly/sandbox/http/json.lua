--- Decodes JSON strictly, and extracts the raw bytes of members.

local encoder = require "connectly.sandbox.http.encoder"

local codec = require("cjson").new()
codec.decode_invalid_numbers(false)

local json = {}

--- protobuf's JSON, which the API uses, treats null as absent.
local function drop_nulls(value)
  if type(value) ~= "table" then
    return value
  end
  for key, member in pairs(value) do
    if member == codec.null and type(key) == "string" then
      value[key] = nil
    else
      drop_nulls(member)
    end
  end
  return value
end

local function is_utf8(text)
  local length = utf8 and utf8.len
  return not length or length(text) ~= nil
end

---@param text string
---@return any|nil value  members that are null are left out
---@return string|nil reason
function json.decode(text)
  if not is_utf8(text) then
    return nil, "the text is not UTF-8"
  end
  local ok, value = pcall(codec.decode, text)
  if not ok then
    return nil, tostring(value)
  end
  return drop_nulls(value)
end

--- Like decode, for texts that must contain an object.
---@param text string
---@return table|nil object
---@return string|nil reason
function json.decode_object(text)
  local value, reason = json.decode(text)
  if reason then
    return nil, reason
  end
  if type(value) ~= "table" or not text:find("^%s*{") then
    return nil, "an object was expected"
  end
  return value
end

json.encode, json.array, json.raw, json.null = encoder.encode, encoder.array, encoder.raw, encoder.null

local function string_end(text, at)
  at = at + 1
  while true do
    local stop = text:find('["\\]', at)
    if text:sub(stop, stop) == '"' then
      return stop
    end
    at = stop + 2
  end
end

local depth_of = { ["{"] = 1, ["["] = 1, ["}"] = -1, ["]"] = -1, [","] = 0, ['"'] = 0 }

--- Returns the position of the last byte of the value at `at`, before the comma or bracket of
--- the enclosing value.
local function value_end(text, at)
  local depth = 0
  while true do
    local stop = text:find('["%[%]{},]', at)
    local mark = text:sub(stop, stop)
    if depth == 0 and (mark == "," or depth_of[mark] < 0) then
      return stop - 1
    end
    depth = depth + depth_of[mark]
    at = (mark == '"' and string_end(text, stop) or stop) + 1
  end
end

--- Returns the raw bytes of a member of a JSON object. The text must be valid JSON: decode it
--- first.
---@param text string
---@param key string
---@return string|nil
function json.raw_member(text, key)
  local found
  local at = text:find("{", 1, true) + 1
  while true do
    local open = text:find('["}]', at)
    if text:sub(open, open) == "}" then
      return found
    end
    local close = string_end(text, open)
    local name = codec.decode("[" .. text:sub(open, close) .. "]")[1]
    local start = text:find("[^%s:]", close + 1)
    local stop = value_end(text, start)
    if name == key then
      found = text:sub(start, stop):match("^(.-)%s*$")
    end
    at = stop + 1
  end
end

return json
