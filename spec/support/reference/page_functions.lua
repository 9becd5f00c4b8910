-- Writes a function of the reference page: its parameters and results.

local markdown = require "spec.support.reference.markdown"
local pascal = require("spec.support.reference.functions").pascal

local functions = {}

--- The heading under which a type is described, or nil.
local function heading_of(name, model)
  if name == "connectly.Options" then
    return "Options of connectly.new"
  elseif name == "connectly.Error" then
    return "Errors"
  elseif name == "connectly.Client" or name == "connectly.SafeClient" then
    return "Endpoints"
  elseif name == "connectly.Call" then
    return "Calls in the background"
  end
  for _, method in ipairs(model.operations) do
    if name == "connectly." .. pascal(method.name) then
      return method.title
    end
  end
  for _, module in ipairs(model.modules) do
    if module.object and "connectly." .. pascal(module.object:match("[%w_]+$")) == name then
      return module.name
    end
  end
  return model.classes[name] and not name:find("^connectly%.[%l_]+$") and name or nil
end

--- A type as code; a type that the page describes becomes a link.
---@param text string
---@param model table
---@return string
function functions.type_text(text, model)
  local parts = {}
  for part in (text:find("[({<]") and text or text:gsub("|", "\n")):gmatch("[^\n]+") do
    local heading = heading_of(part:gsub("%?$", ""), model)
    parts[#parts + 1] = heading and ("[`%s`](%s)"):format(part, markdown.anchor(heading)) or "`" .. part .. "`"
  end
  return table.concat(parts, " or ")
end

--- A table of names, types and meanings.
function functions.write_fields(add, fields, model)
  local rows = {}
  for index, field in ipairs(fields) do
    rows[index] = { "`" .. field.name .. "`", functions.type_text(field.type, model), field.text }
  end
  if #rows > 0 then
    markdown.table(add, { "field", "type", "meaning" }, rows)
  end
end

--- Splits the text of a result into its name and its description.
local function split_name(text)
  local name, rest = text:match("^([%l_]+)$"), ""
  if not name then
    name, rest = text:match("^([%l_]+)%s+(.*)$")
  end
  if not name then
    return "", text ~= "" and ": " .. text or ""
  end
  return (" `%s`"):format(name), rest ~= "" and ": " .. rest or ""
end

--- Writes one line for each parameter and each result.
---@param add function
---@param doc table
---@param model table
function functions.write_types(add, doc, model)
  for _, param in ipairs(doc.params) do
    add("* `%s` (%s)%s", param.name, functions.type_text(param.type, model), param.text ~= "" and ": " .. param.text or "")
  end
  for index, value in ipairs(doc.returns) do
    local name, rest = split_name(value.text)
    local kind = functions.type_text(value.type, model)
    add("* %s%s %s%s", index == 1 and "returns" or "and", name, name ~= "" and "(" .. kind .. ")" or kind, rest)
  end
  if #doc.params + #doc.returns > 0 then
    add ""
  end
end

local function call_text(defined)
  local names = {}
  for index, param in ipairs(defined.doc.params) do
    names[index] = param.name
  end
  return ("%s(%s)"):format(defined.title, table.concat(names, ", "))
end

--- Writes the whole function under its own heading.
function functions.write(add, defined, model)
  add("### %s", defined.title)
  add ""
  add("`%s`", call_text(defined))
  add ""
  markdown.prose(add, defined.doc.prose)
  functions.write_types(add, defined.doc, model)
end

return functions
