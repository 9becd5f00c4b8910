--- outage.lua - simulates a restart of the server: it resets its connections and stops
--- listening, and listens again after a while.

local cqueues = require "cqueues"

local outage = {}
outage.__index = outage

function outage.new(controller)
  return setmetatable({ controller = controller, peers = {}, ports = {}, number = 0 }, outage)
end

local function open(self, port)
  local listener = port.open()
  port.listener = listener
  self.controller:wrap(function() -- to be closed under its feet is no error of a listener
    local ok, problem = pcall(port.accept, function() return port.listener == listener end, listener)
    assert(ok or port.listener ~= listener, problem)
  end)
end

--- `port` has open() -> listener, and accept(is_open, listener), which runs in a coroutine.
function outage:add_port(port)
  self.ports[#self.ports + 1] = port
  open(self, port)
end

--- Calls `serve`; an outage meanwhile resets the peer.
function outage:watch(peer, serve)
  self.peers[peer] = true
  local ok, problem = pcall(serve)
  self.peers[peer] = nil
  if not ok then
    error(problem, 0)
  end
end

local function close(port)
  local listener = port.listener
  port.listener = nil
  if listener then
    listener:close()
  end
end

local function reset_all(self)
  local peers = self.peers
  self.peers = {}
  for peer in pairs(peers) do
    pcall(peer.reset, peer)
  end
end

local function finish_after(self, seconds)
  local number = self.number
  self.controller:wrap(function()
    cqueues.sleep(seconds)
    if self.number == number then
      self:finish()
    end
  end)
end

--- For so many seconds, or until finish().
function outage:start(seconds)
  self.number = self.number + 1
  for _, port in ipairs(self.ports) do
    close(port)
  end
  reset_all(self)
  if seconds then
    finish_after(self, seconds)
  end
end

function outage:finish()
  self.number = self.number + 1
  for _, port in ipairs(self.ports) do
    if not port.listener then
      open(self, port)
    end
  end
end

return outage
