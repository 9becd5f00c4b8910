-- connectly.openresty.webhook: a content handler that receives webhooks.

local checks = require "connectly.options"
local claims = require "connectly.openresty.claims"
local errors = require "connectly.errors"
local webhook = require "connectly.webhook"
local ngx = ngx -- luacheck: ignore 113

local DEDUPE_SECONDS = 86400
local MAX_BODY = 1024 * 1024
local SIGNATURE = "http_" .. webhook.SIGNATURE_HEADER:gsub("-", "_")

local HANDLER = {
  status = "on_status", message = "on_message", button = "on_button", report = "on_report", unknown = "on_unknown",
}

local KNOWN = {
  { "dedupe", "string" }, { "dedupe_seconds", "number" }, { "max_body", "number" }, { "on_button", "function" },
  { "on_event", "function" }, { "on_message", "function" }, { "on_report", "function" }, { "on_status", "function" },
  { "on_unknown", "function" }, { "secret", "string" }, { "secrets", "table" }, { "store", "table" },
}

---- options

local function refuse(param, problem)
  error(errors.config(param, problem), 0)
end

local function check_types(options)
  local name, problem = checks.fault(options, KNOWN, "an unknown one is given; known are %s")
  if name then
    refuse(name, problem)
  end
end

local function check_positive(options, name, default)
  local value = options[name] or default
  if not (value > 0 and value < math.huge) then
    refuse(name, "more than 0 expected")
  end
  return value
end

local function check_handlers(options)
  for name in pairs(options) do
    if name == "store" or name:find("^on_") then
      return
    end
  end
  refuse("on_event", "no handler is given")
end

local function check_store(store)
  if store and type(store.put) ~= "function" then
    refuse("store", "one of connectly.webhook.status_store expected")
  end
  return store
end

local function make_claims(options)
  local seconds = check_positive(options, "dedupe_seconds", DEDUPE_SECONDS)
  if not options.dedupe then
    return nil
  end
  local dict = ngx.shared[options.dedupe]
  return dict and claims.new(dict, seconds) or refuse("dedupe", "there is no lua_shared_dict of this name")
end

---- the request

--- Reads a body that nginx has written to a file. Returns nil and a status when it is too big or
--- cannot be read.
local function read_spooled(path, limit)
  local file, problem = io.open(path, "rb")
  if not file then
    ngx.log(ngx.ERR, "connectly: webhook: cannot read the body: ", problem)
    return nil, ngx.HTTP_INTERNAL_SERVER_ERROR
  end
  local is_small = file:seek("end") <= limit and file:seek("set")
  local body = is_small and file:read("*a")
  file:close()
  return body or nil, 413
end

--- Returns the body; or nil and a status.
local function read_body(limit)
  if (tonumber(ngx.var.content_length) or 0) > limit then
    return nil, 413
  end
  ngx.req.read_body()
  local body, path = ngx.req.get_body_data(), ngx.req.get_body_file()
  if not body and path then
    return read_spooled(path, limit)
  end
  body = body or ""
  return #body <= limit and body or nil, 413
end

---- the event

--- Returns the key for detecting duplicates, because the API may deliver an event more than once:
--- the id and status of a status event; for others, which have no id of their own, a hash of the body.
local function key_of(event)
  local name = event.kind == "status" and event.id and event.id .. ":" .. event.status or ngx.sha1_bin(event.raw)
  return "connectly:webhook:" .. name
end

local function dispatch(self, event)
  local handler = self[HANDLER[event.kind]]
  if handler then
    handler(event)
  end
  if self.on_event then
    self.on_event(event)
  end
end

--- Returns where an error was raised, as file:line. Its text is not logged: it may hold anything.
local function locate()
  local level = 2
  local found = debug.getinfo(level, "Sl")
  while found and found.what == "C" do
    level = level + 1
    found = debug.getinfo(level, "Sl")
  end
  return found and ("%s:%d"):format(found.short_src, found.currentline) or "a place unknown"
end

