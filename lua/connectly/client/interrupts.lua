-- Ctrl-C: the standalone interpreter raises an error from a hook, so that any Lua call may
-- raise it.

-- Errors of this library whose cause is the interpreter's error.
local interruptions = setmetatable({}, { __mode = "k" })

local interrupts = {}

--- Tells whether an error is the interpreter's response to Ctrl-C, which must reach the script.
function interrupts.is_interrupt(problem)
  return type(problem) == "string" and problem:find("interrupted!", 1, true) ~= nil
    or problem ~= nil and interruptions[problem] == true
end

--- Raises an error that reports what was done before another error, its `cause`, was raised.
function interrupts.raise_for(problem)
  interruptions[problem] = interrupts.is_interrupt(problem.cause) or nil
  error(problem, 0)
end

return interrupts
