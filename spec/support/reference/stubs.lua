-- Writes lua/connectly/types.lua: the LuaCATS types that are not in the docstrings of lua/,
-- that is, the requests, and the objects whose methods are created at run time.

local pascal = require("spec.support.reference.functions").pascal
local types = require "spec.support.reference.field_types"

local stubs = {}

local HEAD = [[
---@meta connectly.types
-- Types for editors (LuaCATS); this file does nothing at run time. `make reference` writes it
-- from the core's tables and the docstrings of this folder: do not edit it.
-- luacheck: ignore 211 212 241
-- luacheck: no max line length
]]

local function new_writer()
  local lines = {}
  return lines, function(text, ...)
    lines[#lines + 1] = select("#", ...) > 0 and text:format(...) or text
  end
end

--- A field without a description leaves a space at the end of its line.
local function trimmed(text)
  return (text:gsub("%s+$", ""))
end

--- Prose unchanged; a text from a table is wrapped.
local function write_prose(add, prose)
  for _, text in ipairs(prose) do
    local line = ""
    for word in (#text > 100 and text or ""):gmatch("%S+") do
      if #line + #word > 96 then
        add("---" .. line)
        line = ""
      end
      line = line == "" and word or line .. " " .. word
    end
    if line ~= "" or #text <= 100 then
      add("---" .. (line ~= "" and line or text))
    end
  end
end

local function write_fields(add, shape)
  for _, field in ipairs(shape.fields) do
    local kind = types.type_of(shape.name, field)
    local optional = not field.required
    if optional and kind:find("|", 1, true) then
      kind = "(" .. kind .. ")"
    end
    add(trimmed(("---@field %s %s%s %s"):format(field.name, kind, optional and "?" or "", field.text)))
  end
  add ""
end

local function write_requests(model, add)
  local names = {}
  for index, method in ipairs(model.operations) do
    local operation = method.operation
    names[index] = ('"%s"'):format(operation.name)
    add("---The message of client:%s.", operation.name)
    add("---@class connectly.%s", pascal(operation.name))
    write_fields(add, model.shapes[operation.shape])
  end
  for _, name in ipairs(types.nested_shapes(model)) do
    write_prose(add, { model.shapes[name].text })
    add("---@class %s", types.class_of(name))
    write_fields(add, model.shapes[name])
  end
  add("---@alias connectly.Operation %s", table.concat(names, "|"))
  add ""
end

---- objects

--- A method that raises errors does not return them.
local function without_error(returns)
  local first, second = returns[1], returns[2]
  if not second or not (second.type:find("|connectly.Error$") or second.type == "connectly.Error?") then
    return returns
  end
  local kept = { { type = first.type:gsub("%?$", ""), text = first.text } }
  local rest = second.type:gsub("|?connectly.Error%??$", "")
  if rest ~= "" then
    kept[2] = { type = rest, text = second.text ~= "" and second.text or "info" }
  end
  return kept
end

local function write_docstring(add, doc, returns)
  write_prose(add, doc.prose)
  for _, param in ipairs(doc.params) do
    add(trimmed(("---@param %s %s %s"):format(param.name, param.type, param.text)))
  end
  for _, value in ipairs(returns) do
    add(trimmed(("---@return %s %s"):format(value.type, value.text)))
  end
end

local function write_function(add, owner, joint, method, returns)
  local names = {}
  for index, param in ipairs(method.doc.params) do
    names[index] = param.name:gsub("%?$", "")
  end
  write_docstring(add, method.doc, returns)
  add("function %s%s%s(%s) end", owner, joint, method.name, table.concat(names, ", "))
  add ""
end

--- A SafeClient starts a SafeCall.
local function safe_returns(returns)
  local list = {}
  for index, value in ipairs(returns) do
    list[index] = { type = value.type:gsub("^connectly%.Call", "connectly.SafeCall"), text = value.text }
  end
  return list
end

local function write_object(add, name, text, methods, change)
  local owner = name:match("%w+$")
  write_prose(add, { text })
  add("---@class %s", name)
  add("local %s = {}", owner)
  add ""
  for _, method in ipairs(methods) do
    write_function(add, owner, ":", method, change(method.doc.returns))
  end
end

local function joined(first, second)
  local list = {}
  for _, part in ipairs { first, second } do
    for _, item in ipairs(part) do
      list[#list + 1] = item
    end
  end
  return list
end

local function same(returns)
  return returns
end

local function write_objects(model, add)
  local methods = joined(model.operations, model.client)
  write_object(add, "connectly.Client", "what connectly.new makes: failures are raised", methods, without_error)
  write_object(add, "connectly.SafeClient", "what connectly.safe's new makes: failures are returned", methods, safe_returns)
  write_object(add, "connectly.Call", "a call in the background", model.call, without_error)
  write_object(add, "connectly.SafeCall", "the same of a connectly.SafeClient", model.call, same)
  for _, module in ipairs(model.modules) do
    if module.object and #module.methods > 0 and not model.classes[module.object] then
      write_object(add, "connectly." .. pascal(module.object:match("[%w_]+$")), "made by " .. module.name, module.methods, same)
    end
  end
end

---- modules

--- The modules that `connectly` loads on first use.
local function write_parts(model, add)
  local fields = {}
  for _, module in ipairs(model.modules) do
    local part = module.name:match("^connectly%.([%w_]+)$")
    if part and part ~= "safe" and part ~= "errors" and part ~= "sandbox" then
      local owner = "part_" .. part
      fields[#fields + 1] = ("---@field %s connectly.parts.%s"):format(part, part)
      add("---@class connectly.parts.%s%s", part, model.classes[module.name] and ": " .. module.name or "")
      if part == "loop" then
        add "---@field [string] { attach: fun(client: any): any }"
      end
      add("local %s = {}", owner)
      add ""
      for _, defined in ipairs(module.functions) do
        write_function(add, owner, ".", defined, defined.doc.returns)
      end
    end
  end
  add "---@class connectly"
  for _, field in ipairs(fields) do
    add(field)
  end
end

--- The text of lua/connectly/types.lua.
---@param model table
---@return string
function stubs.write(model)
  local lines, add = new_writer()
  add(HEAD)
  write_requests(model, add)
  write_objects(model, add)
  write_parts(model, add)
  return (table.concat(lines, "\n"):gsub("[ \t]+\n", "\n"):gsub("\n\n\n+", "\n\n")) .. "\n"
end

return stubs
