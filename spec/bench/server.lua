--- The TLS server of the benchmarks: nginx if it is installed, because it has the least
--- overhead; otherwise this library's sandbox. It speaks HTTP/1.1 and HTTP/2, answers every POST
--- with an id, and closes a connection after 1000 requests, which is nginx's default.

local process = require "spec.support.process"
local shell = require "spec.bench.shell"

local ATTEMPTS = 5 -- at a free port

local server = {}

local config = [[
daemon off;
master_process off;
pid %s/nginx.pid;
events { worker_connections 512; }
http {
  access_log off;
  http2_max_concurrent_streams 128;
  client_body_temp_path %s/body;
  proxy_temp_path %s/proxy;
  fastcgi_temp_path %s/fastcgi;
  uwsgi_temp_path %s/uwsgi;
  scgi_temp_path %s/scgi;
  default_type application/json;
  server {
    listen 127.0.0.1:%d ssl http2;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate %s/server.pem;
    ssl_certificate_key %s/server.key;
    location / { return 200 '{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV"}'; }
  }
}
]]

local certificates = [[
cd %s
exec 2>certificates.log
key() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" || \
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }
key ca.key && key server.key &&
openssl req -x509 -new -key ca.key -days 2 -subj "/CN=connectly benchmark" -out ca.pem &&
openssl req -new -key server.key -subj /CN=localhost -out server.csr &&
printf 'subjectAltName=DNS:localhost\n' >server.ext &&
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile server.ext -out server.pem]]

local waiting = [[i=0; until curl -sS -o %s -d {} --cacert %s %s
do i=$((i + 1)); [ $i -lt 30 ] || exit 1; sleep 0.1; done]]

local function answers(url, folder)
  return shell.try(waiting:format("/dev/null", shell.quote(folder .. "/ca.pem"), url))
end

local function write_config(folder, port)
  local filled = config:gsub("%%s", (folder:gsub("%%", "%%%%"))):gsub("%%d", tostring(port))
  shell.write(folder .. "/nginx.conf", filled)
end

local function run_nginx(folder, port)
  write_config(folder, port)
  local command = ("echo starting; exec nginx -p %s -c nginx.conf -e error.log 2>/dev/null"):format(shell.quote(folder))
  return process.start({ command = { "sh", "-c", command }, ready = "^starting$" })
end

--- ca.pem, server.pem and server.key for localhost, in that folder.
---@param folder string
function server.make_certificates(folder)
  shell.read("(" .. certificates:format(shell.quote(folder)) .. ")")
end

local function start_nginx(folder)
  server.make_certificates(folder)
  math.randomseed(os.time())
  for _ = 1, ATTEMPTS do
    local port = math.random(20000, 30000)
    local running, url = run_nginx(folder, port), "https://localhost:" .. port
    if answers(url, folder) then
      return { process = running, name = "nginx", url = url, ca_file = folder .. "/ca.pem" }
    end
    running:stop()
  end
  error("nginx did not start: see its error.log", 0)
end

local function start_sandbox()
  local sandbox = require("spec.support.sandbox").start({
    tls = true, host = "localhost", api_key = "key", business_id = "business",
  })
  return { process = sandbox.process, name = "the sandbox", url = sandbox.base_url, ca_file = sandbox.ca_file }
end

--- A directory of certificates, hashed, that holds the one to trust.
---@param folder string
---@param running table  a server that was started
---@return string
function server.trust_directory(folder, running)
  local directory = folder .. "/trust"
  local ca_file = shell.quote(running.ca_file)
  shell.read(("mkdir %s && cp %s %s/$(openssl x509 -hash -noout -in %s).0"):format(
    shell.quote(directory), ca_file, shell.quote(directory), ca_file))
  return directory
end

--- Starts one; its `process` is to be stopped.
---@param folder string  an empty one, by its absolute path
---@return { process: table, name: string, url: string, ca_file: string }
function server.start(folder)
  if shell.try("command -v nginx && command -v openssl") then
    return start_nginx(folder)
  end
  return start_sandbox()
end

return server
