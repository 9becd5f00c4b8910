--- Decodes JSON strictly, and extracts the text of members.

local native = require "connectly.loader"
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

--- Returns the text of a member of a JSON object, as it was received.
---@param text string valid JSON
---@param name string
---@return string? nil also if the member occurs twice
function json.raw_member(text, name)
  return (native.json_member(text, name))
end

return json
