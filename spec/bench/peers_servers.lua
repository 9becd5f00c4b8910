--- The servers of peers.lua, from Debian's packages. Each accepts HTTP/2 over TLS and forwards
--- the requests to a backend over plain HTTP/1.1. None repeats a request.
---
--- Each logs the client port of every request, from which peers.lua counts connections.

local cqueues = require "cqueues"
local nginx = require "spec.support.nginx"
local ports = require "spec.support.ports"
local process = require "spec.support.process"
local shell = require "spec.bench.shell"
local sockets = require "spec.support.sockets"

local ATTEMPTS = 5 -- at a free port
local PATIENCE = 10 -- seconds for a start
local PAUSE = 0.05

local nginx_http = [[
  log_format port $remote_port;
  http2_max_concurrent_streams $STREAMS;
  keepalive_requests $REQUESTS;
  upstream backend { server 127.0.0.1:$BACKEND; keepalive 256; keepalive_requests 1000000000; }
]]

local nginx_server = [[
  listen 127.0.0.1:$PORT ssl http2;
  ssl_certificate $CERTIFICATES/server.pem;
  ssl_certificate_key $CERTIFICATES/server.key;
  access_log $FOLDER/ports.log port;
  location / {
    proxy_pass http://backend;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_next_upstream off;
  }
]]

local haproxy = [[
global
  log stdout format raw local0
  tune.h2.max-concurrent-streams $STREAMS
.if version_atleast(3.0)
  tune.h2.fe.max-total-streams $REQUESTS
.endif
defaults
  mode http
  log global
  log-format "%cp"
  retries 0
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend client
  bind 127.0.0.1:$PORT ssl crt $FOLDER/server.pem alpn h2,http/1.1
  default_backend backend
backend backend
  server one 127.0.0.1:$BACKEND
]]

local apache = [[
ServerRoot $FOLDER
DefaultRuntimeDir $FOLDER
PidFile $FOLDER/apache.pid
ServerName localhost
ErrorLog $FOLDER/error.log
LogFormat "%{remote}p" port
CustomLog $FOLDER/ports.log port
LoadModule mpm_event_module $MODULES/mod_mpm_event.so
LoadModule authz_core_module $MODULES/mod_authz_core.so
LoadModule ssl_module $MODULES/mod_ssl.so
LoadModule http2_module $MODULES/mod_http2.so
LoadModule proxy_module $MODULES/mod_proxy.so
LoadModule proxy_http_module $MODULES/mod_proxy_http.so
$USER
ThreadsPerChild 64
MaxRequestWorkers 512
MaxKeepAliveRequests $REQUESTS
H2MaxSessionStreams $STREAMS
Listen 127.0.0.1:$PORT
Protocols h2 http/1.1
SSLEngine on
SSLSessionCache none
SSLCertificateFile $CERTIFICATES/server.pem
SSLCertificateKeyFile $CERTIFICATES/server.key
ProxyPass / http://127.0.0.1:$BACKEND/ max=256
]]

local nghttpx = [[
frontend=127.0.0.1,$PORT
backend=127.0.0.1,$BACKEND;;proto=http/1.1
certificate-file=$CERTIFICATES/server.pem
private-key-file=$CERTIFICATES/server.key
no-ocsp=yes
workers=2
frontend-http2-max-concurrent-streams=$STREAMS
frontend-max-requests=$REQUESTS
accesslog-file=$FOLDER/ports.log
accesslog-format=$remote_port
errorlog-file=$FOLDER/error.log
]]

local function fill(text, values)
  return (text:gsub("%$(%u+)", values))
end

local function wait_until_it_answers(port)
  local deadline = cqueues.monotime() + PATIENCE
  while not sockets.answers(port, PATIENCE) do
    if cqueues.monotime() > deadline then
      return false
    end
    cqueues.sleep(PAUSE)
  end
  return true
end

