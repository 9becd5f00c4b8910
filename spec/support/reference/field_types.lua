-- The fields of requests as LuaCATS types.

local pascal = require("spec.support.reference.functions").pascal

local types = {}

local PLAIN = {
  text = "string|number", number = "number", boolean = "boolean", url = "string", language = "string", phone = "string",
  recipient = "string", identity = "string", party = "string", label = "string", header = "string", media = "string",
  traceparent = "string", attachment_type = '"image"|"video"|"audio"|"document"', json = "any", json_object = "table",
  texts = "string[]", variables = "table<string, any>", language_object = "string", category = "string", access = "string",
  datetime = "string|number",
}

-- Fields whose type alone does not tell which values they accept.
local WIDER = {
  ["template.buttons"] = "(string|number|false)[]", ["card.buttons"] = "(string|number|false)[]",
  ["template.parameters"] = "connectly.Parameter[]|table<string, string|number|connectly.Parameter>",
}

-- Types that also accept a table, although fields.def names no shape for it.
local ALSO = { media = "media", language_object = "language" }

--- The class of a shape.
function types.class_of(shape)
  return "connectly." .. pascal(shape)
end

--- The LuaCATS type of a field.
---@param shape string the shape that the field belongs to
---@param field table of native.shapes()
---@return string
function types.type_of(shape, field)
  local wider = WIDER[shape .. "." .. field.name]
  local nested = field.shape or ALSO[field.type]
  if wider then
    return wider
  elseif field.type == "list" then
    return nested and types.class_of(nested) .. "[]" or "(string|number)[]"
  elseif not nested then
    return PLAIN[field.type] or "any"
  end
  return PLAIN[field.type] and PLAIN[field.type] .. "|" .. types.class_of(nested) or types.class_of(nested)
end

--- The shape that a field's table has, or nil.
---@param field table
---@return string?
function types.nested(field)
  return field.shape or ALSO[field.type]
end

--- The names of all shapes that are nested in others, sorted.
---@return string[]
function types.nested_shapes(model)
  local used, names = {}, {}
  for _, shape in pairs(model.shapes) do
    for _, field in ipairs(shape.fields) do
      used[types.nested(field) or false] = true
    end
  end
  used[false] = nil
  for name in pairs(used) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

return types
