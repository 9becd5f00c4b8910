--- Shared by the commands that run a server: ports, modules, signals.

local serving = {}

--- Converts the value of a --port option.
---@param text string
---@return integer?
---@return string? problem
function serving.check_port(text)
  local port = tonumber(text)
  if not port or port % 1 ~= 0 or port < 0 or port > 65535 then
    return nil, "a port is a number from 0 to 65535"
  end
  return math.floor(port)
end

--- Returns the first module that cannot be loaded.
---@param names string[]
---@return string?
function serving.missing_module(names)
  for _, name in ipairs(names) do
    if not pcall(require, name) then
      return name
    end
  end
end

--- Calls `close` on the first SIGINT or SIGTERM. Also ignores SIGPIPE.
---@param controller table of cqueues
---@param close fun()
function serving.close_on_signals(controller, close)
  local signal = require "cqueues.signal"
  signal.ignore(signal.SIGPIPE)
  signal.block(signal.SIGINT, signal.SIGTERM)
  local listener = signal.listen(signal.SIGINT, signal.SIGTERM)
  controller:wrap(function()
    listener:wait()
    close()
  end)
end

return serving
