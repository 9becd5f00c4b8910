--- The fault server for specs: starts it, arms it, and reads its counts.
---
---   local faults = require "spec.support.faults"
---   local server = faults.start()
---   ... connectly.new{ base_url = server:url("https"), ca_file = server.ca_file,
---                      business_id = "reset-after-request", ... }
---   assert.equal(1, server:counts().requests)
---   server:stop()
---
--- The head of fault_server.lua explains ports, behaviours and counts.

local cjson = require "cjson"
local cqueues = require "cqueues"
local process = require "spec.support.process"
local socket = require "cqueues.socket"

local PATIENCE = 10 -- seconds for one control request
local PLAIN = { http = true, control = true, elsewhere = true, relay_http = true, narrow_http = true }

local faults = {}

local server = {}
server.__index = server

local function program()
  local folder = debug.getinfo(1, "S").source:match("^@(.*)faults%.lua$")
  return { os.getenv("FAULT_SERVER_LUA") or "lua5.4", folder .. "fault_server.lua" }
end

-- cjson reads 80 as 80.0, and no resolver knows such a port.
local function ports_of(ready)
  local ports = {}
  for name, value in pairs(ready) do
    ports[name] = type(value) == "number" and math.floor(value) or nil
  end
  return ports
end

local function start(self)
  self.process = process.start { command = program(), ready = "^({.*})$" }
  local ready = cjson.decode(self.process.captured)
  self.ca_file, self.http2, self.ports = ready.ca_file, ready.http2, ports_of(ready)
  return self
end

--- Starts a server in a process of its own.
---@return table server  with ca_file, http2 (whether it can) and ports
function faults.start()
  return start(setmetatable({}, server))
end

--- One for all the tests of the `describe` in which it is called. It starts before the
--- first of them, and counts from 0 at each.
---@return table server
function faults.serve()
  local self, busted = setmetatable({}, server), require "busted"
  busted.setup(function() start(self) end)
  busted.teardown(function() self:stop() end)
  busted.before_each(function() self:reset() end)
  return self
end

--- One that another process has started, to be asked.
---@param control integer  its port
---@return table server
function faults.at(control)
  return setmetatable({ ports = { control = control } }, server)
end

--- The base URL of a port by its name, e.g. "http", "https", "expired".
---@param name string
---@param scheme string?  for the ports that speak neither, as "silent" and "refused"
---@return string
function server:url(name, scheme)
  local port = assert(self.ports[name], "no such port: " .. name)
  return ("%s://127.0.0.1:%d"):format(scheme or PLAIN[name] and "http" or "https", port)
end

local function read_reply(connection)
  local status, length = connection:read("*l"):match("^HTTP/1.1 (%d+)"), nil
  for line in connection:lines("*l") do
    line = line:gsub("\r$", "")
    if line == "" then
      break
    end
    length = line:match("^content%-length: (%d+)") or length
  end
  return status, connection:read(tonumber(length))
end

local function ask(self, method, path, body)
  local connection = assert(socket.connect("127.0.0.1", self.ports.control))
  connection:settimeout(PATIENCE)
  connection:setmode("b", "bf")
  connection:write(("%s %s HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n\r\n%s"):format(
    method, path, #body, body))
  connection:flush()
  local status, answer = read_reply(connection)
  connection:close()
  assert(status == "200", answer)
  return cjson.decode(answer)
end

--- Everything counted since the start or the last reset.
---@return table
function server:counts()
  return ask(self, "GET", "/counts", "")
end

--- The same without the bodies, for the many.
---@return table
function server:tally()
  return ask(self, "GET", "/counts?bodies=no", "")
end

--- The tally when all that clients ever sent has been read: when the last of their
--- connections has ended.
---@return table
function server:last_tally()
  local deadline, quiet = cqueues.monotime() + PATIENCE, 0
  local tally
  repeat -- more than once: one may have been made that was not accepted yet
    tally = self:tally()
    quiet = tally.open == 0 and quiet + 1 or 0
    assert(cqueues.monotime() < deadline, "connections are still open")
  until quiet == 3
  return tally
end

--- When each request was complete, in monotonic seconds, in order.
---@return number[]
function server:arrivals()
  return ask(self, "GET", "/arrivals", "").arrivals
end

--- Every behaviour by name: { place, stage, only, waits }.
---@return table
function server:behaviours()
  return ask(self, "GET", "/behaviours", "")
end

--- Counts from 0 again, and nothing is armed any more.
function server:reset()
  ask(self, "POST", "/reset", "")
end

--- What comes next gets this behaviour, whatever its path says.
---@param behaviour string
---@param times integer?  1 unless said
function server:arm(behaviour, times)
  ask(self, "POST", "/arm", cjson.encode { behaviour = behaviour, times = times or 1 })
end

--- The same for so many seconds.
---@param behaviour string
---@param seconds number
function server:arm_for(behaviour, seconds)
  ask(self, "POST", "/arm", cjson.encode { behaviour = behaviour, times = 1000000, seconds = seconds })
end

--- What has stopped reading reads on.
function server:resume()
  ask(self, "POST", "/resume", "")
end

--- For so many seconds new connections through the relays are dead too.
---@param seconds number
---@return integer connections
function server:swallow(seconds)
  return ask(self, "POST", "/swallow", cjson.encode { seconds = seconds }).frozen
end

--- New connections through the relays take so many seconds before anything comes on them.
---@param seconds number
function server:delay(seconds)
  ask(self, "POST", "/delay", cjson.encode { seconds = seconds })
end

--- What is open through the relays now stays open and is dead.
---@return integer connections
function server:freeze()
  return ask(self, "POST", "/freeze", "").frozen
end

--- Resets all connections, and nothing listens for so long; without `seconds` until
--- come_back.
---@param seconds number?
function server:go_away(seconds)
  ask(self, "POST", "/away", cjson.encode { seconds = seconds or cjson.null })
end

function server:come_back()
  ask(self, "POST", "/away", cjson.encode { seconds = 0 })
end

function server:stop()
  self.process:stop()
end

return faults
