-- Calls in the background, as client:start returns them: they make progress while the
-- program does something else.

local errors = require "connectly.errors"
local private = require "connectly.private"

-- The private state of each call.
local inner_of, inner = private.new("call", "call")

local methods = {}

--- Returns the result. Reads it from the C module once and keeps it.
local function take(self)
  if not self.result then
    self.result = { self.client:finish(self.operation, self.client.native:result(self.ticket)) }
    self.anchor = nil
  end
  return self.result[1], self.result[2]
end

---Waits for the call to end and returns what the blocking call would have returned.
---When the call has not ended after `timeout` seconds, the error has kind `timeout`;
---wait may be called again.
---@param timeout number? seconds; default: no limit
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

---Tells whether the call has ended.
---@return boolean
function methods.done(self)
  return self.result ~= nil or self.client.native:is_done(self.ticket)
end

---Requests cancellation. The call ends soon after: as canceled, or with its ordinary
---result when that came first. wait returns which, and whether the message may have arrived.
---@return boolean was_under_way
function methods.cancel(self)
  local was_under_way = not methods.done(self)
  self.client.native:cancel(self.ticket)
  return was_under_way
end

local calls = {}

--- Makes the metatable of calls for one API: `deliver` raises errors (connectly) or returns them (connectly.safe).
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

--- Returns a constructor of calls. The constructor returns the call and its state. The caller
--- sets the state's `ticket` after submitting; `anchor` is bound to the call by submit.
--- `client` has native, wait and finish (connectly.client.inner).
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
