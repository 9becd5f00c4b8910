-- client:send_many: sends messages with a bounded number in flight and returns their results;
-- memory use does not grow with the number of messages.

local checks = require "connectly.options"
local loader = require "connectly.loader"

local clock, process = loader.clock, loader.process

local many = {}

-- Tickets modulo PLACES, which is free again when the call's result has been read, are the keys
-- of the pending table. These keys recur, tickets never do: so the table is not rehashed for ever.
local PLACES = 65536

--- Returns an object; the collector calls `action` once nothing refers to the object.
local function at_end(action)
  if not rawget(_G, "newproxy") then
    return setmetatable({}, { __gc = action })
  end
  local sentinel = newproxy(true) -- luacheck: ignore 113
  getmetatable(sentinel).__gc = action
  return sentinel
end

--- Returns a function that returns the next message of a list or an iterator function, nil at the end.
local function puller(source)
  if type(source) == "function" then
    return source
  end
  local index = 0
  return function()
    index = index + 1
    return source[index]
  end
end

--- Returns the source's next message, or nil when the source raises: the iterator still returns
--- the results of all messages in flight, then raises that error.
local function pull_source(state)
  local is_fine, message = pcall(state.pull)
  if is_fine then
    state.is_over = message == nil
    return message
  elseif state.client:hurry_when_interrupted(message) then
    error(message, 0)
  end
  state.failure, state.has_failed, state.is_over = message, true, true
  return nil
end

--- Returns the next message, taking held-back ones first.
local function pull(state)
  if state.held[1] ~= nil then
    return table.remove(state.held, 1)
  end
  return pull_source(state)
end

--- Submits one message. Returns its result when it was refused at once.
local function take_in(state, message)
  local index = state.index + 1
  state.index = index
  -- The nil fields reserve room for what settle adds.
  local result = { index = index, message = message, id = nil, info = nil }
  local ticket, problem = state.submit(state.client, state.operation, message, state.group)
  if not ticket then
    result.error = problem
    return result
  end
  if state.signal then
    state.client:expect(ticket, state.signal)
  end
  state.pending[ticket % PLACES] = result
  state.in_flight = state.in_flight + 1
end

--- Starts no message while a 429 pauses the client: it would spend its timeout waiting. Pulls
--- one message anyway, to find out whether the source has ended.
local function hold_back(state)
  state.full_since = false
  if state.held[1] == nil then
    table.insert(state.held, pull_source(state))
  end
  return false
end

--- Tells whether a message should be tried although other calls fill the client: when none is in
--- flight here and the client has been full for longer than a call's timeout. It is then refused.
local function is_overdue(state)
  state.full_since = state.full_since or clock()
  return state.in_flight == 0 and clock() - state.full_since > state.client.timeout
end

local function is_exhausted(state)
  return state.is_over and state.held[1] == nil
end

--- Tells whether another message may be submitted.
local function may_take_in(state)
  if state.in_flight >= state.limit or is_exhausted(state) then
    return false
  end
  local has_room, is_paused = state.native:has_room()
  if is_paused then
    return hold_back(state)
  elseif not has_room then
    return is_overdue(state)
  end
  state.full_since = false
  return true
end

--- Submits messages while there is room. Returns the result of one that was refused, or nil.
local function fill(state)
  while may_take_in(state) do
    local message = pull(state)
    if message == nil then
      return nil
    end
    local refused = take_in(state, message)
    if refused then
      return refused
    end
  end
end

--- Returns the result of the message in this place, from the values of native:result. Returns nil
--- when there is none: a hook raised an error after the call began, and that error was raised.
local function settle(state, place, value, second, info, reply)
  local pending = state.pending
  local result = pending[place]
  if not result then
    return nil
  end
  pending[place] = nil
  state.in_flight = state.in_flight - 1
  value, second = state.finish(state.client, state.operation, value, second, info, reply)
  if value == nil then
    result.error = second
  else
    result.id, result.info = value, second
  end
  return result
end

--- The same for the values of native:take_done; returns nil without a ticket.
local function settle_done(state, ticket, value, second, info, reply)
  if not ticket then
    return nil
  end
  if state.signal then
    state.client:forget(ticket)
  end
  return settle(state, ticket % PLACES, value, second, info, reply)
