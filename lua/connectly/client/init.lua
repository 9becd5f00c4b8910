-- Clients. connectly raises the errors that connectly.safe returns; the methods are the same.

local native = require "connectly.loader"
local inner_class = require "connectly.client.inner"
local json = require "connectly.json"
local methods = require "connectly.client.methods"
local options = require "connectly.client.options"
local parts = require "connectly.client.parts"
local private = require "connectly.private"

-- The inner object of each client, kept outside of it: printing a client shows none of its state.
local inner_of, inner = private.new("client", "client")

--- Makes the metatable of clients for one API: `deliver` raises errors or returns them.
local function make_class(deliver)
  local class = {}
  for name, method in pairs(methods) do
    class[name] = function(client, ...)
      return deliver(method(inner(client, name), ...))
    end
  end
  local function close(client, problem)
    local self = inner_of[client]
    methods.close(self, self:hurry_when_interrupted(problem) and 0 or nil)
  end
  local function describe(client)
    return ("connectly.client (%s)"):format(inner_of[client].native:is_closed() and "closed" or "open")
  end
  return {
    __name = "connectly.client", __metatable = "connectly.client",
    __index = class, __close = close, __tostring = describe,
  }
end

local function raise(value, second, ...)
  if value == nil then
    error(second, 0)
  end
  return value, second, ...
end

local function hand_back(...)
  return ...
end

--- Returns a host for an event loop that need not be attached (nginx's); nil when there is
--- none; or nil and an error.
local function find_host(self)
  local ngx = rawget(_G, "ngx")
  if type(ngx) ~= "table" or not ngx.get_phase then
    return nil
  end
  local host, problem = parts.load "connectly.client.host"
  local driver, second = parts.load "connectly.openresty.host"
  if not host or not driver then
    return nil, problem or second
  end
  return host.new(self, driver)
end

--- Returns a function that loads the constructor of background calls on first use.
local function call_loader(deliver)
  local new_call
  return function()
    local call, problem
    if not new_call then
      call, problem = parts.load "connectly.client.call"
      new_call = call and call.make_constructor(deliver)
    end
    return new_call, problem
  end
end

-- Absent fields are false: for a nil field Lua would look into the class each time.
local function new_inner(handle, given, load_call)
  return setmetatable({
    native = handle, on_event = given.on_event or false, call_constructor = load_call, groups = 0,
    timeout = given.timeout or 30, limiter = given.limiter or false, status_store = given.status_store or false,
    host = false, is_closing = false, is_pumping = false,
  }, inner_class)
end

--- Returns the inner object of a new client; or nil and an error.
local function open(given, load_call)
  local is_table = type(given) == "table"
  local handle, problem = native.new(given, json.encode, is_table and given.on_event ~= nil, is_table and given.limiter ~= nil)
  problem = problem or options.refuse(given)
  if problem then
    return nil, problem
  end
  local self = new_inner(handle, given, load_call)
  local host, reason = find_host(self)
  self.host = host or false
  return not reason and self or nil, reason
end

--- Returns a constructor of clients whose methods pass their results to `deliver`.
local function make_constructor(deliver)
  local metatable = make_class(deliver)
  local load_call = call_loader(deliver)
  return function(given)
    local self, problem = open(given == nil and {} or given, load_call)
    if not self then
      return deliver(nil, problem)
    end
    local client = setmetatable({}, metatable)
    inner_of[client] = self
    return client
  end
end

--- Makes a client wait through a driver's event loop (connectly.loop).
local function attach(client, driver)
  local self = inner(client, "attach")
  if self.host and next(self.host.signals) ~= nil then
    error("connectly: attach: calls of the client are being waited for in the loop that it is attached to", 3)
  end
  self.host = require("connectly.client.host").new(self, driver)
  return client
end

return { new = make_constructor(raise), new_safe = make_constructor(hand_back), attach = attach }
