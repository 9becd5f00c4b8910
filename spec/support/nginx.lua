--- A real nginx with its Lua module, for specs.
---
---   local nginx = require "spec.support.nginx"
---   local server = nginx.start {
---     workers = 2, http = "lua_shared_dict seen 1m;",
---     server = "location / { content_by_lua_block { ngx.say(ngx.worker.id()) } }",
---   }
---   local status, body, headers = server:request { path = "/" }
---   server:stop()
---
--- `main`, `http` and `server` are nginx configuration. The server uses the library of this work
--- tree. Requests can be made inside a cqueues controller, many at once, or outside of one.

local cqueues = require "cqueues"
local errno = require "cqueues.errno"
local ports = require "spec.support.ports"
local process = require "spec.support.process"
local socket = require "cqueues.socket"
local sockets = require "spec.support.sockets"

local ATTEMPTS = 5 -- at a free port
local PATIENCE = 10 -- seconds for a start, an end, a request
local PAUSE = 0.02 -- seconds between two looks

local nginx = {}

local server = {}
server.__index = server

local config = [[
daemon off;
worker_processes $workers;
$user
pid $folder/nginx.pid;
error_log $folder/error.log info;
$modules
$main
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path $folder/body;
  proxy_temp_path $folder/proxy;
  fastcgi_temp_path $folder/fastcgi;
  uwsgi_temp_path $folder/uwsgi;
  scgi_temp_path $folder/scgi;
  lua_package_path "$tree/lua/?.lua;$tree/lua/?/init.lua;;";
  lua_package_cpath "$tree/$build/5.1/?.so;;";
  $http
  server {
    listen 127.0.0.1:$port backlog=4096;
    $server
  }
}
]]

-- Debian has them apart, OpenResty built in. The order matters.
local modules = { "/usr/lib/nginx/modules/ndk_http_module.so", "/usr/lib/nginx/modules/ngx_http_lua_module.so" }

-- The interpreter of the specs is another than nginx's: its paths stay its own.
local command = "echo starting; exec env -u LUA_PATH -u LUA_CPATH -u LUA_INIT nginx -p %s -c nginx.conf -e error.log 2>/dev/null"

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read("*a")
  return file and file:close() and text or ""
end

