-- Reads everything that the reference describes from the core's tables and the docstrings
-- of lua/, and lists what has no docstring.

local native = require "connectly.loader"
local comments = require "spec.support.reference.comments"
local docstrings = require "spec.support.reference.docstrings"
local examples = require "spec.support.reference.examples"
local functions = require "spec.support.reference.functions"

-- Files that users do not require, but whose objects they use.
local OBJECTS = { ["lua/connectly/client/methods.lua"] = true, ["lua/connectly/client/call.lua"] = true }
-- The one module whose methods are not in a table `methods`.
local SANDBOX = "lua/connectly/sandbox/init.lua"
-- Written by this program.
local OWN = "lua/connectly/types.lua"

local function module_name(path)
  return (path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
end

local function read_files()
  local files, by_module = {}, {}
  local listing = assert(io.popen("find lua -name '*.lua' | LC_ALL=C sort"))
  for path in listing:lines() do
    if path ~= OWN then
      local file = docstrings.read(path)
      file.module = module_name(path)
      file.has_users = file.is_public
      files[#files + 1], by_module[file.module] = file, file
    end
  end
  listing:close()
  return files, by_module
end

---- parts

local function add_operations(model)
  local said = comments.read "api/operations"
  local client = model.by_module["connectly.client.methods"]
  for index, operation in ipairs(native.operations()) do
    local name = operation.name
    local written = functions.find(client.functions, name)
    local text = written and "" or functions.require_text(model, "operations.def: " .. name, said[name])
    local list = examples.of(operation)
    if not list then
      model.missing[#model.missing + 1] = "client:" .. name .. ": no example"
    end
    model.operations[index] = functions.new_function(model, "client:" .. name, name,
      written and written.doc or functions.doc_of_operation(operation, text), { operation = operation, examples = list or {} })
  end
end

local function add_client(model)
  local methods = functions.methods_of(model, model.by_module["connectly.client.methods"], "client")
  for _, method in ipairs(methods) do
    if not functions.find(model.operations, method.name) then
      model.client[#model.client + 1] = method
    end
  end
  model.call = functions.methods_of(model, model.by_module["connectly.client.call"], "call")
end

local function add_module(model, file)
  local module = {
    name = file.module, file = file, functions = functions.functions_of(model, file),
    values = functions.values_of(model, file),
  }
  functions.members_of(model, file, module.functions)
  module.object = file.object
  local variable = (file.object or file.module):match("([%w_]+)$")
  module.methods = file.path == SANDBOX and functions.sandbox_methods(model, file)
    or functions.methods_of(model, file, variable)
  functions.require_text(model, file.module, table.concat(file.head or {}, " "))
  model.modules[#model.modules + 1] = module
end

local function add_shapes(model)
  local said = comments.read "api/fields"
  for name, fields in pairs(native.shapes()) do
    local shape = { name = name, text = said[name] or "", fields = fields }
    for _, field in ipairs(fields) do
      field.text = functions.require_text(model, ("fields.def: %s.%s"):format(name, field.name), said[name .. "." .. field.name])
    end
    model.shapes[name] = shape
  end
end

local function add_params(model)
  local said = comments.read "api/params"
  for index, param in ipairs(native.params()) do
    param.text = functions.require_text(model, "params.def: " .. param.name, said[param.name])
    model.params[index] = param
  end
end

local function add_classes(model)
  for _, file in ipairs(model.files) do
    for _, class in ipairs(file.classes) do
      if model.classes[class.name] then
        model.missing[#model.missing + 1] = class.name .. ": declared twice"
      end
      class.file, model.classes[class.name] = file, class
    end
  end
end

--- Takes the texts from connectly.Options and the bounds from options.def.
local function add_options(model)
  local class = model.classes["connectly.Options"]
  for index, option in ipairs(native.options()) do
    local field = functions.find(class.fields, option.name)
    option.text = functions.require_text(model, "connectly.Options: " .. option.name, field and field.text)
    option.class_type = field and field.type or "any"
    model.options[index] = option
  end
  for _, field in ipairs(class.fields) do
    if not functions.find(model.options, field.name) then
      model.missing[#model.missing + 1] = "connectly.Options: " .. field.name .. ": not in options.def"
    end
  end
end

local function add_kinds(model)
  local said, hints = comments.read "base/error_kinds", comments.hints_of_kinds()
  for index, kind in ipairs(native.taxonomy().kinds) do
    model.kinds[index] = { name = kind, hint = hints[kind] or "",
      text = functions.require_text(model, "error_kinds.def: " .. kind, said[kind]) }
  end
end

local model = {}

--- Reads the whole model. `missing` lists what is not documented.
function model.read()
  local read = {
    missing = {}, internal = {}, operations = {}, client = {}, modules = {}, shapes = {}, params = {}, classes = {},
    options = {}, kinds = {},
  }
  read.files, read.by_module = read_files()
  add_classes(read)
  add_shapes(read)
  add_params(read)
  add_options(read)
  add_kinds(read)
  add_operations(read)
  add_client(read)
  for _, file in ipairs(read.files) do
    if file.is_public and not OBJECTS[file.path] then
      add_module(read, file)
    end
  end
  table.sort(read.modules, function(left, right) return left.name < right.name end)
  return read
end

return model
