-- Writes the module list of the rockspec from the files of src and lua; with --check, fails if
-- the list differs from the files.
--
--   lua spec/support/rockspec.lua [--check]

local PATH = "connectly-scm-1.rockspec"

local function lines_of(command)
  local pipe = assert(io.popen(command .. " | LC_ALL=C sort"))
  local lines = {}
  for line in pipe:lines() do
    lines[#lines + 1] = line
  end
  pipe:close()
  return lines
end

local function source_lines()
  local lines = {}
  for i, path in ipairs(lines_of("find src -name '*.c'")) do
    lines[i] = ('        "%s",\n'):format(path)
  end
  return table.concat(lines)
end

-- cli/main.lua is the command, which `install.bin` names.
local function module_lines()
  local lines = {}
  for i, path in ipairs(lines_of("find lua/connectly -name '*.lua' ! -path lua/connectly/cli/main.lua")) do
    local name = path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")
    lines[i] = ("    %s = %q,\n"):format(name:find(".", 1, true) and ("[%q]"):format(name) or name, path)
  end
  return table.concat(lines)
end

--- Puts `lines` between the ends of the one place that both patterns surround.
local function replace(text, before, after, lines)
  local _, from = text:find(before)
  local to = from and text:find(after, from)
  assert(to, PATH .. " has no place for a list: " .. before)
  return text:sub(1, from) .. lines .. text:sub(to)
end

local file = assert(io.open(PATH))
local old = file:read("*a")
file:close()
local new = replace(old, "\n      sources = {\n", "      },\n", source_lines())
new = replace(new, "libraries = [^\n]+\n    },\n", "  },\n  install = {", module_lines())

if arg[1] == "--check" then
  assert(new == old, PATH .. " is out of date: run `make rockspec`")
else
  file = assert(io.open(PATH, "w"))
  assert(file:write(new))
  assert(file:close())
end