local function load_modules()
  local lines = {}
  for _, path in ipairs(modules) do
    local file = io.open(path, "rb")
    lines[#lines + 1] = file and file:close() and ("load_module %s;"):format(path) or nil
  end
  return table.concat(lines, "\n")
end

local function write_config(folder, port, options)
  local values = {
    folder = folder, port = tostring(port), workers = tostring(options.workers or 1), modules = load_modules(),
    tree = process.capture("pwd"):match("^[^\n]+"), build = os.getenv("BUILD") or "build",
    -- Its workers would else be of a user who cannot read the work tree.
    user = process.capture("id -u"):match("^0%s") and "user root;" or "",
    main = options.main or "", http = options.http or "", server = options.server or "",
  }
  local file = assert(io.open(folder .. "/nginx.conf", "wb"))
  assert(file:write((config:gsub("%$(%l+)", values))))
  file:close()
end

--- Calls a question until it is answered by something true; nil when it takes too long.
local function wait_for(question)
  local deadline = cqueues.monotime() + PATIENCE
  while cqueues.monotime() < deadline do
    local answer = question()
    if answer then
      return answer
    end
    cqueues.sleep(PAUSE)
  end
end

--- nil when it runs, or what it says of why not.
local function failure(self)
  return wait_for(function()
    if self:log():find("[emerg]", 1, true) then
      return self:log()
    end
    self.master = tonumber(read(self.folder .. "/nginx.pid"))
    return self.master and sockets.answers(self.port, PATIENCE) and "none"
  end) or "it does not answer:\n" .. self:log()
end

local function try(options)
  local folder = process.capture("mktemp -d"):match("^%S+")
  local port = ports.free()
  write_config(folder, port, options)
  local started = process.start { command = { "sh", "-c", command:format(process.quote(folder)) }, ready = "^starting$" }
  local self = setmetatable({ process = started, folder = folder, port = port }, server)
  self.url = "http://127.0.0.1:" .. port
  local problem = failure(self)
  if problem == "none" then
    return self
  end
  self:stop()
  return nil, problem
end

--- Starts one on a free port of the loopback, in a folder of its own.
---@param options { workers: integer?, main: string?, http: string?, server: string? }
---@return table server  with port, url, folder, master (a pid)
function nginx.start(options)
  local problem
  for _ = 1, ATTEMPTS do
    local self
    self, problem = try(options)
    if self or not problem:find("Address already in use", 1, true) then
      return self or error("nginx did not start: " .. problem, 2)
    end
  end
  error("nginx found no free port: " .. problem, 2)
end

local function write_request(connection, request)
  local body, headers = request.body or "", request.headers or {}
  local lines = { ("%s %s HTTP/1.1"):format(request.method or "GET", request.path or "/"), "Host: localhost" }
  lines[#lines + 1] = "Connection: close"
  -- A body in chunks is given as such.
  lines[#lines + 1] = request.body and not headers["Transfer-Encoding"] and "Content-Length: " .. #body or nil
  for name, value in pairs(headers) do
    lines[#lines + 1] = name .. ": " .. value
  end
  -- A server that has refused may read no more: what it said is what counts.
  connection:write(table.concat(lines, "\r\n"), "\r\n\r\n", body)
  connection:flush()
end

local function read_line(connection)
  local line = connection:read("*l")
  return line and line:gsub("\r$", "")
end

local function read_headers(connection)
  local headers = {}
  for line in function() return read_line(connection) end do
    if line == "" then
      break
    end
    local name, value = line:match("^([^:]+):%s*(.*)$")
    headers[name:lower()] = value
  end
  return headers
end

local function read_chunks(connection)
  local chunks = {}
  while true do
    local size = tonumber(assert(read_line(connection), "the reply broke off"):match("^%x+"), 16)
    if size == 0 then
      return table.concat(chunks)
    end
    chunks[#chunks + 1] = assert(connection:read(size))
    read_line(connection)
  end
end

local function read_reply(connection)
  local status = (read_line(connection) or ""):match("^HTTP/1.1 (%d+)")
  if not status then
    return nil, "the connection was closed without a reply"
  end
  local headers = read_headers(connection)
  if headers["transfer-encoding"] == "chunked" then
    return tonumber(status), read_chunks(connection), headers
  end
  return tonumber(status), connection:read("*a") or "", headers
end

--- One request on a connection of its own.
---@param request { method: string?, path: string?, headers: table?, body: string?, timeout: number? }
---@return integer? status  nil when there was no reply
---@return string body  or why there was none
---@return table<string, string>? headers  by their names in lower case
function server:request(request)
  local connection = sockets.quiet(assert(socket.connect("127.0.0.1", self.port)))
  connection:settimeout(request.timeout or PATIENCE)
  connection:setmode("b", "bf")
  local is_connected, code = connection:connect()
  if not is_connected then
    connection:close()
    return nil, errno.strerror(code)
  end
  write_request(connection, request)
  local status, body, headers = read_reply(connection)
  connection:close()
  return status, body, headers
end

--- What nginx and ngx.log have written.
---@return string
function server:log()
  return read(self.folder .. "/error.log")
end

local children = [[for folder in /proc/[0-9]*; do
  read -r _ _ _ parent _ <$folder/stat && [ "$parent" = %d ] && echo "${folder#/proc/} $(tr '\0' ' ' <$folder/cmdline)"
done 2>/dev/null]]

--- The workers there are now.
---@return integer[] serving  pids
---@return integer[] leaving  pids of those that are shutting down
function server:workers()
  local serving, leaving = {}, {}
  for pid, title in process.capture(children:format(self.master)):gmatch("(%d+) ([^\n]*)") do
    local list = title:find("shutting down", 1, true) and leaving or title:find("worker process", 1, true) and serving or {}
    list[#list + 1] = tonumber(pid)
  end
  return serving, leaving
end

local function signal(pid, name)
  local result = os.execute(("kill -%s %d 2>/dev/null"):format(name, pid))
  return result == true or result == 0
end

--- Has the configuration read again; new workers take the place of the old ones,
--- a little later.
function server:reload()
  assert(signal(self.master, "HUP"), "nginx is gone")
end

--- Lets nginx finish what it is at and waits for its end; the log stays until stop.
function server:quit()
  assert(signal(self.master, "QUIT"), "nginx is gone")
  local master = self.master
  local is_gone = wait_for(function() return not signal(master, "0") end)
  assert(is_gone, "nginx did not quit:\n" .. self:log())
  self.process:stop()
end

--- Ends it at once and removes its folder. May be called again.
function server:stop()
  self.process:stop()
  os.execute("rm -rf " .. process.quote(self.folder))
end

return nginx
