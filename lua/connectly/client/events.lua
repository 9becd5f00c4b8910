-- What a client tells `on_event`. The functions are methods of the inner object
-- (connectly.client.inner).

local errors = require "connectly.errors"
local interrupts = require "connectly.client.interrupts"

---@class connectly.Event
---@field name "start"|"attempt"|"retry"|"throttled"|"done"|"limiter_lost"|"limiter_back"
---@field operation string? of all but the limiter's
---@field call integer? which call, counted from 1 in one client
---@field attempt integer? of attempt, retry and throttled: which
---@field attempts integer? of done: how many there were
---@field delay number? of retry and throttled: seconds
---@field reason string? of retry: why it may be repeated; of limiter_lost: what is wrong
---@field kind string? of attempt and done, when it failed
---@field outcome string? likewise
---@field code string? of done: the API's
---@field id string? of done: the message's
---@field status integer?
---@field http_version string?
---@field elapsed number? of done: seconds
---@field timings connectly.Timings? of attempt

---@class connectly.Timings seconds since the attempt began; absent where it did not come so far
---@field dns number?
---@field connect number?
---@field tls number?
---@field first_byte number?
---@field total number?

local events = {}

--- Ends all calls at once when the error is the interpreter's answer to Ctrl-C: whether it is.
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
  -- A logger that fails must not cost the result of a message that was sent.
  local is_fine, problem = pcall(self.on_event, event)
  if not is_fine and self:hurry_when_interrupted(problem) then
    error(problem, 0)
  elseif not is_fine and not self.has_complained then
    self.has_complained = true
    io.stderr:write("connectly: on_event raised: ", tostring(problem), "\n")
  end
end

--- What happened on the way, in the order in which it happened.
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

--- Tells of a call that ended before it was one.
function events:tell_refused(operation, problem)
  self:emit({ name = "start", operation = operation })
  self:emit({
    name = "done", operation = operation, kind = problem.kind, outcome = problem.outcome, attempts = 0, elapsed = 0,
  })
  return problem
end

--- Tells of a call that has begun: its ticket; or nil and the error, which is told too.
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
