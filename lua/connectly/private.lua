-- The private state of objects, kept outside of them: printing an object shows none of it.

local private = {}

--- The states of the objects of one class, by object, which a state does not keep alive; and a
--- function that returns the state of an object and raises an error at the caller of the method
--- that calls it when the value is no such object.
---@param class string what an error calls such an object: "client"
---@param variable string what an error calls a variable that holds one: "client"
---@return table<table, any> states
---@return fun(object: any, method: string): any state_of
function private.new(class, variable)
  local states = setmetatable({}, { __mode = "k" })
  return states, function(object, method)
    local state = states[object]
    if not state then
      error(("connectly: %s expected, got %s (call it as %s:%s(...))"):format(class, type(object), variable, method), 3)
    end
    return state
  end
end

return private
