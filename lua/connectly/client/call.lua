-- A call in the background: client:start gives it, and it goes on without being
-- waited for.

local errors = require "connectly.errors"

-- What belongs to a call, kept from its users.
local inner_of = setmetatable({}, { __mode = "k" })

local function inner(call, method)
  local found = inner_of[call]
  if not found then
    error(("connectly: call expected, got %s (call it as call:%s(...))"):format(type(call), method), 3)
  end
  return found
end

local methods = {}

--- The result, asked for once and then kept.
local function take(self)
  if not self.result then
    self.result = { self.client:finish(self.operation, self.client.native:result(self.ticket)) }
    self.anchor = nil
  end
  return self.result[1], self.result[2]
end

---Waits for the end of the call, and gives what the blocking call would have.
---After `timeout` seconds without an end: kind timeout, and it may be waited for
---again.
---@param timeout number? default: until it ends
---@return any value
---@return connectly.Info|connectly.Error
function methods.wait(self, timeout)
  if self.result then
    return take(self)
  end
  if not self.client:wait(self.ticket, timeout) then
    return nil, errors.new {
      kind = "timeout", outcome = "unknown", message = "the call has not ended yet", hint = "wait for it again",
    }
  end
  return take(self)
end

---Whether the call has ended.
---@return boolean
function methods.done(self)
  return self.result ~= nil or self.client.native:is_done(self.ticket)
end

---Asks for the end of the call. It ends soon after, as canceled or, when it was
---quicker, as it would have; wait says which, and whether it may have arrived.
---@return boolean was_under_way
function methods.cancel(self)
  local was_under_way = not methods.done(self)
  self.client.native:cancel(self.ticket)
  return was_under_way
end

local calls = {}

--- One metatable a face: `deliver` raises or returns.
function calls.make_class(deliver)
  local class = {}
  for name, method in pairs(methods) do
    class[name] = function(call, ...)
      return deliver(method(inner(call, name), ...))
    end
  end
  local function describe(call)
    local self = inner_of[call]
    return ("connectly.call (%s, %s)"):format(self.operation, methods.done(self) and "done" or "under way")
  end
  return { __name = "connectly.call", __metatable = "connectly.call", __index = class, __tostring = describe }
end

--- Makes the calls of one face: a call, and its state, whose `ticket` is set and
--- whose `anchor` is bound when it is submitted. `client` has native, wait and finish
--- (connectly.client.inner).
function calls.make_constructor(deliver)
  local metatable = calls.make_class(deliver)
  return function(client, operation)
    local call = setmetatable({}, metatable)
    local state = { client = client, operation = operation, ticket = false, anchor = client.native:anchor() }
    inner_of[call] = state
    return call, state
  end
end

return calls
