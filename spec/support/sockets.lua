--- cqueues sockets that return errors instead of raising them.

local socket = require "cqueues.socket"

local sockets = {}

local function return_error(_, _, why)
  return why
end

---@param made table  a connection or a listener
---@return table made
function sockets.quiet(made)
  made:onerror(return_error)
  return made
end

--- One for bytes as they are, which wait in no buffer.
---@param connection table
---@return table connection
function sockets.raw(connection)
  connection:setmode("b", "bn")
  return sockets.quiet(connection)
end

--- Whether a server on the loopback takes a connection.
---@param port integer
---@param seconds number  how long to wait for it
---@return boolean
function sockets.answers(port, seconds)
  local connection = sockets.quiet(socket.connect("127.0.0.1", port))
  local is_connected = connection:connect(seconds)
  connection:close()
  return is_connected ~= nil
end

return sockets
