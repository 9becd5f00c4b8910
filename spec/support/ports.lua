--- Picks free loopback ports, for servers that cannot choose one themselves.

local socket = require "cqueues.socket"

local ports = {}

--- One that was free a moment ago; another may take it before you do.
---@return integer
function ports.free()
  local listener = assert(socket.listen("127.0.0.1", 0))
  assert(listener:listen())
  local _, _, port = listener:localname()
  listener:close()
  return port
end

return ports
