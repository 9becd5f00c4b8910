--- relay.lua - forwards bytes between client and server, in both directions, and freezes on
--- request. Open connections then stay open: TCP acknowledges the client's bytes, but they go
--- nowhere, and nothing comes back. New connections are forwarded. This is what happens if a NAT
--- or a firewall drops a connection's state. The relay can also swallow the bytes of all
--- connections for a while, including new ones, as a network that loses packets does; and it
--- can delay new connections, as a network that has become slow does.

local cqueues = require "cqueues"
local socket = require "cqueues.socket"
local sockets = require "spec.support.sockets"

local PIECE = 65536

local relay = {}
relay.__index = relay

function relay.new()
  return setmetatable({ links = {}, swallows_until = 0, delay = 0 }, relay)
end

local function forward(link, from, to)
  repeat
    local bytes = from:xread(-PIECE)
  until not bytes or not (link.frozen or to:xwrite(bytes, "bn"))
end

local function finish(link)
  link.under_way = link.under_way - 1
  if link.under_way == 0 then
    link.client:close()
    link.server:close()
  end
end

--- When one side ends both do, unless the link is frozen: then the client keeps its own.
local function pump(link, from, to)
  forward(link, from, to)
  if not link.frozen or from == link.client then
    link.client:shutdown("rw")
    link.server:shutdown("rw")
  end
  finish(link)
end

--- Serves one accepted connection, to a port of ours, until it ends.
function relay:serve(accepted, port)
  local upstream = socket.connect { host = "127.0.0.1", port = port, nodelay = true }
  local link = {
    client = sockets.raw(accepted), server = sockets.raw(upstream), under_way = 2,
    frozen = cqueues.monotime() < self.swallows_until,
  }
  self.links[link] = true
  cqueues.sleep(self.delay)
  cqueues.running():wrap(pump, link, link.server, link.client)
  pump(link, link.client, link.server)
  self.links[link] = nil
end

--- Returns how many were frozen.
function relay:freeze()
  local count = 0
  for link in pairs(self.links) do
    count = count + (link.frozen and 0 or 1)
    link.frozen = true
  end
  return count
end

---@param seconds number
function relay:swallow(seconds)
  self.swallows_until = cqueues.monotime() + seconds
  return self:freeze()
end

return relay
