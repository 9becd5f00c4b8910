-- The private state of a client: how its calls begin, are waited for and end. Background
-- calls, send_many and hosts use the same object.

local native = require "connectly.loader"
local errors = require "connectly.errors"
local events = require "connectly.client.events"
local reply = require "connectly.client.reply"

local finish = reply.finish

-- Seconds that one blocking call into C may last while waiting. Between two such calls Lua
-- runs its hooks, which the standalone interpreter uses to stop a script on Ctrl-C.
local SLICE = 0.1

---@class connectly.Info
---@field attempts integer number of attempts, including those during an outage
---@field elapsed number seconds from the start of the call to its reply
---@field http_version "1.0"|"1.1"|"2"|"3"|""
---@field status integer
---@field change ("created"|"updated"|"none")? of ensure_webhook only

local inner = {}
inner.__index = inner
for name, method in pairs(events) do
  inner[name] = method
end

--- Starts a call. Returns its ticket; or nil and the error, which is emitted like that of any
--- other call. `anchor`, of native:anchor, is bound to the call. With a `batch` the message is
--- the body that native:encode returned.
function inner:submit(operation, message, group, anchor, batch)
  local ticket, second
  if self.is_closing then -- drain may yield: until it returns, other code must not start calls
    second = errors.new { kind = "closed", outcome = "not_sent", message = "the client is closed" }
  elseif batch then
    ticket, second = self.native:submit_batch(operation, message, batch, anchor)
  else
    ticket, second = self.native:submit(operation, message, group, anchor)
  end
  if ticket and not self.on_event then
    return ticket
  end
  return self:tell_begun(operation, ticket, second)
end

local function ask_limiter(self)
  local wanted, pause = self.native:permits_wanted()
  if pause then
    self.limiter:pause(pause)
  end
  if wanted > 0 then
    return self.limiter:reserve(wanted, function(at) self.native:give_permit(at) end,
      function(name, reason) self:emit({ name = name, reason = reason }) end)
  end
end

--- With a shared limiter: reserves the permits that the calls need, and reports a 429 to the
--- limiter. Returns the seconds until it should be called again, or nil.
function inner:pump()
  if not self.limiter or self.is_pumping then
    return
  end
  self.is_pumping = true -- a limiter may yield to the host's loop
  local is_fine, again = pcall(ask_limiter, self)
  self.is_pumping = false
  if not is_fine then
    error(again, 0)
  end
  return again
end

--- Blocks until a call has ended: returns true, or false after `timeout` seconds.
function inner:wait_blocking(ticket, timeout)
  local handle = self.native
  local left = timeout or math.huge
  while not handle:is_done(ticket) do
    if left <= 0 then
      return false
    end
    local again = self:pump() or SLICE
    local slice = math.min(left, SLICE, again)
    handle:step(slice, ticket)
    left = left - slice
    self:emit_pending()
  end
  return true
end

--- `signal` is the host's when the caller knows that it may yield; else nil.
local function wait(self, ticket, timeout, signal)
  if signal or self.host and self.host:may_wait("waiting for a call") then
    return self.host:wait(ticket, timeout, signal)
  end
  return self:wait_blocking(ticket, timeout)
end

--- Handles an error raised while waiting. Where waiting blocks, any error means that the
--- program wants to end, so all calls are ended at once.
function inner:interrupted(problem)
  if not self:hurry_when_interrupted(problem) and not self.host then
    self.native:hurry()
  end
end

--- The same. Handles the errors of Ctrl-C and of the caller's hooks, then raises them again.
function inner:wait(ticket, timeout)
  local is_fine, ended = pcall(wait, self, ticket, timeout)
  if not is_fine then
    self:interrupted(ended)
    error(ended, 0)
  end
  return ended
end

--- Turns the values of native:result into value, info; or nil, error.
function inner:finish(operation, value, second, info, text)
  if self.on_event then
    self:emit_pending()
  end
  return finish(operation, value, second, info, text)
end

