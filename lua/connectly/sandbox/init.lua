--- A Connectly on your own machine: a server that checks send requests as the
--- API's pages describe, answers with message ids, and delivers nothing.
---
---   local sandbox = require("connectly.sandbox").new({ port = 0 })
---   assert(sandbox:listen())
---   print(sandbox:base_url())
---   sandbox:run()
---
--- Its own knobs (deliveries, scripted replies, inbound messages, the clock)
--- are routes under /_sandbox/, see connectly.sandbox.routes.

local cqueues = require "cqueues"
local http_server = require "http.server"
local http_tls = require "http.tls"
local ssl_context = require "openssl.ssl.context"
local yieldable_pcall = require("http.util").yieldable_pcall

local answer = require "connectly.sandbox.answer"
local certificate = require "connectly.sandbox.certificate"
local exchange = require "connectly.sandbox.exchange"
local route = require "connectly.sandbox.routes"
local new_store = require("connectly.sandbox.store").new

local idle_timeout = 120 -- seconds a connection may rest between requests

---@class connectly.sandbox
---@field store connectly.sandbox.store
---@field ca_file string|nil  what clients must trust, once listening with TLS
local sandbox = {}
sandbox.__index = sandbox
sandbox.__name = "connectly.sandbox"

---@class connectly.sandbox.options
---@field host string|nil  "127.0.0.1" when absent
---@field port integer|nil  0, or absent: the system picks one
---@field api_key string|nil  "sandbox-key" when absent
---@field business_id string|nil  "sandbox-business" when absent
---@field sender string|nil  the number used when a request names no sender
---@field templates connectly.sandbox.template[]|nil  besides the ready ones
---@field tls boolean|nil
---@field certificates string|nil  directory of ca.pem; required with tls
---@field http1 boolean|nil  true: no HTTP/2
---@field log fun(line: string)|nil  told of each request

--- Wall time with fractions: the system's clock only once, so that it cannot
--- be set back underneath the 24-hour windows.
local function new_wall_clock()
  local offset = os.time() - cqueues.monotime()
  return function()
    return cqueues.monotime() + offset
  end
end

local function ignore() end

---@param options connectly.sandbox.options|nil
---@return connectly.sandbox
local function new(options)
  options = options or {}
  return setmetatable({
    api_key = options.api_key or "sandbox-key",
    business_id = options.business_id or "sandbox-business",
    certificates = options.certificates,
    host = options.host or "127.0.0.1",
    http_version = options.http1 and 1.1 or nil,
    log = options.log or ignore,
    sender = options.sender or "+14155550100",
    store = new_store({ now = new_wall_clock(), templates = options.templates }),
    tls = options.tls and true or false,
    wanted_port = options.port or 0,
  }, sandbox)
end

local function offers(protocols, wanted)
  for _, protocol in ipairs(protocols) do
    if protocol == wanted then
      return wanted
    end
  end
end

local function select_protocol(_, protocols, http_version)
  return http_version == nil and offers(protocols, "h2") or offers(protocols, "http/1.1")
end

local function new_context(leaf, http_version)
  local context = http_tls.new_server_context()
  context:setOptions(ssl_context.OP_NO_TLSv1 + ssl_context.OP_NO_TLSv1_1)
  context:setAlpnSelect(select_protocol, http_version)
  context:setPrivateKey(leaf.key)
  context:setCertificate(leaf.certificate)
  return context
end

--- The answer to a request, whatever happens on the way to it.
function sandbox:answer(request)
  local ok, given = pcall(route, self, request)
  if ok then
    return given
  end
  self.log("error: " .. tostring(given))
  return answer.refuse(500, "the sandbox failed: " .. tostring(given))
end

local malformed = answer.refuse(400, "malformed request")

--- Some malformed headers make lua-http raise instead of return.
local function read_request(stream)
  local ok, request, reason = yieldable_pcall(exchange.read, stream)
  if ok then
    return request, reason
  end
  return nil, "malformed"
end

function sandbox:serve(stream)
  local request, reason = read_request(stream)
  if not request then
    return exchange.refuse(stream, reason, malformed)
  end
  local given = self:answer(request)
  self.log(("%s %s %d"):format(request.method, request.path, given.status))
  exchange.write(stream, request, given)
end

function sandbox:prepare_tls()
  if not self.tls then
    return true
  end
  assert(self.certificates, "certificates: a directory is required with tls")
  local leaf, reason = certificate.obtain(self.certificates)
  if not leaf then
    return nil, reason
  end
  self.ca_file = leaf.ca_file
  self.context = new_context(leaf, self.http_version)
  return true
end

function sandbox:new_server()
  return http_server.listen({
    host = self.host,
    port = self.wanted_port,
    tls = self.tls,
    ctx = self.context,
    version = self.http_version,
    onstream = function(_, stream)
      self:serve(stream)
    end,
    onerror = function(_, _, operation, reason)
      self.log(("error: %s: %s"):format(operation, tostring(reason)))
    end,
  })
end

--- Binds the port. After this requests are accepted, and answered in `run`.
---@return true|nil
---@return string|nil reason
function sandbox:listen()
  local ready, trouble = self:prepare_tls()
  if not ready then
    return nil, trouble
  end
  local server, reason = self:new_server()
  if not server then
    return nil, reason
  end
  local bound, refusal = server:listen()
  if not bound then
    return nil, refusal
  end
  server.intra_stream_timeout = idle_timeout
  self.server = server
  return true
end

--- The port, once listening.
---@return integer
function sandbox:port()
  local _, _, port = self.server:localname()
  return math.floor(port)
end

--- What a client takes as base_url.
---@return string
function sandbox:base_url()
  local host = self.host:find(":", 1, true) and "[" .. self.host .. "]" or self.host
  return ("%s://%s:%d"):format(self.tls and "https" or "http", host, self:port())
end

--- Runs a function beside the server, in a coroutine of its loop.
---@param task fun()
function sandbox:beside(task)
  self.server.cq:wrap(task)
end

--- Answers requests until `close`. A coroutine that fails is logged and
--- dropped; the others go on.
function sandbox:run()
  while not self.closing do
    local ok, reason = self.server:step()
    if not ok then
      self.log("error: " .. tostring(reason))
    end
  end
  self.server:close()
end

--- Another name for `run`.
sandbox.loop = sandbox.run

--- Ends `run`; without one, frees the port at once.
function sandbox:close()
  self.closing = true
  if self.server and not cqueues.running() then
    self.server:close()
  end
end

return { new = new }
