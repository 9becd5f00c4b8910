-- Writes the parts of the reference page that come only from docstrings: modules, methods
-- that are not endpoints, types.

local functions = require "spec.support.reference.page_functions"
local markdown = require "spec.support.reference.markdown"

local modules = {}

local function write_class(add, model, name, class)
  add("### %s", name)
  add ""
  markdown.prose(add, class.text ~= "" and { class.text } or class.prose)
  functions.write_fields(add, class.fields, model)
end

--- The classes that docstrings mention, and those that their fields mention in turn.
local function mentioned_classes(model)
  local seen, names = {}, {}
  local function visit(text)
    for name in text:gmatch("connectly%.[%w_.]*[%w_]") do
      local class = model.classes[name]
      if class and not seen[name] and not name:find("^connectly%.[%l_]+$") then
        seen[name], names[#names + 1] = true, name
        for _, field in ipairs(class.fields) do
          visit(field.type)
        end
      end
    end
  end
  local function visit_all(list)
    for _, defined in ipairs(list) do
      for _, part in ipairs { defined.doc.params, defined.doc.returns } do
        for _, item in ipairs(part) do
          visit(item.type)
        end
      end
    end
  end
  for _, list in ipairs { model.operations, model.client, model.call } do
    visit_all(list)
  end
  for _, module in ipairs(model.modules) do
    visit_all(module.functions)
    visit_all(module.methods)
  end
  table.sort(names)
  return names
end

local ELSEWHERE = { ["connectly.Options"] = true, ["connectly.Error"] = true }

--- All types that docstrings mention.
function modules.write_classes(add, model)
  add "## Types"
  add ""
  for _, name in ipairs(mentioned_classes(model)) do
    if not ELSEWHERE[name] then
      write_class(add, model, name, model.classes[name])
    end
  end
end

local function write_values(add, module)
  for _, value in ipairs(module.values) do
    add("### %s", value.title)
    add ""
    markdown.prose(add, value.doc.prose)
  end
end

--- Writes the fields of the module's table that are not functions, if a class declares them.
local function write_members(add, model, module)
  local class, fields = model.classes[module.name], {}
  for _, field in ipairs(class and class.fields or {}) do
    if not field.type:find("^fun%(") and module.name ~= "connectly.sandbox" then
      fields[#fields + 1] = field
    end
  end
  functions.write_fields(add, fields, model)
end

--- Writes a module: its head, constants, functions, and the methods of its objects.
function modules.write(add, model, module)
  add("## %s", module.name)
  add ""
  markdown.prose(add, module.file.head)
  write_members(add, model, module)
  write_values(add, module)
  for _, list in ipairs { module.functions, module.methods } do
    for _, defined in ipairs(list) do
      functions.write(add, defined, model)
    end
  end
end

--- Writes a section of functions.
function modules.write_list(add, model, title, list)
  add("## %s", title)
  add ""
  for _, defined in ipairs(list) do
    functions.write(add, defined, model)
  end
end

return modules
