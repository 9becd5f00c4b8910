-- Generates the reference and the types from the tables of the core and the docstrings of lua/.
--
--   lua spec/support/reference.lua   (make reference) writes lua/connectly/types.lua and lua/REFERENCE.md

local model = require "spec.support.reference.model"
local page = require "spec.support.reference.page"
local stubs = require "spec.support.reference.stubs"

local reference = {}

--- Returns the texts by path, and a line for each name without documentation.
---@return table<string, string> texts
---@return string[] missing
---@return table model
function reference.generate()
  local read = model.read()
  return { ["lua/connectly/types.lua"] = stubs.write(read), ["lua/REFERENCE.md"] = page.write(read) }, read.missing, read
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local function main()
  local texts, missing = reference.generate()
  for path, text in pairs(texts) do
    write(path, text)
  end
  for _, name in ipairs(missing) do
    io.stderr:write("not documented: ", name, "\n")
  end
  os.exit(#missing == 0 and 0 or 1)
end

if arg and arg[0] and arg[0]:find("support/reference%.lua$") then
  main()
end

return reference