--- Stores the status. This runs before duplicates are dropped: without `dict` each worker has its
--- own store, which also needs events that another worker has handled. Returns whether it succeeded.
local function remember(store, event)
  local is_fine, place, problem = xpcall(store.put, locate, store, event)
  if not is_fine then
    ngx.log(ngx.ERR, "connectly: webhook: the status store raised an error at ", place)
  elseif problem then
    ngx.log(ngx.WARN, "connectly: webhook: the status store takes no entry: ", tostring(problem))
  end
  return is_fine
end

--- Runs the handlers. Returns the response status.
local function handle(self, event)
  local is_fine, place = xpcall(dispatch, locate, self, event)
  if is_fine then
    return ngx.HTTP_OK
  end
  ngx.log(ngx.ERR, "connectly: webhook: a handler of kind ", event.kind, " raised an error at ", place)
  return ngx.HTTP_INTERNAL_SERVER_ERROR
end

local function handle_once(self, event)
  local key = key_of(event)
  local claim = self.claims:take(key)
  if claim == "done" then
    return ngx.HTTP_OK
  elseif claim == "busy" then
    ngx.header["Retry-After"] = "10"
    return ngx.HTTP_SERVICE_UNAVAILABLE
  end
  local status = handle(self, event)
  if status == ngx.HTTP_OK then
    self.claims:finish(key)
  else
    self.claims:release(key)
  end
  return status
end

--- Serves a request. Returns the response status.
local function serve(self)
  if ngx.req.get_method() ~= "POST" then
    ngx.header.Allow = "POST"
    return ngx.HTTP_NOT_ALLOWED
  end
  local body, refusal = read_body(self.max_body)
  if not body then
    return refusal
  end
  if not self.webhook:verify(body, ngx.var[SIGNATURE]) then
    ngx.log(ngx.WARN, "connectly: webhook: its signature is missing or of another secret")
    return ngx.HTTP_UNAUTHORIZED
  end
  local event = self.webhook:parse(body)
  if self.store and not remember(self.store, event) then
    return ngx.HTTP_INTERNAL_SERVER_ERROR -- so that the API delivers the event again
  end
  return (self.claims and handle_once or handle)(self, event)
end

---@class connectly.openresty.WebhookOptions
---@field secret string? exactly one of `secret` and `secrets` is required
---@field secrets string[]? all are accepted, so that one can replace another
---@field on_status fun(event: connectly.WebhookEvent)?
---@field on_message fun(event: connectly.WebhookEvent)?
---@field on_button fun(event: connectly.WebhookEvent)?
---@field on_report fun(event: connectly.WebhookEvent)?
---@field on_unknown fun(event: connectly.WebhookEvent)? events of no documented shape
---@field on_event fun(event: connectly.WebhookEvent)? every event, after the handler of its kind
---@field store table? a connectly.webhook.status_store that gets every status before the handlers run
---@field dedupe string? name of a lua_shared_dict to detect duplicates; without it repeated events are handled again
---@field dedupe_seconds number? how long to remember a handled event; default 86400
---@field max_body integer? bytes; default 1 MiB; nginx's client_max_body_size applies as well

---Creates a content handler for webhooks. It accepts only POST (else 405), bodies of at
---most `max_body` bytes (413) and valid signatures (401). With `dedupe` it handles each
---event once. It runs the handlers and answers 200; when a handler raises an error, it
---answers 500, so that the API delivers the event again. Raises a connectly.Error of kind
---`config` when the options are wrong. API: webhooks, delivery mechanics.
---@param options connectly.openresty.WebhookOptions
---@return fun() handler for content_by_lua
local function new(options)
  check_types(options)
  check_handlers(options)
  local self = {
    webhook = webhook.new { secret = options.secret, secrets = options.secrets },
    claims = make_claims(options), max_body = check_positive(options, "max_body", MAX_BODY),
    on_event = options.on_event, store = check_store(options.store),
  }
  for _, name in pairs(HANDLER) do
    self[name] = options[name]
  end
  return function()
    return ngx.exit(serve(self))
  end
end

return new
