--- Starts and stops server processes for specs. Works on every Lua, with only io.popen and
--- os.execute.
---
---   local server = process.start({ command = { "server", "--port", "0" }, ready = "port (%d+)" })
---   ... server.captured ...
---   server:stop()
---
--- The process is stopped when its object is collected, when the Lua state closes, and by
--- `timeout` if all else fails; if setpriv is installed, also when this Lua is killed. Once ready,
--- it may write only little to standard output: the output is read only by read_line.

local seconds_to_live = 900
local seconds_to_stop = 5

local process = {}
process.__index = process

---@param text string
---@return string
function process.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- All that a shell's command prints.
---@param line string
---@return string
function process.capture(line)
  local pipe = assert(io.popen(line))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

--- All that it prints on both outputs, and its exit status.
---@param line string
---@return string output
---@return integer status
function process.run(line)
  local text = process.capture("(" .. line .. ") 2>&1; echo status=$?")
  local output, status = text:match("^(.*)status=(%d+)%s*$")
  return output, tonumber(status)
end

local function quote_all(arguments)
  local quoted = {}
  for index, argument in ipairs(arguments) do
    quoted[index] = process.quote(argument)
  end
  return table.concat(quoted, " ")
end

--- The shell becomes `timeout` by exec, so the number it prints first is the
--- pid of `timeout`, which hands our signals on and ends after its child.
--- A sanitizer's runtime is for the Lua under test, not for its servers.
local script = [[unset LD_PRELOAD
echo $$
if setpriv --pdeathsig TERM true 2>/dev/null
then exec setpriv --pdeathsig TERM %s
else exec %s
fi]]

local function shell_script(command)
  local limited = ("timeout -k %d %d %s"):format(seconds_to_stop, seconds_to_live, quote_all(command))
  return script:format((limited:gsub("%%", "%%%%")), (limited:gsub("%%", "%%%%")))
end

--- Returns an object; calls the function when the object is collected or the Lua state closes.
local function at_end(action)
  if not newproxy then
    return setmetatable({}, { __gc = action })
  end
  local sentinel = newproxy(true)
  getmetatable(sentinel).__gc = action
  return sentinel
end

local function wait_until_ready(self, pattern)
  local seen = {}
  for line in function() return self:read_line() end do
    seen[#seen + 1] = line
    local captured = line:match(pattern)
    if captured then
      self.line, self.captured = line, captured
      return
    end
  end
  self:stop()
  error("process ended before it was ready:\n" .. table.concat(seen, "\n"), 3)
end

--- Starts a program and waits for the line that says it is ready.
---@param options { command: string[], ready: string }
---@return table process  with line, captured, pid
function process.start(options)
  local output = assert(io.popen(shell_script(options.command), "r"))
  local pid = assert(output:read("*l"), "the shell did not start")
  local self = setmetatable({ output = output, pid = tonumber(pid) }, process)
  -- Made after the pipe and so finalised before it: closing a pipe waits for
  -- its process, which therefore must have been told to end.
  self.sentinel = at_end(function()
    self:stop()
  end)
  wait_until_ready(self, options.ready)
  return self
end

--- The next line of standard output; waits for it. nil at the end.
---@return string?
function process:read_line()
  return self.output and self.output:read("*l")
end

--- Ends the process and waits until it is gone. May be called again.
function process:stop()
  local output = self.output
  if not output then
    return
  end
  self.output = nil
  -- The pid is still ours: it is free for others only once close has waited.
  os.execute(("kill -TERM %d 2>/dev/null"):format(self.pid))
  output:close()
end

return process
