---A local server that stands in for Connectly in tests: it answers every request as the
---API's pages describe, keeps the 24-hour window, posts signed webhooks about the messages,
---and fails on demand. It delivers no message.
---
---  local sandbox = require("connectly.sandbox").new({ port = 0 })
---  assert(sandbox:listen())
---  print(sandbox:base_url())
---  sandbox:run()
---
---Routes under /_sandbox/ control it; examples/sandbox/README.md lists them, and the
---numbers and template names that always fail in the same way. `connectly sandbox --magic`
---prints those numbers and names.

local cqueues = require "cqueues"
local http_server = require "http.server"
local yieldable_pcall = require("http.util").yieldable_pcall

local address = require "connectly.sandbox.check.address"
local answer = require "connectly.sandbox.http.answer"
local business = require "connectly.sandbox.api.business"
local certificate = require "connectly.sandbox.http.certificate"
local exchange = require "connectly.sandbox.http.exchange"
local new_context = require "connectly.sandbox.http.server_context"
local new_poster = require("connectly.sandbox.webhooks.poster").new
local new_rate = require("connectly.sandbox.state.rate").new
local new_store = require("connectly.sandbox.state.store").new
local routes = require "connectly.sandbox.api.routes"
local webhooks = require "connectly.sandbox.api.webhooks"

local idle_timeout = 120 -- seconds that a connection may be idle between requests

---@class connectly.sandbox
---@field store connectly.sandbox.store
---@field poster connectly.sandbox.poster
---@field rate connectly.sandbox.rate
---@field ca_file string|nil  with TLS, after `listen`: the certificate that clients must trust
local sandbox = {}
sandbox.__index = sandbox
sandbox.__name = "connectly.sandbox"

---@class connectly.sandbox.options
---@field host string|nil  default "127.0.0.1"
---@field port integer|nil  0 or nil: a free port
---@field api_key string|nil  default "sandbox-key"
---@field business_id string|nil  default "sandbox-business"
---@field sender string|nil  the sender of requests that name none
---@field templates connectly.sandbox.template[]|nil  in addition to the built-in ones
---@field tls boolean|nil
---@field certificates string|nil  directory for ca.pem; required with tls
---@field http1 boolean|nil  true: no HTTP/2
---@field log fun(line: string)|nil  called for each request
---@field rate_limit boolean|nil  true: answers 429 above 200 sends or 100 asset calls in any second
---@field webhook string|nil  address that is registered for all topics from the start
---@field webhook_secret string|nil  signs the webhooks; default "sandbox-secret"
---@field webhook_retries integer|nil  retries after any answer but 200; default 5
---@field webhook_backoff number|nil  seconds before the first retry, doubled for each further one; default 0.25
---@field webhook_timeout number|nil  seconds for one request; default 5
---@field webhook_pace number|nil  seconds before each webhook of a message; default 0.1

--- A wall clock with fractions of a second. It reads the system's clock only once, so that
--- setting that clock does not change the 24-hour windows.
local function new_wall_clock()
  local offset = os.time() - cqueues.monotime()
  return function()
    return cqueues.monotime() + offset
  end
end

local function ignore() end

local function webhook_settings(options)
  return {
    secret = options.webhook_secret, retries = options.webhook_retries, backoff = options.webhook_backoff,
    timeout = options.webhook_timeout, pace = options.webhook_pace,
  }
end

local function new_poster_of(self, options)
  return new_poster({
    beside = function(task)
      self:beside(task)
    end,
    find_webhook = function(event)
      return self.store.webhooks:receiver(event)
    end,
    log = self.log,
    now = function()
      return self.store:now()
    end,
    settings = webhook_settings(options),
  })
end

local function check_webhook(text)
  local _, reason = address.parse(text)
  if reason then
    error("webhook: " .. reason, 3)
  end
end

---Creates a sandbox. It accepts no connection before `listen`.
---@param options connectly.sandbox.options|nil
---@return connectly.sandbox sandbox
local function new(options)
  options = options or {}
  if options.webhook then
    check_webhook(options.webhook)
  end
  local self = setmetatable({
    api_key = options.api_key or "sandbox-key",
    business_id = options.business_id or "sandbox-business",
    certificates = options.certificates,
    host = options.host or "127.0.0.1",
    http_version = options.http1 and 1.1 or nil,
    log = options.log or ignore,
    rate = new_rate(cqueues.monotime, options.rate_limit or false),
    sender = options.sender or "+14155550100",
    store = new_store({ now = new_wall_clock(), templates = options.templates }),
    tls = options.tls and true or false,
    wanted_port = options.port or 0,
    webhook = options.webhook,
  }, sandbox)
  self.poster = new_poster_of(self, options)
  self:furnish()
  return self
end

--- Adds the initial report and webhooks; the store has the built-in templates and campaigns.
function sandbox:furnish()
  business.run_report(self.store, {})
  if self.webhook then
    webhooks.replace(self.store, { "messages", "delivery_status", "report" }, self.webhook)
  end
end

---Resets everything to the state after `new`.
function sandbox:reset()
  self.store:reset()
  self.rate:reset()
  self.poster:reset()
  self:furnish()
end

--- Answers a request; an error in the sandbox itself becomes a 500.
function sandbox:answer(request)
  local ok, given = pcall(routes.answer, self, request)
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

---Binds the port. From then on connections are accepted; `run` answers the requests.
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

---Returns the port, after `listen`.
---@return integer
function sandbox:port()
  local _, _, port = self.server:localname()
  return math.floor(port)
end

---Returns the URL for a client's option `base_url`, after `listen`.
---@return string
function sandbox:base_url()
  local host = self.host:find(":", 1, true) and "[" .. self.host .. "]" or self.host
  return ("%s://%s:%d"):format(self.tls and "https" or "http", host, self:port())
end

--- Runs a function in a coroutine of the server's loop. After `close` it does nothing.
---@param task fun()
function sandbox:beside(task)
  if self.server and self.server.cq then
    self.server.cq:wrap(task)
  end
end

---Answers requests until `close`. A coroutine that fails is logged and ended; the others
---continue.
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

---Ends `run`. Outside of `run`, frees the port at once.
function sandbox:close()
  self.closing = true
  if self.server and not cqueues.running() then
    self.server:close()
  end
end

return { new = new }
