-- JSON of values whose shape is the user's own, through lua-cjson, so that its
-- null, empty arrays and array marks mean what the user expects. A codec of our
-- own: settings that the program gave its cjson stay the program's.

-- Loaded when it is first needed: most messages hold nothing of a free shape, and
-- a short script should not pay for it.
local codec, as_written, digits

-- The texts of decoded tables, when somebody asked for them.
local texts

-- What quotes the numbers that a double cannot hold; of the C module, which this is
-- loaded by.
local native

local function load_codec()
  native = require "connectly.loader"
  codec = require("cjson").new()
  codec.encode_keep_buffer(true)
  -- Stock lua-cjson takes 14 digits at the most, OpenResty's 16.
  digits = pcall(codec.encode_number_precision, 16) and 16 or 14
  as_written = "%." .. digits .. "g"
end

--- A whole number that lua-cjson would round: finds the first, as a path, or nil.
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

--- Loads what encode and decode need, or raises: to be asked before a request
--- whose reply must be decoded leaves.
function json.load()
  if not codec then
    load_codec()
  end
end

--- The JSON of any value, or nil and why there is none. Never raises.
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
  -- After the encoding, which has proved that the value is a finite tree.
  local rounded = find_rounded(value, "it")
  if rounded then
    local where = rounded == "it" and "" or " (at " .. rounded:gsub("^it%.?", "") .. ")"
    return nil, ("a whole number of more than %d digits would be rounded%s: give it as a string"):format(digits, where)
  end
  return text
end

--- The value of a JSON text, or nil when it is none. Whole numbers beyond 2^53 become
--- strings of their digits.
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

--- From now on each decoded table's text is kept as long as the table: for a program
--- that shows replies as they came. In a table an empty list and an empty object are one.
function json.keep_texts()
  texts = texts or setmetatable({}, { __mode = "k" })
end

--- Says what the JSON of a table is; after keep_texts.
---@param value table
---@param text string
function json.set_text(value, text)
  texts[value] = text
end

--- The JSON that a table was decoded from, if it was kept.
---@param value any
---@return string?
function json.text_of(value)
  return texts and value ~= nil and texts[value] or nil
end

return json