end

local function take_out(state)
  return settle_done(state, state.native:take_done(state.group))
end

--- Tells whether the messages in flight are the parent's: after a fork the child cannot read them.
local function is_parents(state)
  if state.process == process() then
    return false
  elseif state.in_flight == 0 then
    state.process = process()
  end
  return state.in_flight > 0
end

--- Tells whether none of the client's calls is in flight: ended calls can be taken out, and no
--- further call will end.
local function is_idle(state)
  return state.native:is_closed() or state.native:stats().in_flight == 0
end

local NO_TICKET = 0 -- belongs to no call; native:result answers it like a lost call

--- Returns the result of a message in flight whose call this process does not know.
local function settle_lost(state)
  local place = next(state.pending)
  if place == nil then -- a hook raised before it was counted
    state.in_flight = 0
    return nil
  end
  return settle(state, place, state.native:result(NO_TICKET))
end

--- Nothing is in flight and the source has ended: raises the source's error, if there was one.
local function end_of_source(state)
  if state.has_failed then
    state.has_failed = false
    error(state.failure, 0)
  end
  return nil
end

--- Waits a short time. When no call can end any more, returns the result of a remaining message.
local function wait_for_one(state)
  if state.in_flight > 0 and is_idle(state) then
    return take_out(state) or settle_lost(state)
  end
  state.client:step(state.group, state.signal, state.in_flight == 0)
end

local function next_result(state)
  while true do
    if is_parents(state) then
      return settle_lost(state)
    end
    local result = fill(state) or take_out(state)
    if not result and state.in_flight == 0 and is_exhausted(state) then
      return end_of_source(state)
    end
    result = result or wait_for_one(state)
    if result then
      return result
    end
  end
end

--- The same; on Ctrl-C ends all calls at once instead of waiting for them.
local function next_or_interrupt(state)
  local is_fine, result = pcall(next_result, state)
  if not is_fine then
    state.client:hurry_when_interrupted(result)
    error(result, 0)
  end
  return result
end

--- Waits for the messages in flight, except those whose calls can no longer end.
local function let_end(state)
  while state.in_flight > 0 do
    local has_ended = take_out(state)
    if not has_ended and is_idle(state) and not take_out(state) then
      return
    elseif not has_ended then
      state.client:step(state.group, state.signal)
    end
  end
end

--- The caller left the loop early: submits nothing more and waits for what is in flight.
local function finish_early(state, problem)
  state.is_over, state.held = true, {}
  if state.client:hurry_when_interrupted(problem) or is_parents(state) then
    return state.native:detach_group(state.group)
  end
  let_end(state)
end

local KNOWN = { { "operation", "string" }, { "in_flight", "number" } }

--- Returns the options with their defaults. Wrong options are misuse of the library: connectly
--- and connectly.safe both raise them, at `level` of the caller.
function many.check(options, level)
  local function refuse(name, problem)
    error(("connectly: send_many: %s: %s"):format(name, problem), level + 2)
  end
  local name, problem = checks.fault(options, KNOWN)
  if name then
    refuse(name, problem)
  end
  local most = options.in_flight or 1
  if not (most >= 1 and most < PLACES and most % 1 == 0) then
    refuse("in_flight", "a whole number from 1 expected")
  end
  return { operation = options.operation or "send_template", in_flight = options.in_flight or 64 }
end

--- `client` is the inner object of connectly.client. `signal` is the host's, or nil where waiting
--- blocks; `options` are those of many.check.
function many.new(client, group, signal, source, options)
  local native = client.native
  local state = {
    client = client, submit = client.submit, finish = client.finish, native = native, group = group, signal = signal,
    pull = puller(source), operation = options.operation, limit = options.in_flight, index = 0, in_flight = 0,
    pending = {}, held = {}, is_over = false, full_since = false, has_failed = false, process = process(),
  }
  -- On a Lua without to-be-closed variables the collector finds out that the loop was left.
  state.anchor = at_end(function() native:detach_group(group) end)
  local closing = setmetatable({}, { __close = function(_, problem) finish_early(state, problem) end })
  return function() return next_or_interrupt(state) end, nil, nil, closing
end

return many
