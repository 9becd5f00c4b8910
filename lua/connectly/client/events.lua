-- The events that a client passes to `on_event`. The functions are methods of the inner
-- object (connectly.client.inner).

local errors = require "connectly.errors"
local interrupts = require "connectly.client.interrupts"

---@class connectly.Event
---@field name "start"|"attempt"|"retry"|"throttled"|"done"|"limiter_lost"|"limiter_back"
---@field operation string? absent from the limiter's events
---@field call integer? number of the call, counted from 1 in each client
---@field attempt integer? of attempt, retry and throttled: number of the attempt
---@field attempts integer? of done: number of attempts
---@field delay number? of retry and throttled: seconds to wait
---@field reason string? of retry: why the call may be retried; of limiter_lost: what failed
---@field kind string? of attempt and done: the error's kind
---@field outcome string? of attempt and done: the error's outcome
---@field code string? of done: the API's error code
---@field id string? of done: the message's id
---@field status integer?
---@field http_version string?
---@field elapsed number? of done: seconds
---@field timings connectly.Timings? of attempt

---@class connectly.Timings seconds since the attempt began; a phase that was not reached is absent
---@field dns number?
---@field connect number?
---@field tls number?
---@field first_byte number?
---@field total number?

local events = {}

--- Ends all calls at once when the error is the interpreter's response to Ctrl-C. Returns whether it is.
function events:hurry_when_interrupted(problem)
  if interrupts.is_interrupt(problem) then
    self.native:hurry()
    return true
  end
  return false
end

function events:emit(event)
  if not self.on_event then
    return
  end
  -- An error in a logger must not lose the result of a message that was sent.
  local is_fine, problem = pcall(self.on_event, event)
  if not is_fine and self:hurry_when_interrupted(problem) then
    error(problem, 0)
  elseif not is_fine and not self.has_complained then
    self.has_complained = true
    io.stderr:write("connectly: on_event raised: ", tostring(problem), "\n")
  end
end

--- Emits the queued events in the order in which they happened.
function events:emit_pending()
  if not self.on_event then
    return
  end
  local event = self.native:next_event()
  while event do
    self:emit(event)
    event = self.native:next_event()
  end
end

--- Emits the events of a call that failed before it was submitted. Returns the error.
function events:tell_refused(operation, problem)
  self:emit({ name = "start", operation = operation })
  self:emit({
    name = "done", operation = operation, kind = problem.kind, outcome = problem.outcome, attempts = 0, elapsed = 0,
  })
  return problem
end

--- Emits the start of a call. Returns its ticket; or nil and the error, which is emitted as well.
function events:tell_begun(operation, ticket, second)
  if not ticket then
    return nil, self:tell_refused(operation, errors.complete(second))
  end
  local is_told, problem = pcall(self.emit, self, { name = "start", operation = operation, call = second })
  if not is_told and interrupts.is_interrupt(problem) then
    self.native:forget(ticket)
    error(problem, 0)
  end
  return ticket
end

return events
