-- Writes lua/REFERENCE.md: every public name, the most used ones first.

local native = require "connectly.loader"
local errors_part = require "spec.support.reference.page_errors"
local functions = require "spec.support.reference.page_functions"
local markdown = require "spec.support.reference.markdown"
local modules = require "spec.support.reference.page_modules"
local types = require "spec.support.reference.field_types"
local wording = require "spec.support.reference.wording"

local HEAD = [[
# Reference

Every endpoint, method, option, error and event. The [README](../README.md) explains how to install the library and how
it works. `make reference` writes this page from the same tables as the code, and the tests check that the two agree.
For editors, `connectly/types.lua`, which is installed with the library, contains the same as LuaCATS types.

The methods are those of a client, which `connectly.new{…}` returns. When a call fails, a client of `connectly` raises a
[`connectly.Error`](#errors), and a client of `connectly.safe` returns nil and the error. The results below are those of
`connectly.safe`; a client of `connectly` returns the same values, but never nil and never an error.

A field may have this library's name or the API's name. An unknown field is an error, which suggests the nearest name.
A number is accepted as a text and is converted (98765 becomes "98765", never "98765.0"). Phone numbers are in E.164: a
plus sign, the country code, digits only. "API: …" names the section of the API's documentation on which a statement
is based.
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
  add("* Retries: %s.", wording.retries(operation))
  add("* Rate limits: %s.", wording.limit(operation))
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
  add "The names that `parameters` of `client:send_template` accepts; `#` is a number. The fields `header`, `body`,"
  add "`buttons` and `cards` are the short form of these, and their lists count from 1."
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

local function write_endpoints(add, model)
  local rows = {}
  for index, method in ipairs(model.operations) do
    local operation = method.operation
    rows[index] = {
      markdown.link(method.title), operation.method or "any", operation.path and "`" .. operation.path .. "`" or "any",
      operation.reply == "id" and "id" or "the reply, decoded",
    }
  end
  markdown.table(add, { "method", "HTTP", "path after /v1/businesses/{businessId}", "returns" }, rows)
end

--- One entry of the table of contents: a section, and links to what it describes.
local function write_entry(add, section, titles)
  local links = {}
  for index, title in ipairs(titles) do
    links[index] = markdown.link(title)
  end
  add("* [%s](%s)%s", section, markdown.anchor(section), #links > 0 and ": " .. table.concat(links, ", ") or "")
end

local function titles_of(list, key)
  local titles = {}
  for index, item in ipairs(list) do
    titles[index] = item[key]
  end
  return titles
end

local function write_contents(add, model)
  add "## Contents"
  add ""
  write_entry(add, "Endpoints", titles_of(model.operations, "title"))
  write_entry(add, "Tables within requests", {})
  write_entry(add, "Other methods of a client", titles_of(model.client, "title"))
  write_entry(add, "Calls in the background", titles_of(model.call, "title"))
  write_entry(add, "Options of connectly.new", {})
  write_entry(add, "Errors", {})
  for _, module in ipairs(model.modules) do
    write_entry(add, module.name, titles_of(module.functions, "title"))
  end
  write_entry(add, "Types", {})
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
  write_endpoints(add, model)
  for _, method in ipairs(model.operations) do
    write_endpoint(add, model, method)
    if method.operation.name == "send_template" then
      write_params(add, model)
    end
  end
  write_shapes(add, model)
  modules.write_list(add, model, "Other methods of a client", model.client)
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
