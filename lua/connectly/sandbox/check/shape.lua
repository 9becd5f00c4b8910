--- Checkers of JSON values. A checker takes a value and its path; it returns nil, or one
--- line about the first problem.

local shape = {}

---@alias connectly.sandbox.checker fun(value: any, path: string): string?

local function is_list(value)
  return type(value) == "table" and (next(value) == nil or value[1] ~= nil)
end

local function json_type(value)
  if type(value) ~= "table" then
    return type(value) == "userdata" and "null" or type(value)
  end
  return value[1] ~= nil and "array" or "object"
end

local function expected(what, value, path)
  return ("%s: %s expected, got %s"):format(path, what, json_type(value))
end

--- Counts UTF-8 characters: all bytes except continuation bytes.
local function count_characters(text)
  local _, count = text:gsub("[^\128-\191]", "")
  return count
end

local function out_of_range(count, least, most)
  return (least and count < least) or (most and count > most)
end

---@param most integer|nil  characters
---@param least integer|nil
---@return connectly.sandbox.checker
function shape.text(most, least)
  return function(value, path)
    if type(value) ~= "string" then
      return expected("string", value, path)
    end
    local count = count_characters(value)
    if out_of_range(count, least, most) then
      return ("%s: %d characters, %d to %s allowed"):format(path, count, least or 0, most or "any")
    end
  end
end

---@param least number
---@param most number
---@return connectly.sandbox.checker
function shape.number(least, most)
  return function(value, path)
    if type(value) ~= "number" then
      return expected("number", value, path)
    end
    if out_of_range(value, least, most) then
      return ("%s: %g is not between %g and %g"):format(path, value, least, most)
    end
  end
end

---@type connectly.sandbox.checker
function shape.boolean(value, path)
  return type(value) ~= "boolean" and expected("boolean", value, path) or nil
end

---@param words string[]
---@return connectly.sandbox.checker
function shape.one_of(words)
  local known = {}
  for _, word in ipairs(words) do
    known[word] = true
  end
  return function(value, path)
    return not known[value] and ("%s: one of %s expected"):format(path, table.concat(words, ", ")) or nil
  end
end

---@param item connectly.sandbox.checker
---@param least integer|nil
---@param most integer|nil
---@return connectly.sandbox.checker
function shape.list(item, least, most)
  return function(value, path)
    if not is_list(value) then
      return expected("array", value, path)
    end
    if out_of_range(#value, least, most) then
      return ("%s: %d items, %d to %s allowed"):format(path, #value, least or 0, most or "any")
    end
    for index, member in ipairs(value) do
      local complaint = item(member, ("%s[%d]"):format(path, index - 1))
      if complaint then
        return complaint
      end
    end
  end
end

local function check_member(object, field, path)
  local name, checker, presence = field[1], field[2], field[3]
  local member_path = path == "" and name or path .. "." .. name
  if object[name] ~= nil then
    return checker(object[name], member_path)
  elseif presence == "required" then
    return member_path .. ": required"
  end
end

--- Ignores unknown members, as the API does.
---@param fields table[]  { name, checker, "required" or nil }
---@return connectly.sandbox.checker
function shape.object(fields)
  return function(value, path)
    if type(value) ~= "table" or value[1] ~= nil then
      return expected("object", value, path)
    end
    for _, field in ipairs(fields) do
      local complaint = check_member(value, field, path)
      if complaint then
        return complaint
      end
    end
  end
end

---@return string?
function shape.anything() end

--- Whether it is a public address: http or https, a host, no blanks or control characters.
---@param text any
---@return boolean
function shape.is_url(text)
  return type(text) == "string"
    and #text <= 2048
    and text:lower():find("^https?://[^/?#]+") ~= nil
    and not text:find("[%s%c]")
end

return shape
