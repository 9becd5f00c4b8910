--- Keeps the original JSON text of free-form members. A Lua table would lose it: it cannot tell
--- an empty list from an empty object, and it has no order of members.

local native = require "connectly.loader"
local fields = require "connectly.cli.fields"
local json = require "connectly.json"

local is_free = { json = true, json_object = true }

local verbatim = {}

--- Makes the library send the free-form members of the message with their text in `text`.
---@param text string valid JSON of an object
---@param message table decoded from it
---@param shape string
function verbatim.keep(text, message, shape)
  for _, field in ipairs(fields.of(shape)) do
    for _, name in ipairs(is_free[field.type] and { field.name, field.wire } or {}) do
      local member = type(message[name]) == "table" and native.json_member(text, name)
      if member then
        json.set_text(message[name], native.compact_json(member))
      end
    end
  end
end

return verbatim
