--- The fields of an operation's message, from the tables of the C core: which of them
--- may be command-line options, and their list in --help.

local native = require "connectly.loader"

local shapes = native.shapes()

-- Recipients, message contents, and free-form JSON, which may hold either. Other users of
-- the machine can read the arguments of a process.
local is_private = {
  phone = true, recipient = true, identity = true, party = true, variables = true, json = true,
}

-- Types whose value fits in one command-line argument.
local is_word = {
  text = true, url = true, language = true, language_object = true, category = true, access = true, datetime = true,
  traceparent = true,
}

local descriptions = {
  access = "an access control type",
  attachment_type = "a type of attachment",
  boolean = "true or false",
  category = "a category of templates",
  datetime = "a date and time with its zone, ISO 8601",
  identity = "a phone number in E.164, or an id of a customer",
  json = "a text, or any JSON",
  json_object = "any JSON, object or list",
  label = "a text",
  language = "a language code",
  language_object = "a language code",
  list = "list",
  media = "a URL",
  object = "object",
  party = "a phone number in E.164",
  phone = "a phone number in E.164",
  recipient = "a phone number in E.164, or bsuid: and a user id",
  number = "a number",
  text = "a text",
  texts = "list of texts",
  traceparent = "a W3C traceparent",
  url = "a URL",
  variables = "object: a value for each variable's name",
}

-- Types that accept an object of their own shape even if the field names no shape.
local own_shape = { label = "label", media = "media" }

local is_structure = { header = true, list = true, object = true, product = true }

local fields = {}

--- Returns the fields of a shape, in wire order.
---@param shape string
---@return table[]
function fields.of(shape)
  return shapes[shape]
end

local function nested(field)
  return field.shape or own_shape[field.type]
end

--- Returns the shape and all shapes nested in it, each once, outer shapes first.
local function reachable(shape)
  local found, is_known = { shape }, { [shape] = true }
  for _, name in ipairs(found) do -- the loop body appends to it
    for _, field in ipairs(shapes[name]) do
      local inner = nested(field)
      if inner and not is_known[inner] then
        found[#found + 1], is_known[inner] = inner, true
      end
    end
  end
  return found
end

--- Whether no field of this shape can contain a customer's identity or a message text.
---@param shape string
---@return boolean
function fields.are_harmless(shape)
  for _, name in ipairs(reachable(shape)) do
    for _, field in ipairs(shapes[name]) do
      if is_private[field.type] then
        return false
      end
    end
  end
  return true
end

--- Returns the fields that may be given as command-line options.
---@param shape string
---@return table[]
function fields.options(shape)
  local list = {}
  for _, field in ipairs(fields.are_harmless(shape) and shapes[shape] or {}) do
    if is_word[field.type] then
      list[#list + 1] = field
    end
  end
  return list
end

local function describe_form(field)
  local text, inner = descriptions[field.type] or field.type:gsub("_", " "), nested(field)
  if not inner then
    return text
  elseif is_structure[field.type] then
    return ("%s %s"):format(field.type == "list" and "list of" or "object:", inner)
  end
  return ("%s, or an object: %s"):format(text, inner)
end

--- Describes a field's type, for an option or a line of the list.
---@param field table
---@return string
function fields.describe_type(field)
  local text = describe_form(field)
  if field.type == "number" then
    return ("%s from %g to %g"):format(text, field.low, field.high)
  elseif field.high > 0 then
    local unit = field.type == "json" and " bytes" or ""
    return field.low > 0 and ("%s, %g to %g%s"):format(text, field.low, field.high, unit)
      or ("%s, at most %g%s"):format(text, field.high, unit)
  end
  return text
end

local function describe_shape(lines, shape, title)
  lines[#lines + 1] = title
  for _, field in ipairs(shapes[shape]) do
    lines[#lines + 1] = ("   %-24s %s%s"):format(field.name, fields.describe_type(field),
      field.required and " (required)" or "")
  end
end

--- Returns the list of all fields, for --help.
---@param shape string
---@return string
function fields.describe(shape)
  local lines = {}
  for index, name in ipairs(reachable(shape)) do
    describe_shape(lines, name, index == 1 and "Fields of the message:" or ("Fields of %s:"):format(name))
  end
  return table.concat(lines, "\n")
end

return fields
