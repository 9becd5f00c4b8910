-- The comments of the .def files below src/core, where the tables are documented.

local comments = {}

local KEYS = {
  CLY_FIELD = "^CLY_FIELD%(([%w_]+), ([%w_]+),",
  CLY_OPERATION = '^CLY_OPERATION%([%w_]+, "([^"]+)"',
  CLY_PARAM = '^CLY_PARAM%([%w_]+, "([^"]*)", "([^"]*)"',
  CLY_ERROR_KIND = '^CLY_ERROR_KIND%([%w_]+, "([^"]+)"',
  CLY_SHAPE = "^CLY_SHAPE%(([%w_]+)%)",
}

local JOINTS = { CLY_FIELD = ".", CLY_PARAM = "" }

--- The name of an entry as the Lua side knows it, or nil.
local function key_of(line)
  local macro = line:match("^(CLY_[A-Z_]+)%(")
  local first, second = line:match(KEYS[macro] or "^$")
  if not first then
    return nil
  end
  return second and first .. JOINTS[macro] .. second or first
end

--- The text of the comment that begins on this line, and the number of the line after it.
local function read_comment(lines, at)
  local parts = {}
  while true do
    local line = lines[at]
    local text = line:gsub("^%s*/?%*%s?", ""):gsub("%s*%*/%s*$", "")
    parts[#parts + 1] = text
    at = at + 1
    if line:find("*/", 1, true) or not lines[at] then
      return table.concat(parts, " "), at
    end
  end
end

local function lines_of(path)
  local lines = {}
  for line in io.lines(path) do
    lines[#lines + 1] = line
  end
  return lines
end

--- The comment above each entry, by the entry's name. A comment whose first line holds no
--- text is about the whole file.
---@param name string such as "api/fields"
---@return table<string, string>
function comments.read(name)
  local lines, found, text, at = lines_of("src/core/" .. name .. ".def"), {}, nil, 1
  while lines[at] do
    local line = lines[at]
    if line:find("^/%*") then
      local comment
      comment, at = read_comment(lines, at)
      text = line ~= "/*" and comment or nil
    else
      local key = key_of(line)
      if key then
        found[key] = text
      end
      text, at = nil, at + 1
    end
  end
  return found
end

--- The hint of each error kind.
---@return table<string, string>
function comments.hints_of_kinds()
  local all, hints = table.concat(lines_of "src/core/base/error_kinds.def", "\n"), {}
  for kind, hint in all:gmatch('CLY_ERROR_KIND%([%w_]+, "([^"]+)",%s*"([^"]*)"%)') do
    hints[kind] = hint
  end
  return hints
end

return comments
