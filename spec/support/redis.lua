--- A real Redis for specs: on a free loopback port, in a folder of its own, with a password. By
--- default it keeps no data over a restart.
---
---   local redis = require "spec.support.redis"
---   local server = redis.start()
---   ... { host = "127.0.0.1", port = server.port, password = server.password } ...
---   server:kill() server:restart() server:stop()

local ports = require "spec.support.ports"
local process = require "spec.support.process"

local ATTEMPTS = 5 -- at a free port
local PASSWORD = "correct horse"

local redis = {}

local server = {}
server.__index = server

-- Debian's is to write to its log alone when it is not in a terminal.
local command = "exec redis-server --port %d --bind 127.0.0.1 --dir %s --requirepass %s --save '' --appendonly %s "
  .. "--appendfsync always --daemonize no --logfile '' --enable-debug-command yes 2>&1"

local function run(self)
  local line = command:format(self.port, process.quote(self.folder), process.quote(PASSWORD), self.keeps and "yes" or "no")
  self.process = process.start { command = { "sh", "-c", line }, ready = "Ready to accept connections" }
end

--- @param options { keeps: boolean? }?  keeps: what it knows survives a restart
--- @return table server  with port, password
function redis.start(options)
  local problem
  for _ = 1, ATTEMPTS do
    local self = setmetatable({ port = ports.free(), password = PASSWORD, keeps = options and options.keeps }, server)
    self.folder = process.capture("mktemp -d"):match("^%S+")
    local is_started
    is_started, problem = pcall(run, self)
    if is_started then
      return self
    end
    os.execute("rm -rf " .. process.quote(self.folder))
  end
  error(problem, 2)
end

--- One command by redis-cli: what it printed.
function server:ask(...)
  local words = { "REDISCLI_AUTH=" .. process.quote(self.password), "redis-cli -p", tostring(self.port) }
  for _, word in ipairs { ... } do
    words[#words + 1] = process.quote(tostring(word))
  end
  return (process.capture(table.concat(words, " ") .. " 2>&1"):gsub("\n$", ""))
end

local function signal(self, name)
  os.execute(("kill -%s %s 2>/dev/null"):format(name, self.pid))
end

--- The server's own pid: process.pid is that of what limits its life.
local function find_pid(self)
  self.pid = assert(self:ask("INFO", "server"):match("process_id:(%d+)"), "redis does not answer")
end

--- Ends it at once, as a machine that loses its power does.
function server:kill()
  find_pid(self)
  signal(self, "KILL")
  self.process:stop()
end

--- Starts it again after kill, on the same port.
function server:restart()
  run(self)
end

--- It stops in its tracks: connections stay, and nothing answers.
function server:freeze()
  find_pid(self)
  signal(self, "STOP")
end

function server:thaw()
  signal(self, "CONT")
end

--- Ends it and removes its folder. May be called again.
function server:stop()
  if self.pid then
    signal(self, "CONT")
  end
  self.process:stop()
  os.execute("rm -rf " .. process.quote(self.folder))
end

return redis
