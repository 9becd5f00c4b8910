-- Reads the docstrings of a Lua file: its head, classes and functions.

local docstrings = {}

local OPEN, CLOSE = { ["("] = true, ["{"] = true, ["["] = true, ["<"] = true }, { [")"] = true, ["}"] = true, ["]"] = true,
  [">"] = true }

--- Splits a text into the type at its start and the rest.
local function split_type(text)
  local depth, at = 0, 1
  while at <= #text do
    local char = text:sub(at, at)
    if OPEN[char] then
      depth = depth + 1
    elseif CLOSE[char] then
      depth = depth - 1
    elseif char == " " and depth == 0 and not text:sub(1, at - 1):find("[:,|]$") and not text:find("^ *|", at) then
      break
    end
    at = at + 1
  end
  return text:sub(1, at - 1), (text:sub(at):gsub("^%s+", ""))
end

local readers = {}

function readers.field(block, text)
  local name, rest = text:match("^(%S+)%s+(.*)$")
  local kind, prose = split_type(rest)
  return { list = block.fields, name = name, type = kind, text = prose }
end

function readers.param(block, text)
  local name, rest = text:match("^(%S+)%s+(.*)$")
  local kind, prose = split_type(rest)
  return { list = block.params, name = name, type = kind, text = prose }
end

function readers.type(block, text)
  local kind, prose = split_type(text)
  return { list = block.types, type = kind, text = prose }
end

readers["return"] = function(block, text)
  local kind, prose = split_type(text)
  return { list = block.returns, type = kind, text = prose }
end

--- Adds a line of a docstring: prose, a tag, or the continuation of a tag.
local function add_line(block, line)
  local tag, text = line:match("^%s*@(%a+)%s*(.*)$")
  if tag == "class" then
    block.class, block.class_text = split_type(text)
  elseif readers[tag] then
    local item = readers[tag](block, text)
    item.list[#item.list + 1], block.last = item, item
    item.list = nil
  elseif not tag and block.last then
    block.last.text = block.last.text .. " " .. line:gsub("^%s+", "")
  elseif not tag then
    block.prose[#block.prose + 1] = line
  end
end

local function new_block()
  return { prose = {}, fields = {}, params = {}, returns = {}, types = {} }
end

--- The function that a line below a docstring defines, or nil.
local function read_function(line)
  local name, parameters = line:match("^local function ([%w_]+)%((.-)%)")
  if name then
    return { name = name, is_local = true, parameters = parameters }
  end
  local owner, joint
  owner, joint, name, parameters = line:match("^function ([%w_]+)([.:])([%w_]+)%((.-)%)")
  if name then
    return { name = name, owner = owner, joint = joint, parameters = parameters }
  end
end

local function finish_block(file, block, line, is_first)
  if block and block.class then
    file.classes[#file.classes + 1] = {
      name = block.class, prose = block.prose, text = block.class_text, fields = block.fields,
    }
  end
  if block and is_first then
    file.head = block.prose
  end
  local defined = read_function(line)
  if defined then
    defined.doc = block or new_block()
    file.functions[#file.functions + 1] = defined
  end
  local owner, name = line:match("^([%w_]+)%.([%a][%w_]*) = ")
  if name then
    file.values[#file.values + 1] = { owner = owner, name = name, doc = block or new_block() }
  end
end

--- Reads what the file returns: the name of its table, or only a constructor.
local function read_end(file, text)
  file.returned = text:match("\nreturn ([%w_]+)\n*$")
  file.gives_new = text:find("\nreturn { new = new }\n*$") ~= nil
  file.object = text:match('__name = "(connectly%.[%w_]+)"')
end

--- Reads a file. `is_public` means that it has docstrings for users. Those begin with
--- three dashes and no space; docstrings for readers of the code begin with `--- `.
---@param path string
---@return table
function docstrings.read(path)
  local handle = assert(io.open(path, "rb"))
  local text = handle:read("*a")
  handle:close()
  local file = { path = path, classes = {}, functions = {}, values = {}, is_public = text:find("^%-%-%-[^%s%-]") ~= nil }
  local block, is_first = nil, true
  for line in text:gmatch("([^\n]*)\n") do
    local doc = line:match("^%s*%-%-%-([^%-].*)$") or line:match("^%s*%-%-%-$") and ""
    if doc then
      block = block or new_block()
      add_line(block, doc)
    else
      finish_block(file, block, line, is_first)
      block, is_first = nil, false
    end
  end
  read_end(file, text)
  return file
end

return docstrings
