-- Extracts the ```lua blocks of a Markdown file. There an ellipsis stands for something that the
-- reader fills in: in code it is removed, in a string it is replaced by a suitable value.

local snippets = {}

--- What a text with an ellipsis may be.
local FILLED = {
  { "^https?://", "https://files.example.com/i.jpg" },
  { "^00%-", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" },
  { "^bsuid:", "bsuid:US.13491208655302741918" },
}

local function fill_text(text)
  if not text:find("…", 1, true) then
    return text
  end
  local digits = text:match('^"%+(%d*)…"$')
  if digits then
    return ('"+%s"'):format((digits .. "4441234567"):sub(1, 11))
  end
  for _, case in ipairs(FILLED) do
    if text:sub(2, -2):find(case[1]) then
      return '"' .. case[2] .. '"'
    end
  end
  return (text:gsub("…", "text"))
end

--- Texts and comments apart from the code between them.
local function fill(source)
  local parts, at = {}, 1
  while at <= #source do
    local first = source:find('["%-]', at) or #source + 1
    parts[#parts + 1] = source:sub(at, first - 1):gsub("…", "")
    local text = source:match('^"[^"\n]*"', first) or source:match("^%-%-[^\n]*", first) or source:sub(first, first)
    parts[#parts + 1] = text:sub(1, 1) == '"' and fill_text(text) or text
    at = first + #text
  end
  return table.concat(parts)
end

--- Adds the blocks of a file in a language to a list, as they are written.
local function read_blocks(path, language, list)
  local lines, number, start = nil, 0, nil
  for line in io.lines(path) do
    number = number + 1
    if lines and line == "```" then
      list[#list + 1] = { source = table.concat(lines, "\n"), line = start, path = path }
      lines = nil
    elseif lines then
      lines[#lines + 1] = line
    elseif line == "```" .. language then
      lines, start = {}, number + 1
    end
  end
  assert(not lines, "a snippet without an end in " .. path)
end

--- All Lua snippets of a file: source, and the line it begins at. A file without any is an error.
---@param path string
---@return {source: string, line: integer, path: string}[]
function snippets.read(path)
  local list = {}
  read_blocks(path, "lua", list)
  assert(#list > 0, "no snippets in " .. path)
  for _, snippet in ipairs(list) do
    snippet.source = fill(snippet.source)
  end
  return list
end

--- README.md and the guides.
---@return string[] paths
function snippets.documents()
  local paths = { "README.md" }
  local listing = assert(io.popen("LC_ALL=C ls examples/*/README.md"))
  for path in listing:lines() do
    paths[#paths + 1] = path
  end
  listing:close()
  assert(#paths > 1, "no guides in examples")
  return paths
end

--- All blocks of README.md and the guides in a language, as they are written, and the lines they begin at.
---@param language string
---@return {source: string, line: integer, path: string}[]
function snippets.blocks(language)
  local list = {}
  for _, path in ipairs(snippets.documents()) do
    read_blocks(path, language, list)
  end
  assert(#list > 0, "README.md and the guides have no snippets in " .. language)
  return list
end

--- All Lua snippets of README.md and the guides.
function snippets.read_documents()
  local list = snippets.blocks "lua"
  for _, snippet in ipairs(list) do
    snippet.source = fill(snippet.source)
  end
  return list
end

--- Compiles one, with an environment of its own on top of the usual names.
function snippets.compile(snippet, names)
  local environment = setmetatable(names or {}, { __index = _G })
  local name = ("=%s:%d"):format(snippet.path, snippet.line)
  if rawget(_G, "setfenv") then
    return setfenv(assert(loadstring(snippet.source, name)), environment) -- luacheck: ignore 113
  end
  return assert(load(snippet.source, name, "t", environment))
end

--- Compiles and runs one.
function snippets.run(snippet, names)
  return snippets.compile(snippet, names)()
end

return snippets
