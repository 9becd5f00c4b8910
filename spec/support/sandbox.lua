--- Runs a sandbox in a separate process, and controls it, for specs.
---
---   local sandbox = support.start({ tls = true })
---   ... sandbox.base_url, sandbox.api_key, sandbox.business_id, sandbox.ca_file ...
---   sandbox:reply({ status = 429, headers = { ["Retry-After"] = "1" } })
---   sandbox:stop()

local cjson = require "cjson"
local http_request = require "http.request"
local http_tls = require "http.tls"
local process = require "spec.support.process"
local x509 = require "openssl.x509"
local x509_store = require "openssl.x509.store"

local patience = 10 -- seconds for one control request

local sandbox = {}
sandbox.__index = sandbox

local support = {}

--- lua-http is pure Lua but packaged for some Luas only; the specs may run on
--- another Lua than the sandbox, whose modules are then found last.
local packaged = "/usr/share/lua/5.3/?.lua;/usr/share/lua/5.3/?/init.lua;"
  .. "/usr/share/lua/5.1/?.lua;/usr/share/lua/5.1/?/init.lua"

local function module_path()
  local inherited = (os.getenv("LUA_PATH") or ""):gsub(";;", ";")
  return "lua/?.lua;lua/?/init.lua;;" .. packaged .. ";" .. inherited
end

--- The words of a command that runs `connectly`.
---@return string[]
function support.program()
  return {
    "env", "LUA_PATH=" .. (os.getenv("SANDBOX_LUA_PATH") or module_path()),
    "LUA_CPATH=" .. (os.getenv("BUILD") or "build") .. "/5.4/?.so;;",
    os.getenv("SANDBOX_LUA") or "lua5.4", "lua/connectly/cli/main.lua",
  }
end

local flags = { tls = "--tls", http1 = "--http1", rate_limit = "--rate-limit" }
local valued = {
  api_key = "--api-key", business_id = "--business-id", templates = "--templates",
  certificates = "--certificates", host = "--host", port = "--port", webhook = "--webhook",
  webhook_secret = "--webhook-secret", webhook_retries = "--webhook-retries",
}

local function command_line(options)
  local command = support.program()
  if options.trust then
    table.insert(command, 2, "SSL_CERT_FILE=" .. options.trust)
  end
  local function add(...)
    for _, argument in ipairs({ ... }) do
      command[#command + 1] = tostring(argument)
    end
  end
  add("sandbox", "--quiet")
  if not options.port then
    add("--port", 0)
  end
  for name, flag in pairs(flags) do
    if options[name] then
      add(flag)
    end
  end
  for name, option in pairs(valued) do
    if options[name] then
      add(option, options[name])
    end
  end
  return command
end

--- The lines `export CONNECTLY_NAME=value` after the first.
local function read_exports(server, count)
  local exports = {}
  for _ = 1, count do
    local name, value = (server:read_line() or ""):match("^export CONNECTLY_(%u[%u_]*)=(.*)$")
    local quoted = value:match("^'(.*)'$")
    exports[assert(name, "an export line was expected")] = quoted and quoted:gsub("'\\''", "'") or value
  end
  return exports
end

local function trusting(ca_file)
  local file = assert(io.open(ca_file, "r"))
  local store = x509_store.new():add(x509.new(file:read("*a"), "PEM"))
  file:close()
  local context = http_tls.new_client_context()
  context:setStore(store)
  return context
end

--- Starts a sandbox on a free port.
---@param options table|nil  tls, http1, rate_limit, api_key, business_id, templates, certificates, host, port,
--- webhook, webhook_secret, webhook_retries, trust (a CA file for its webhooks)
---@return table sandbox
function support.start(options)
  options = options or {}
  local server = process.start({
    command = command_line(options),
    ready = "^listening on (https?://%S+)$",
  })
  local exports = read_exports(server, options.tls and 5 or 4)
  return setmetatable({
    api_key = exports.API_KEY,
    base_url = exports.BASE_URL,
    business_id = exports.BUSINESS_ID,
    ca_file = exports.CA_FILE,
    context = exports.CA_FILE and trusting(exports.CA_FILE),
    process = server,
    webhook_secret = exports.WEBHOOK_SECRET,
  }, sandbox)
end

function sandbox:new_request(method, path, headers, body)
  local request = http_request.new_from_uri(self.base_url .. path)
  request.ctx = self.context
  request.headers:upsert(":method", method)
  for name, value in pairs(headers or {}) do
    request.headers:upsert(name:lower(), value)
  end
  if body then
    request:set_body(body)
  end
  return request
end

--- Any request. The reply's JSON, when it is that, is in `json`.
---@param options { method: string?, path: string, headers: table?, body: string?, version: number? }
---@return table reply  { status, headers, body, json, http_version }
function sandbox:request(options)
  local request = self:new_request(options.method or "GET", options.path, options.headers, options.body)
  request.version = options.version
  local headers, stream = assert(request:go(patience))
  local body = stream:get_body_as_string(patience)
  local decoded, value = pcall(cjson.decode, body or "")
  local reply = {
    status = tonumber((headers:get(":status"))),
    headers = headers,
    body = body,
    json = decoded and value or nil,
    http_version = stream.connection.version,
  }
  stream:shutdown() -- and with it the connection, which is idle then
  return reply
end

--- A request of the API by the right caller, with a path below the business.
---@param method string
---@param path string
---@param body table|string|nil
---@return table reply
function sandbox:call(method, path, body)
  return self:request({
    method = method,
    path = "/v1/businesses/" .. self.business_id .. path,
    headers = { ["X-API-Key"] = self.api_key },
    body = type(body) == "table" and cjson.encode(body) or body,
  })
end

local function control(self, method, name, body)
  local reply = self:request({
    method = method,
    path = "/_sandbox/" .. name,
    body = body and cjson.encode(body),
  })
  assert(reply.status == 200, reply.body)
  return reply.json
end

--- What was accepted for delivery, oldest first, and the number of all send
--- requests seen.
---@return table[] deliveries
---@return integer requests
function sandbox:deliveries()
  local seen = control(self, "GET", "deliveries")
  return seen.deliveries, seen.requests
end

--- Forgets everything, turns the clock back.
function sandbox:reset()
  control(self, "POST", "reset")
end

--- Scripts what the next send request is answered with.
---@param reply table  status, headers, body, delay, deliver, times, hang_up
function sandbox:reply(reply)
  control(self, "POST", "replies", { replies = { reply } })
end

--- Names a fault that the next requests meet.
---@param fault table  fault, times, operation, delay, code
function sandbox:fault(fault)
  control(self, "POST", "faults", fault)
end

--- Any control route that takes a body.
---@param name string
---@param body table
function sandbox:turn(name, body)
  return control(self, "POST", name, body)
end

--- Every POST of a webhook that was tried, and what is still to come.
---@return table  attempts, settings, waiting, dropped
function sandbox:webhooks()
  return control(self, "GET", "webhooks")
end

--- A customer writes: opens the 24-hour window.
---@param message table  number, sender, text, attachment, button, referral, …
function sandbox:inbound(message)
  control(self, "POST", "inbound", message)
end

---@param template table  name, language, header, body, buttons, cards
function sandbox:template(template)
  control(self, "POST", "templates", template)
end

---@param customer { number: string }
function sandbox:opt_out(customer)
  control(self, "POST", "opt_out", customer)
end

---@param turn { advance: number }  seconds
function sandbox:clock(turn)
  control(self, "POST", "clock", turn)
end

--- Stops the process and waits until it is gone.
function sandbox:stop()
  self.process:stop()
end

return support
