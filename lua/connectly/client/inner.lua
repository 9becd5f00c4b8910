-- What belongs to a client, kept from its users: how its calls begin, are waited for and
-- end. Calls in the background, send_many and hosts use the same object.

local native = require "connectly.loader"
local errors = require "connectly.errors"
local events = require "connectly.client.events"
local reply = require "connectly.client.reply"

local finish = reply.finish

-- Seconds in C at a time while a call is waited for. Between two slices Lua runs
-- its hooks, by which the standalone interpreter stops a script on Ctrl-C.
local SLICE = 0.1

---@class connectly.Info
---@field attempts integer requests tried, those of an outage too
---@field elapsed number seconds from call to reply
---@field http_version "1.0"|"1.1"|"2"|"3"|""
---@field status integer
---@field change ("created"|"updated"|"none")? of ensure_webhook alone

local inner = {}
inner.__index = inner
for name, method in pairs(events) do
  inner[name] = method
end

--- Starts a call: its ticket; or nil and the error, told as any call's end is. `anchor`,
--- of native:anchor, is bound to it. With a `batch` the message is what native:encode
--- made of it.
function inner:submit(operation, message, group, anchor, batch)
  local ticket, second
  if self.is_closing then -- while it is drained, giving way, it is closed to others already
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
  local wanted, pause = self.native:slots_wanted()
  if pause then
    self.limiter:pause(pause)
  end
  if wanted > 0 then
    return self.limiter:reserve(wanted, function(at) self.native:give_slot(at) end,
      function(name, reason) self:emit({ name = name, reason = reason }) end)
  end
end

--- With a shared limiter: reserves the departures that are wanted, and tells of a
--- 429. Returns seconds until it should be called again, or nil.
function inner:pump()
  if not self.limiter or self.is_pumping then
    return
  end
  self.is_pumping = true -- a limiter may give way to the host's loop
  local is_fine, again = pcall(ask_limiter, self)
  self.is_pumping = false
  if not is_fine then
    error(again, 0)
  end
  return again
end

--- Waits until a call has ended: true, or false after `timeout` seconds.
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

--- `signal` is the host's where it is known that the host may be given way to.
local function wait(self, ticket, timeout, signal)
  if signal or self.host and self.host:may_wait("waiting for a call") then
    return self.host:wait(ticket, timeout, signal)
  end
  return self:wait_blocking(ticket, timeout)
end

--- Waiting was left by an error: where it blocks, whatever it was, the program
--- wants to end.
function inner:interrupted(problem)
  if not self:hurry_when_interrupted(problem) and not self.host then
    self.native:hurry()
  end
end

--- The same; Ctrl-C and a caller's hooks leave it by an error.
function inner:wait(ticket, timeout)
  local is_fine, ended = pcall(wait, self, ticket, timeout)
  if not is_fine then
    self:interrupted(ended)
    error(ended, 0)
  end
  return ended
end

--- value, info; or nil, error: of what native:result gave.
function inner:finish(operation, value, second, info, text)
  if self.on_event then
    self:emit_pending()
  end
  return finish(operation, value, second, info, text)
end

--- Gives way to the host's loop while it waits, if there is one: then the call is
--- carried by the client's thread. true and, where it gives way, a signal to wait at; or
--- nil and an error.
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

--- A call was started that is not waited for yet. With a shared limiter the host's loop
--- reserves its departure, or else this does, once. An error of either must not cost the
--- call that was started: its caller asks again when it waits, and gets the error.
function inner:attend()
  if not self.limiter then
    return
  end
  local is_fine, problem = pcall(reserve_departures, self)
  if not is_fine and self:hurry_when_interrupted(problem) then
    error(problem, 0)
  end
end

--- The rest; the first was needed until now, which a compiler must be told.
local function after(_, ...)
  return ...
end

--- A whole call: value, info; or nil, error. `batch`: see submit.
function inner:perform(operation, message, batch)
  local is_ready, second = self:make_ready(operation, operation)
  if not is_ready then
    return nil, second
  end
  -- A request of nginx that is ended while it waits ends without a word: then its
  -- result is given up with this.
  local anchor = self.host and self.native:anchor() or nil
  local ticket, problem = self:submit(operation, message, nil, anchor, batch)
  if not ticket then
    return nil, problem
  end
  local is_done, interruption = pcall(wait, self, ticket, nil, second)
  if not is_done then
    -- Nothing stays in flight unseen.
    self:interrupted(interruption)
    self:forget(ticket)
    self.native:forget(ticket)
    pcall(self.emit_pending, self)
    error(interruption, 0)
  end
  return after(anchor, self:finish(operation, self.native:result(ticket)))
end

--- Results that nobody holds any more keep their places until the collector has come
--- by, which a program with a large heap lets do so seldom.
function inner:make_room()
  if not self.native:has_room() then
    collectgarbage() -- the call
    collectgarbage() -- and, on LuaJIT, what hung on it by a weak key
  end
end

--- Makes ready for calls on the client's thread: true, or nil and the error.
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

--- Waits until nothing is under way, `seconds` at most; in slices, for Ctrl-C.
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

--- The signal is set when the call has ended.
function inner:expect(ticket, signal)
  self.host:expect(ticket, signal)
end

function inner:forget(ticket)
  if self.host then
    self.host:forget(ticket)
  end
end

--- Makes progress, until a call of the group has ended or a moment has passed.
function inner:step(group, signal, is_for_room)
  if signal then
    return self.host:wait_at(signal, is_for_room)
  end
  self.native:step(math.min(self:pump() or SLICE, SLICE), nil, group)
  self:emit_pending()
end

return inner
