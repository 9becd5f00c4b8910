-- The list of a client's templates, fetched when it is wanted and kept for a while.

local lists = require "connectly.template.list"

local source = {}

local DEFAULT_MAX_AGE = 300 -- seconds

--- A function that gives the list, or nil and the error; `fetch` does the same, and
--- may give way to the host's loop. What it could not fetch is not remembered.
---@param fetch fun(): any, connectly.Error?
---@param clock fun(): number seconds
---@return fun(options: {max_age: number?, refresh: boolean?}): any, connectly.Error?
function source.new(fetch, clock)
  local kept, fetched_at
  return function(options)
    local max_age = options.refresh and 0 or options.max_age or DEFAULT_MAX_AGE
    if kept and clock() - fetched_at < max_age then
      return kept
    end
    local asked_at = clock()
    local list, problem = fetch()
    if list == nil then
      return nil, problem
    end
    -- What holds no template is asked for again: perhaps there will be one soon. And
    -- what was asked for later may have come before.
    if lists.has_any(list) and not (kept and fetched_at > asked_at) then
      kept, fetched_at = list, asked_at
    end
    return list
  end
end

return source
