--- peer.lua - one accepted connection: reads, writes, and the ways to end it. An operation that
--- fails returns nil, and the peer is finished.

local cqueues = require "cqueues"
local socket = require "cqueues.socket"
local sockets = require "spec.support.sockets"

local IDLE_SECONDS = 120
local DRAIN_SECONDS = 5
local LONGEST_LINE = 64 * 1024

local peer = {}
peer.__index = peer

--- `endings` are the functions that endings.lua built.
function peer.new(accepted, endings)
  accepted:setmaxline(LONGEST_LINE)
  return setmetatable({ socket = sockets.raw(accepted), endings = endings }, peer)
end

--- Returns the protocol agreed on ("h2", or nil for HTTP/1.1), or false.
function peer:start_tls(context)
  if not self.socket:starttls(context, IDLE_SECONDS) then
    return false
  end
  local ssl = self.socket:checktls()
  return ssl and ssl:getAlpnSelected()
end

--- All `count` bytes, or nil when fewer came before the end.
function peer:read(count, seconds)
  if count == 0 then
    return ""
  end
  local bytes = self.socket:xread(count, seconds or IDLE_SECONDS)
  return bytes and #bytes == count and bytes or nil
end

--- A whole line with its end, or nil.
function peer:read_line()
  local line = self.socket:xread("*L", IDLE_SECONDS)
  return line and line:sub(-1) == "\n" and line or nil
end

--- Whether the other side has sent more.
function peer:has_input()
  local has_some = self.socket:fill(1, 0)
  self.socket:clearerr() -- the time-out
  return has_some and true or false
end

function peer:write(bytes)
  if self.ended then
    return nil
  end
  return self.socket:xwrite(bytes, "bn", IDLE_SECONDS) and true
end

--- Reads and forgets until the other side ends, or the time is over.
function peer:drain(seconds)
  local deadline = cqueues.monotime() + seconds
  repeat
    local left = deadline - cqueues.monotime()
    local bytes = left > 0 and not self.gone and self.socket:xread(-16384, left)
  until not bytes
end

--- FIN, after a good-bye (close_notify) in TLS. What the other side still sends
--- must be drained: close() with unread bytes would be an RST.
function peer:hang_up()
  if self.gone then
    return
  end
  local ssl = self.socket:checktls()
  self.ended = true
  if ssl then
    self.endings.say_goodbye(ssl)
  end
  self.socket:shutdown("w")
end

--- FIN without a word in TLS, as when a process dies.
function peer:cut_off()
  if self.gone then
    return
  end
  self.ended = true
  local bare = socket.dup(self.socket:pollfd())
  bare:shutdown("w")
  bare:close()
end

function peer:close()
  self:hang_up()
  self:drain(DRAIN_SECONDS)
end

function peer:cut()
  self:cut_off()
  self:drain(DRAIN_SECONDS)
end

function peer:reset()
  if self.gone then
    return
  end
  self.ended, self.gone = true, true
  self.endings.reset_on_close(self.socket:pollfd())
  self.socket:close()
end

--- Says nothing more, and waits for the other side to lose patience.
function peer:silence()
  self.ended = true
  self:drain(IDLE_SECONDS)
end

--- Frees the socket; whatever happened before.
function peer:release()
  self.ended, self.gone = true, true
  self.socket:close()
end

return peer
