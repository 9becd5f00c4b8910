--- A relay that adds latency: it forwards all bytes, in both directions, after a delay, and
--- also the end of a connection. Runs as a process of its own, for benchmarks.
---
---   lua delay.lua PORT SECONDS
---
--- Forwards to PORT on loopback, and prints "port N", the port it listens on.

local cqueues = require "cqueues"
local condition = require "cqueues.condition"
local socket = require "cqueues.socket"
local sockets = require "spec.support.sockets"

local PIECE = 65536
local PORT, DELAY = tonumber(arg[1]), tonumber(arg[2])

--- Notes what comes, and when it is due on the other side. At the end false comes.
local function read(from, way)
  repeat
    local bytes = from:xread(-PIECE) or false
    table.insert(way, { bytes = bytes, due = cqueues.monotime() + DELAY })
    way.news:signal()
  until not bytes
end

local function next_piece(way)
  while #way == 0 do
    way.news:wait()
  end
  local piece = table.remove(way, 1)
  cqueues.sleep(math.max(0, piece.due - cqueues.monotime()))
  return piece.bytes
end

local function write(way, to)
  local bytes = next_piece(way)
  while bytes and to:xwrite(bytes, "bn") do
    bytes = next_piece(way)
  end
  to:shutdown("w")
end

--- Forwards what comes on one side to the other until it ends.
local function forward(from, to, done)
  local way = { news = condition.new() }
  cqueues.running():wrap(read, from, way)
  write(way, to)
  done()
end

local function serve(client)
  local server = sockets.raw(socket.connect { host = "127.0.0.1", port = PORT, nodelay = true })
  local under_way = 2
  local function done()
    under_way = under_way - 1
    if under_way == 0 then
      client:close()
      server:close()
    end
  end
  cqueues.running():wrap(forward, sockets.raw(client), server, done)
  cqueues.running():wrap(forward, server, client, done)
end

local controller = cqueues.new()
local listener = assert(socket.listen { host = "127.0.0.1", port = 0, nodelay = true })
assert(listener:listen())
controller:wrap(function()
  for client in listener:clients() do
    serve(client)
  end
end)
local _, _, port = listener:localname()
print("port " .. port)
io.stdout:flush()
assert(controller:loop())
