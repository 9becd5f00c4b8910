-- JSON for values whose shape the user chooses, through lua-cjson, so that its null,
-- empty arrays and array marks work as the user expects. Uses a codec instance of its
-- own: it neither sees nor changes how the program has configured cjson.

-- lua-cjson is loaded on first use: most messages hold no free-form value, and a short
-- script should not pay for it.
local codec, as_written, digits

-- The JSON text of each decoded table, once keep_texts has been called.
local texts

-- The C module; its exact_json quotes the numbers that a double cannot hold. Loaded late,
-- because the C module's loader loads this file.
local native

local function load_codec()
  native = require "connectly.loader"
  codec = require("cjson").new()
  codec.encode_keep_buffer(true)
  -- Stock lua-cjson allows at most 14 digits, OpenResty's allows 16.
  digits = pcall(codec.encode_number_precision, 16) and 16 or 14
  as_written = "%." .. digits .. "g"
end

--- Returns the path of the first whole number that lua-cjson would round, or nil.
local function find_rounded(value, path)
  if type(value) == "number" then
    local is_rounded = value % 1 == 0 and tonumber(as_written:format(value)) ~= value
    return is_rounded and path or nil
  end
  if type(value) ~= "table" then
    return nil
  end
  for key, item in next, value do
    local found = find_rounded(item, type(key) == "number" and ("%s[%d]"):format(path, key) or path .. "." .. tostring(key))
    if found then
      return found
    end
  end
  return nil
end

local json = {}

--- Loads what encode and decode need; raises when lua-cjson is missing. Call it before
--- sending a request whose reply must be decoded.
function json.load()
  if not codec then
    load_codec()
  end
end

--- Returns the JSON of any value; or nil and the reason. Never raises.
---@param value any
---@return string? text
---@return string? problem
function json.encode(value)
  local known = json.text_of(value)
  if known then
    return known
  end
  if not pcall(json.load) then
    return nil, "needs lua-cjson, which is not installed"
  end
  local is_encoded, text = pcall(codec.encode, value)
  if not is_encoded then
    return nil, "cannot be written as JSON: " .. tostring(text):gsub("^.-:%d+: ", "")
  end
  -- After encoding, which has proved that the value is a finite tree.
  local rounded = find_rounded(value, "it")
  if rounded then
    local where = rounded == "it" and "" or " (at " .. rounded:gsub("^it%.?", "") .. ")"
    return nil, ("a whole number of more than %d digits would be rounded%s: give it as a string"):format(digits, where)
  end
  return text
end

--- Returns the value of a JSON text, or nil when the text is not JSON. Whole numbers beyond
--- 2^53 become strings of their digits.
---@param text string
---@return any
function json.decode(text)
  json.load()
  local is_decoded, value = pcall(codec.decode, native.exact_json(text) or text)
  if is_decoded then
    if texts and type(value) == "table" then
      texts[value] = text
    end
    return value
  end
  return nil
end

--- From now on keeps the text of each decoded table as long as the table lives, for programs
--- that print replies unchanged: a decoded empty list and an empty object look the same.
function json.keep_texts()
  texts = texts or setmetatable({}, { __mode = "k" })
end

--- Sets the JSON text of a table. Call keep_texts first.
---@param value table
---@param text string
function json.set_text(value, text)
  texts[value] = text
end

--- Returns the JSON text that a table was decoded from, if it was kept.
---@param value any
---@return string?
function json.text_of(value)
  return texts and value ~= nil and texts[value] or nil
end

return json