--- Writes its configuration and starts it in the foreground; the shell becomes the server,
--- so the number that it prints is the server's.
local function run(config, command)
  return function(values)
    shell.write(values.FOLDER .. "/config", fill(config, values))
    local line = ("echo $$; exec %s >>%s 2>&1"):format(fill(command, values), shell.quote(values.FOLDER .. "/output.log"))
    local running = process.start { command = { "sh", "-c", line }, ready = "^(%d+)$" }
    return { pid = tonumber(running.captured), stop = function() running:stop() end }
  end
end

local function run_nginx(values)
  local running = nginx.start {
    workers = 2, http = fill(nginx_http, values), server = fill(nginx_server, values),
  }
  return { pid = running.master, stop = function() running:stop() end, log = function() return running:log() end }
end

local function prepare_haproxy(values)
  shell.read(fill("cat $CERTIFICATES/server.pem $CERTIFICATES/server.key >$FOLDER/server.pem", values))
end

--- As root it serves as another user, which it wants to be told.
local function prepare_apache(values)
  values.MODULES = "/usr/lib/apache2/modules"
  values.USER = shell.read("id -u") == "0" and "User www-data\nGroup www-data" or ""
end

local servers = {
  nginx = { program = "nginx", package = "nginx", signal = "HUP", run = run_nginx, unlimited = 1000000000 },
  haproxy = {
    program = "haproxy", package = "haproxy", signal = "USR2", prepare = prepare_haproxy,
    run = run(haproxy, "haproxy -W -f $FOLDER/config"), unlimited = 0,
  },
  apache = {
    program = "apache2", package = "apache2", signal = "USR1", prepare = prepare_apache,
    run = run(apache, "apache2 -DFOREGROUND -f $FOLDER/config"), unlimited = 0,
  },
  nghttpx = {
    program = "nghttpx", package = "nghttp2-proxy", signal = "HUP",
    run = run(nghttpx, "nghttpx --conf=$FOLDER/config"), unlimited = 1000000000,
  },
}

local server = {}
server.__index = server

local function try(kind, options)
  local folder, port = shell.read("mktemp -d " .. shell.quote(options.folder .. "/XXXXXX")), ports.free()
  local values = {
    FOLDER = folder, PORT = tostring(port), CERTIFICATES = options.certificates, BACKEND = tostring(options.backend),
    REQUESTS = tostring(options.requests or kind.unlimited), STREAMS = tostring(options.streams or 128),
  }
  if kind.prepare then
    kind.prepare(values)
  end
  local self = setmetatable({ running = kind.run(values), kind = kind, folder = folder, port = port }, server)
  if wait_until_it_answers(port) then
    return self
  end
  self:stop()
  return nil, process.capture("cat " .. shell.quote(folder) .. "/*.log")
end

--- Why a server cannot be started here, or nil.
---@param name string
---@return string?
function servers.missing(name)
  local kind = servers[name]
  if not shell.try("PATH=$PATH:/usr/sbin command -v " .. kind.program) then
    return "needs the package " .. kind.package
  end
end

--- Starts one on a free port; to be stopped.
---@param name string  nginx, haproxy, apache or nghttpx
---@param options { folder: string, certificates: string, backend: integer, requests: integer?, streams: integer? }
---@return table server  with its port
function servers.start(name, options)
  local problem
  for _ = 1, ATTEMPTS do
    local self
    self, problem = try(servers[name], options)
    if self then
      return self
    end
  end
  error(("%s did not start: %s"):format(name, problem), 0)
end

--- From now on it is told every `interval` seconds to read its configuration anew, and
--- lets old connections end in their own time.
function server:keep_reloading(interval)
  local line = "echo reloading; while sleep %g; do kill -s %s %d || exit 1; done"
  self.reloading = process.start {
    command = { "sh", "-c", line:format(interval, self.kind.signal, self.running.pid) }, ready = "^reloading$",
  }
end

--- How many connections carried a request.
---@return integer
function server:connections()
  local logs = shell.quote(self.folder) .. "/*.log"
  return tonumber(process.capture(("cat %s | grep -Ex '[0-9]+' | sort -u | wc -l"):format(logs)))
end

--- Ends it at once. May be called again.
function server:stop()
  if self.reloading then
    self.reloading:stop()
  end
  self.running.stop()
end

return servers
