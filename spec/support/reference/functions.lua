-- Collects the public functions of a file of lua/, and the names that have no docstring.

local native = require "connectly.loader"

local functions = {}

--- "send_template" as SendTemplate.
function functions.pascal(name)
  return (("_" .. name):gsub("_(%w)", string.upper))
end

---- what is missing

--- A described return value is enough documentation.
local function is_documented(doc)
  return #doc.prose > 0 or doc.returns[1] ~= nil and doc.returns[1].text ~= ""
end

local function check(model, name, doc)
  if not is_documented(doc) then
    model.missing[#model.missing + 1] = name .. ": no docstring"
  end
  return doc
end

function functions.require_text(model, name, text)
  if not text or text == "" then
    model.missing[#model.missing + 1] = name .. ": no description"
    return ""
  end
  return text
end

---- functions

local FAILURE = "connectly.Info|connectly.Error"

--- The docstring of a method that only operations.def declares.
function functions.doc_of_operation(operation, text)
  local value = operation.reply == "id" and { type = "string?", text = "id" }
    or { type = "any?", text = "reply decoded" }
  return {
    prose = { text }, fields = {}, returns = { value, { type = FAILURE, text = "" } },
    params = { { name = "message", type = "table", text = "" } },
  }
end

local function needs_message(operation)
  for _, field in ipairs(native.shapes()[operation.shape]) do
    if field.required then
      return true
    end
  end
  return operation.shape ~= "nothing"
end

--- Fills in the types that the tables determine.
local function refine(doc, operation)
  for index, param in ipairs(doc.params) do
    if operation and index == 1 then
      param.type = "connectly." .. functions.pascal(operation.name) .. (needs_message(operation) and "" or "?")
    elseif param.name == "operation" and param.type == "string" then
      param.type = "connectly.Operation"
    end
  end
end

function functions.new_function(model, title, name, doc, extra)
  local made = { title = title, name = name, doc = check(model, title, doc) }
  for key, value in pairs(extra or {}) do
    made[key] = value
  end
  refine(doc, made.operation)
  return made
end

--- The methods of the objects that a file creates.
function functions.methods_of(model, file, variable)
  local list = {}
  for _, defined in ipairs(file.functions) do
    if defined.owner == "methods" then
      list[#list + 1] = functions.new_function(model, variable .. ":" .. defined.name, defined.name, defined.doc)
    end
  end
  return list
end

function functions.find(list, name)
  for _, item in ipairs(list) do
    if item.name == name then
      return item
    end
  end
end

--- The docstring of a constructor: that of the module which defines it, if it has one.
local function fuller(by_module, module, defined)
  local file = by_module[module .. "." .. defined.name]
  local constructor = file and functions.find(file.functions, "new")
  return constructor and #constructor.doc.prose > 0 and constructor.doc or defined.doc
end

--- `--- Text` is for readers of the code, `---Text` for users.
local function is_internal(file, doc)
  return file.has_users and (doc.prose[1] or ""):find("^%s") ~= nil
end

local function is_public_function(file, defined)
  if defined.is_local then
    return file.gives_new and defined.name == "new"
  end
  return defined.owner == file.returned and defined.joint == "."
end

function functions.functions_of(model, file)
  local list = {}
  for _, defined in ipairs(file.functions) do
    local title = file.module .. "." .. defined.name
    if is_public_function(file, defined) and is_internal(file, defined.doc) then
      model.internal[title] = true
    elseif is_public_function(file, defined) then
      list[#list + 1] = functions.new_function(model, title, defined.name,
        fuller(model.by_module, file.module, defined))
    end
  end
  return list
end

--- The constants in the module's table.
function functions.values_of(model, file)
  local list = {}
  for _, value in ipairs(file.values) do
    if value.owner == file.returned and not value.name:find("^_") then
      list[#list + 1] = { name = value.name, title = file.module .. "." .. value.name,
        doc = check(model, file.module .. "." .. value.name, value.doc) }
    end
  end
  return list
end

--- Functions that a class with the module's name declares, each defined in its own file.
function functions.members_of(model, file, list)
  for _, class in ipairs(file.classes) do
    for _, field in ipairs(class.name == file.module and class.fields or {}) do
      local member = model.by_module[file.module .. "." .. field.name]
      local constructor = member and member.gives_new and functions.find(member.functions, "new")
      if constructor and not functions.find(list, field.name) then
        list[#list + 1] = functions.new_function(model, file.module .. "." .. field.name, field.name, constructor.doc)
      end
    end
  end
end

--- The public methods of the sandbox.
function functions.sandbox_methods(model, file)
  local list = {}
  for _, defined in ipairs(file.functions) do
    if defined.owner == "sandbox" and is_documented(defined.doc) and not is_internal(file, defined.doc) then
      list[#list + 1] = functions.new_function(model, "sandbox:" .. defined.name, defined.name, defined.doc)
    end
  end
  return list
end

return functions
