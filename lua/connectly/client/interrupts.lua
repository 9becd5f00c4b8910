-- Ctrl-C: the standalone interpreter raises an error from a hook, which may come out of any
-- call of Lua.

-- Errors of ours that stand for the interpreter's.
local interruptions = setmetatable({}, { __mode = "k" })

local interrupts = {}

--- Whether an error is the interpreter's answer to Ctrl-C, which must reach the script.
function interrupts.is_interrupt(problem)
  return type(problem) == "string" and problem:find("interrupted!", 1, true) ~= nil
    or problem ~= nil and interruptions[problem] == true
end

--- Raises an error that tells what was done before another one came: its `cause`.
function interrupts.raise_for(problem)
  interruptions[problem] = interrupts.is_interrupt(problem.cause) or nil
  error(problem, 0)
end

return interrupts