--- Prepares a call that will be waited for. Where the host's loop can be yielded to, the
--- client's thread performs the call. Returns true and, where waiting yields, a signal to wait
--- on; or nil and an error.
function inner:make_ready(what, operation)
  local is_loaded, refusal = reply.load_reader(operation)
  if not is_loaded then
    return nil, refusal
  end
  if not self.host or not self.host:may_wait(what) then
    return true
  end
  local is_ready, problem = self.native:background()
  if not is_ready then
    return nil, errors.complete(problem)
  end
  return true, self.host:signal()
end

local function reserve_departures(self)
  local is_told, is_asked = false, false
  if self.host then
    is_told, is_asked = self.host:listen()
  end
  if not is_told and not is_asked then
    self:pump()
  end
end

--- Called after starting a call that is not waited for yet. With a shared limiter the host's
--- loop reserves its permit; without a listener this function tries once. Errors other
--- than Ctrl-C are dropped, because the call has started: its caller reserves again when it waits,
--- and gets the error then.
function inner:attend()
  if not self.limiter then
    return
  end
  local is_fine, problem = pcall(reserve_departures, self)
  if not is_fine and self:hurry_when_interrupted(problem) then
    error(problem, 0)
  end
end

--- Returns the further arguments. Passing the first keeps it referenced until here, even under a
--- JIT compiler.
local function after(_, ...)
  return ...
end

--- Performs a call and waits for it: value, info; or nil, error. `batch`: see submit.
function inner:perform(operation, message, batch)
  local is_ready, second = self:make_ready(operation, operation)
  if not is_ready then
    return nil, second
  end
  -- nginx may end a request while it waits, without running any more of its code. The
  -- collector then frees the anchor, which discards the call's result.
  local anchor = self.host and self.native:anchor() or nil
  local ticket, problem = self:submit(operation, message, nil, anchor, batch)
  if not ticket then
    return nil, problem
  end
  local is_done, interruption = pcall(wait, self, ticket, nil, second)
  if not is_done then
    -- Leave no call in flight that nothing waits for.
    self:interrupted(interruption)
    self:forget(ticket)
    self.native:forget(ticket)
    pcall(self.emit_pending, self)
    error(interruption, 0)
  end
  return after(anchor, self:finish(operation, self.native:result(ticket)))
end

--- Results without a reference keep their places until the collector runs, which in a program
--- with a large heap is seldom. Runs it when there is no room.
function inner:make_room()
  if not self.native:has_room() then
    collectgarbage() -- frees the call
    collectgarbage() -- and, on LuaJIT, what only a weak key still referenced
  end
end

--- Prepares for calls on the client's thread. Returns true; or nil and the error.
function inner:make_background(operation)
  local is_loaded, refusal = reply.load_reader(operation)
  if not is_loaded then
    return nil, refusal
  end
  local is_ready, problem = self.native:background()
  if not is_ready then
    return nil, errors.complete(problem)
  end
  self:make_room()
  return true
end

--- Waits until no call is in flight, for at most `seconds`; in slices, so that Ctrl-C works.
function inner:drain(seconds)
  local gives_way = self.host and self.host:may_wait("close")
  self.is_closing = true
  if gives_way then
    return self.host:drain(seconds)
  end
  local until_then = native.clock() + seconds
  local left = seconds
  while left > 0 and self.native:drain(math.min(left, self:pump() or SLICE, SLICE)) > 0 do
    self:emit_pending()
    left = until_then - native.clock()
  end
end

--- Registers a signal to be set when the call has ended.
function inner:expect(ticket, signal)
  self.host:expect(ticket, signal)
end

function inner:forget(ticket)
  if self.host then
    self.host:forget(ticket)
  end
end

--- Makes progress until a call of the group has ended, or for a short time.
function inner:step(group, signal, is_for_room)
  if signal then
    return self.host:wait_at(signal, is_for_room)
  end
  self.native:step(math.min(self:pump() or SLICE, SLICE), nil, group)
  self:emit_pending()
end

return inner
