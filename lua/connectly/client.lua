-- The client's methods, written once in the form that returns nil and an error;
-- connectly raises what connectly.safe returns.

local native = require "connectly.loader"
local errors = require "connectly.errors"
local json = require "connectly.json"

-- Seconds in C at a time while a call is waited for. Between two slices Lua runs
-- its hooks, by which the standalone interpreter stops a script on Ctrl-C.
local SLICE = 0.1

---@class connectly.Options
---@field api_key string? default: CONNECTLY_API_KEY
---@field business_id string? default: CONNECTLY_BUSINESS_ID
---@field base_url string? default: CONNECTLY_BASE_URL, else https://api.connectly.ai; http:// only for loopback
---@field sender string? default sender, E.164
---@field timeout number? seconds for all of one call; default 30
---@field connect_timeout number? seconds; default 5
---@field max_attempts integer? default 3
---@field rate number? requests in any second; default 200
---@field max_in_flight integer? calls at once; default 64
---@field max_connections integer? default 16
---@field ca_file string? certificates to trust instead of the system's
---@field ca_path string? the same as a hashed directory
---@field proxy string? default: https_proxy and its kin
---@field http2 boolean? default true
---@field retry_unknown boolean? at least once instead of at most once; default false
---@field limiter any a shared limiter
---@field on_event fun(event: connectly.Event)? told of each call's start and end

---@class connectly.Event
---@field name "start"|"done"
---@field operation string
---@field id string? of a success
---@field kind string? of a failure
---@field outcome string? of a failure
---@field code string?
---@field status integer?
---@field attempts integer?
---@field elapsed number? seconds
---@field http_version string?

---@class connectly.Info
---@field attempts integer requests made
---@field elapsed number seconds from call to reply
---@field http_version "1.0"|"1.1"|"2"|"3"|""
---@field status integer

-- What belongs to a client, kept from its users: a printed client shows nothing.
local inner_of = setmetatable({}, { __mode = "k" })

local function inner(client, method)
  local found = inner_of[client]
  if not found then
    error(("connectly: client expected, got %s (call it as client:%s(...))"):format(type(client), method), 4)
  end
  return found
end

local function emit(self, event)
  if not self.on_event then
    return
  end
  -- A logger that fails must not cost the result of a message that was sent.
  local is_fine, problem = pcall(self.on_event, event)
  if not is_fine and not self.has_complained then
    self.has_complained = true
    io.stderr:write("connectly: on_event raised: ", tostring(problem), "\n")
  end
end

local function emit_done(self, operation, id, err, info)
  if not self.on_event then
    return
  end
  info = info or {}
  emit(self, {
    name = "done", operation = operation, id = id,
    kind = err and err.kind, outcome = err and err.outcome, code = err and err.code,
    status = info.status ~= 0 and info.status or nil, attempts = info.attempts, elapsed = info.elapsed,
    http_version = info.http_version,
  })
end

local function wait(handle, ticket)
  repeat
    handle:step(SLICE)
  until handle:is_done(ticket)
end

--- Starts a call and waits for it: value, info; or nil, error, info.
local function run(self, operation, message)
  local handle = self.native
  local ticket, problem = handle:submit(operation, message)
  if not ticket then
    return nil, problem
  end
  -- Ctrl-C and a caller's hooks leave by an error: nothing stays in flight unseen.
  local is_done, interruption = pcall(wait, handle, ticket)
  if not is_done then
    handle:forget(ticket)
    error(interruption, 0)
  end
  return handle:result(ticket)
end

--- A whole call with its events: value, info; or nil, error.
local function perform(self, operation, message)
  emit(self, { name = "start", operation = operation })
  local value, second, third = run(self, operation, message)
  if value == nil then
    local err = errors.complete(second)
    emit_done(self, operation, nil, err, third)
    return nil, err
  end
  emit_done(self, operation, operation ~= "request" and value or nil, nil, second)
  return value, second
end

local methods = {}

---Sends a template message. API: template message.
---@param message table
---@return string? id the API's id, a ULID
---@return connectly.Info|connectly.Error
function methods.send_template(self, message)
  return perform(self, "send_template", message)
end

---Sends a session (free-form) message, allowed within 24 hours of the
---customer's last one. API: session message.
---@param message table
---@return string? id
---@return connectly.Info|connectly.Error
function methods.send_session(self, message)
  return perform(self, "send_session", message)
end

---Any other request below /v1/businesses/{businessId}, with the same errors and
---the same care: { method =, path =, body = a table, or JSON as a string }.
---@param request {method: string, path: string, body: any}
---@return any? reply the decoded reply; an empty table when it had no body
---@return connectly.Info|connectly.Error
function methods.request(self, request)
  json.load()
  local body, second = perform(self, "request", request)
  if body == nil then
    return nil, second
  end
  return body == "" and {} or json.decode(body), second
end

---The exact JSON that would go; nothing is sent, nothing is opened.
---@param operation string "send_template", "send_session" or "request"
---@param message table
---@return string? body
---@return {method: string, path: string}|connectly.Error
function methods.dry_run(self, operation, message)
  local body, second, path = self.native:encode(operation, message)
  if body == nil then
    return nil, errors.complete(second)
  end
  return body, { method = second, path = path }
end

---Closes the connections and forgets the key. Calls after it fail with kind
---`closed`. Harmless when done before.
function methods.close(self)
  self.native:close()
  return true
end

--- One metatable a face: `deliver` raises or returns.
local function make_class(deliver)
  local class = {}
  for name, method in pairs(methods) do
    class[name] = function(client, ...)
      return deliver(method(inner(client, name), ...))
    end
  end
  local function close(client)
    inner_of[client].native:close()
  end
  local function describe(client)
    return ("connectly.client (%s)"):format(inner_of[client].native:is_closed() and "closed" or "open")
  end
  return {
    __name = "connectly.client", __metatable = "connectly.client",
    __index = class, __close = close, __tostring = describe,
  }
end

local function raise(value, second)
  if value == nil then
    error(second, 0)
  end
  return value, second
end

local function hand_back(...)
  return ...
end

--- A constructor of clients whose methods `deliver` so.
local function make_constructor(deliver)
  local metatable = make_class(deliver)
  return function(options)
    options = options == nil and {} or options
    local handle, problem = native.new(options, json.encode)
    if not handle then
      return deliver(nil, problem)
    end
    local on_event = options.on_event
    if on_event ~= nil and type(on_event) ~= "function" then
      return deliver(nil, errors.config("on_event", "function expected, got " .. type(on_event)))
    end
    local client = setmetatable({}, metatable)
    inner_of[client] = { native = handle, on_event = on_event }
    return client
  end
end

return { new = make_constructor(raise), new_safe = make_constructor(hand_back) }
