-- lua/REFERENCE.md: every public name, in the order in which it is looked for.

local native = require "connectly.loader"
local errors_part = require "spec.support.reference.page_errors"
local functions = require "spec.support.reference.page_functions"
local markdown = require "spec.support.reference.markdown"
local modules = require "spec.support.reference.page_modules"
local types = require "spec.support.reference.field_types"
local wording = require "spec.support.reference.wording"

local HEAD = [[
# Reference

Every endpoint, method, option, error and event. For how to install and the ideas behind it see the
[README](../README.md). Made by `make reference` from the same tables as the code, and checked against it by the tests;
the same in LuaCATS, for editors, is [types.lua](connectly/types.lua).

Methods are those of a client, `connectly.new{…}`. Where a call fails, `connectly` raises a
[`connectly.Error`](#errors); a client of `connectly.safe` returns nil and the error. Results are shown for the
latter: of the former they are never nil, and there is no error among them.

Fields may be written in our names or in the API's. A field that is not there is refused, with the nearest name. Texts
may be numbers, which become texts (98765 and never 98765.0). A telephone number is in E.164: a plus sign, the country
code, digits alone. "API: …" names the section of the API's own documentation that a line rests on.
]]

---- endpoints

local function write_fields(add, shape)
  local rows = {}
  for index, field in ipairs(shape.fields) do
    local bounds = wording.bounds(field)
    rows[index] = {
      "`" .. field.name .. "`", wording.wire(shape.name, field), wording.type_of(shape.name, field),
      field.required and "yes" or "", field.text .. (bounds ~= "" and " (" .. bounds .. ")" or ""),
    }
  end
  markdown.table(add, { "field", "the API's name", "type", "required", "meaning" }, rows)
end

local function write_examples(add, method)
  for _, example in ipairs(method.examples) do
    add(example.sentence)
    add ""
    add "```lua"
    add(example.source)
    add "```"
    add ""
  end
end

local function write_endpoint(add, model, method)
  local operation = method.operation
  add("### %s", method.title)
  add ""
  if operation.path then
    add("`%s /v1/businesses/{businessId}%s`", operation.method, operation.path)
    add ""
  end
  markdown.prose(add, method.doc.prose)
  functions.write_types(add, method.doc, model)
  add("* Repeated by itself: %s.", wording.repetition(operation))
  add("* Counts for: %s.", wording.limit(operation))
  add ""
  write_examples(add, method)
  write_fields(add, model.shapes[operation.shape])
end

local function write_params(add, model)
  local rows = {}
  for index, param in ipairs(model.params) do
    rows[index] = { "`" .. param.name .. "`", wording.param_bounds(param), param.type, param.text }
  end
  add "### Parameters by their wire names"
  add ""
  add "What `parameters` of `client:send_template` may name; `#` is a number. In our own form they are `header`, `body`,"
  add "`buttons` and `cards`, and all are counted from 1."
  add ""
  markdown.table(add, { "name", "first #", "type", "meaning" }, rows)
end

local function write_shapes(add, model)
  add "## Tables within requests"
  add ""
  for _, name in ipairs(types.nested_shapes(model)) do
    add("### %s", wording.shape(name))
    add ""
    if model.shapes[name].text ~= "" then
      add(model.shapes[name].text)
      add ""
    end
    write_fields(add, model.shapes[name])
  end
end

---- the rest

local function write_options(add, model)
  local rows = {}
  for index, option in ipairs(model.options) do
    local default, bounds = wording.option_bounds(option)
    rows[index] = {
      "`" .. option.name .. "`", functions.type_text(option.class_type, model), default, bounds, wording.option_text(option),
    }
  end
  add "## Options of connectly.new"
  add ""
  markdown.table(add, { "option", "type", "default", "bounds", "meaning" }, rows)
end

local function write_contents(add, model)
  local rows = {}
  for index, method in ipairs(model.operations) do
    local operation = method.operation
    rows[index] = {
      markdown.link(method.title), operation.method or "any", operation.path and "`" .. operation.path .. "`" or "any",
      operation.reply == "id" and "id" or "the reply, decoded",
    }
  end
  markdown.table(add, { "method", "HTTP", "path after /v1/businesses/{businessId}", "gives" }, rows)
  local names = {}
  for _, list in ipairs { model.client, model.call } do
    for _, method in ipairs(list) do
      names[#names + 1] = markdown.link(method.title)
    end
  end
  add("Besides: %s.", table.concat(names, ", "))
  add ""
  names = {}
  for index, module in ipairs(model.modules) do
    names[index] = markdown.link(module.name)
  end
  add("Modules: %s.", table.concat(names, ", "))
  add ""
  add "Also: [options](#options-of-connectlynew), [tables within requests](#tables-within-requests), [errors](#errors),"
  add "[types](#types)."
  add ""
end

local page = {}

--- The text of lua/REFERENCE.md.
---@param model table
---@return string
function page.write(model)
  local add, lines = markdown.new()
  add(HEAD)
  write_contents(add, model)
  add "## Endpoints"
  add ""
  for _, method in ipairs(model.operations) do
    write_endpoint(add, model, method)
    if method.operation.name == "send_template" then
      write_params(add, model)
    end
  end
  write_shapes(add, model)
  modules.write_list(add, model, "A client's other methods", model.client)
  modules.write_list(add, model, "Calls in the background", model.call)
  write_options(add, model)
  errors_part.write(add, model, native.taxonomy())
  for _, module in ipairs(model.modules) do
    modules.write(add, model, module)
  end
  modules.write_classes(add, model)
  return (table.concat(lines, "\n"):gsub("[ \t]+\n", "\n"):gsub("\n\n\n+", "\n\n"):gsub("\n+$", "")) .. "\n"
end

return page
