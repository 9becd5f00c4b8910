-- Helpers that write Markdown.

local markdown = {}

--- Returns a function that adds a line, and the list of lines.
function markdown.new()
  local lines = {}
  return function(text, ...)
    lines[#lines + 1] = select("#", ...) > 0 and text:format(...) or text
  end, lines
end

--- The anchor that GitHub gives a heading.
function markdown.anchor(heading)
  return "#" .. heading:lower():gsub("[^%w%s_%-]", ""):gsub("%s", "-")
end

function markdown.link(heading)
  return ("[`%s`](%s)"):format(heading, markdown.anchor(heading))
end

local function cell(text)
  return (text:gsub("|", "\\|"))
end

--- Writes a table without its empty columns.
---@param add function
---@param head string[]
---@param rows string[][]
function markdown.table(add, head, rows)
  local shown = {}
  for column = 1, #head do
    for _, row in ipairs(rows) do
      shown[column] = shown[column] or row[column] ~= ""
    end
  end
  local function write(row)
    local cells = {}
    for column = 1, #head do
      cells[#cells + 1] = shown[column] and cell(row[column]) or nil
    end
    add("| " .. table.concat(cells, " | ") .. " |")
    return #cells
  end
  add(("|---"):rep(write(head)) .. "|")
  for _, row in ipairs(rows) do
    write(row)
  end
  add ""
end

--- Writes prose unchanged; indented lines become code blocks.
---@param add function
---@param prose string[]
function markdown.prose(add, prose)
  local is_code, indent = false, ""
  local function fence(wanted)
    if wanted ~= is_code then
      add(wanted and "```text" or "```")
      is_code = wanted
    end
  end
  for index, line in ipairs(prose) do
    local is_blank = line:find("^%s*$") ~= nil
    local goes_on = is_blank and (prose[index + 1] or ""):find("^%s%s") ~= nil
    if line:find("^%s%s") and not is_code then
      indent = line:match("^%s+")
    end
    fence(line:find("^%s%s") ~= nil or is_code and goes_on)
    add(is_code and line:sub(1, #indent) == indent and line:sub(#indent + 1) or (line:gsub("^%s", "")))
  end
  fence(false)
  add ""
end

return markdown
