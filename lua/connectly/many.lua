-- client:send_many: messages in, results out, a bounded number in flight, memory
-- that does not grow.

local loader = require "connectly.loader"

local clock, process = loader.clock, loader.process

local many = {}

-- A ticket's place among those in flight, which is free again when its call has
-- been read: as a key of a table it comes back, where tickets never do, so that the
-- table is not made anew for ever.
local PLACES = 65536

--- The next message of a list or of an iterator function, or nil at the end.
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

--- The next message, or nil at the source's end or error.
local function pull(state)
  local is_fine, message = pcall(state.pull)
  if not is_fine and state.client.hurry_when_interrupted(message) then
    error(message, 0)
  elseif not is_fine then
    -- What is in flight is still handed out; then the source's error is raised.
    state.failure, state.has_failed, state.is_over = message, true, true
    return nil
  end
  state.is_over = message == nil
  return message
end

--- Takes one more message in: a result at once when it was refused.
local function take_in(state)
  local message = state.next_message
  state.next_message = nil
  if message == nil then
    message = pull(state)
  end
  if message == nil then
    return
  end
  state.index = state.index + 1
  -- With room for what is added when it has ended.
  local result = { index = state.index, message = message, id = nil, info = nil }
  local ticket, problem = state.client.submit(state.operation, message, state.group)
  if not ticket then
    result.error = problem
    return result
  end
  if state.signal then
    state.client.expect(ticket, state.signal)
  end
  local place = ticket % PLACES
  state.pending[place] = result
  state.tickets[place] = ticket
  state.in_flight = state.in_flight + 1
end

--- While a 429 stops the client nothing is started: it would use up its time in waiting.
--- One message is pulled, so that the end of the list is known.
local function hold_back(state)
  state.full_since = nil
  if state.next_message == nil then
    state.next_message = pull(state)
  end
  return false
end

--- Whether one more may be tried. Other calls of the client may fill it: then they are waited
--- for, as long as a call may take and no longer.
local function may_take_in(state)
  if state.is_over or state.in_flight >= state.limit then
    return false
  end
  local has_room, is_paused = state.client.native:has_room()
  if is_paused then
    return hold_back(state)
  end
  if has_room then
    state.full_since = nil
    return true
  end
  state.full_since = state.full_since or clock()
  return state.in_flight == 0 and clock() - state.full_since > state.client.timeout
end

--- The result of one in flight that has ended, or whose client was closed.
local function settle(state, ticket)
  local place = ticket % PLACES
  local result = state.pending[place]
  state.pending[place], state.tickets[place] = nil, nil
  state.in_flight = state.in_flight - 1
  if state.signal then
    state.client.forget(ticket)
  end
  local value, second = state.client.finish(state.operation, state.client.native:result(ticket))
  if value == nil then
    result.error = second
  else
    result.id, result.info = value, second
  end
  return result
end

local function take_out(state)
  local ticket = state.client.native:first_done(state.group)
  return ticket and settle(state, ticket)
end

--- After a fork the child knows nothing of what the parent has in flight.
local function is_parents(state)
  if state.process == process() then
    return false
  end
  if state.in_flight == 0 then
    state.process = process()
  end
  return state.in_flight > 0
end

local function settle_any(state)
  local _, ticket = next(state.tickets)
  return settle(state, ticket)
end

local function next_result(state)
  while true do
    if is_parents(state) then
      return settle_any(state)
    end
    while may_take_in(state) do
      local refused = take_in(state)
      if refused then
        return refused
      end
    end
    local result = take_out(state)
    if result then
      return result
    end
    if state.in_flight == 0 and state.is_over then
      if state.has_failed then
        state.has_failed = false
        error(state.failure, 0)
      end
      return nil
    end
    if state.client.native:is_closed() and state.in_flight > 0 then
      return settle_any(state)
    end
    state.client.step(state.group, state.signal, state.in_flight == 0)
  end
end

--- The same; Ctrl-C is not kept waiting by what is in flight.
local function next_or_interrupt(state)
  local is_fine, result = pcall(next_result, state)
  if not is_fine then
    state.client.hurry_when_interrupted(result)
    error(result, 0)
  end
  return result
end

--- The loop was left: nothing more is taken in, and what is in flight is let end.
local function finish_early(state, problem)
  state.is_over = true
  if state.client.hurry_when_interrupted(problem) or is_parents(state) then
    return state.client.native:detach_group(state.group)
  end
  while state.in_flight > 0 and not state.client.native:is_closed() do
    if not take_out(state) then
      state.client.step(state.group, state.signal)
    end
  end
end

local KNOWN = { operation = "string", in_flight = "number" }

--- The options with their defaults. Wrong ones are wrong use of the library: raised in
--- both faces, at `level` of the caller.
function many.check(options, level)
  local function refuse(name, expected)
    error(("connectly: send_many: %s: %s"):format(name, expected), level + 2)
  end
  if type(options) ~= "table" then
    refuse("options", "table expected, got " .. type(options))
  end
  for name, value in pairs(options) do
    if not KNOWN[name] then
      refuse(tostring(name), "no such option; there are operation and in_flight")
    elseif type(value) ~= KNOWN[name] then
      refuse(name, ("%s expected, got %s"):format(KNOWN[name], type(value)))
    end
  end
  local most = options.in_flight or 1
  if not (most >= 1 and most < PLACES and most % 1 == 0) then
    refuse("in_flight", "a whole number from 1 expected")
  end
  return { operation = options.operation or "send_template", in_flight = options.in_flight or 64 }
end

--- `client` is what client.lua shares with it.
--- `signal` is the host's, nil where waiting blocks; `options` are of many.check.
function many.new(client, group, signal, source, options)
  local state = {
    client = client, group = group, signal = signal, pull = puller(source), operation = options.operation,
    limit = options.in_flight, index = 0, in_flight = 0, pending = {}, tickets = {}, is_over = false,
    process = process(),
  }
  -- Where the language does not tell that a loop was left, the collector does.
  state.anchor = client.at_end(function() client.native:detach_group(group) end)
  local closing = setmetatable({}, { __close = function(_, problem) finish_early(state, problem) end })
  return function() return next_or_interrupt(state) end, nil, nil, closing
end

return many
