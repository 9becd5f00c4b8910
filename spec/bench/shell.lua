--- Runs shell commands for the benchmarks.

local shell = {}

---@param text string
---@return string
function shell.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

---@param words string[]
---@return string
function shell.join(words)
  local quoted = {}
  for index, word in ipairs(words) do
    quoted[index] = shell.quote(word)
  end
  return table.concat(quoted, " ")
end

--- What a command prints, without the last line break. Raises when it fails.
---@param command string
---@return string
function shell.read(command)
  local pipe = assert(io.popen(("{ %s; } && echo done"):format(command), "r"))
  local output = pipe:read("*a")
  pipe:close()
  local text = output:match("^(.-)\n?done\n$")
  return text or error("failed: " .. command, 2)
end

--- Whether a command succeeds; what it says is thrown away.
---@param command string
---@return boolean
function shell.try(command)
  local result = os.execute(("{ %s; } >/dev/null 2>&1"):format(command))
  return result == true or result == 0
end

---@param path string
---@param content string
function shell.write(path, content)
  local file = assert(io.open(path, "w"))
  file:write(content)
  file:close()
end

return shell
