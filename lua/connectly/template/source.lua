-- Fetches the list of a client's templates when needed and caches it.

local lists = require "connectly.template.list"

local source = {}

local DEFAULT_MAX_AGE = 300 -- seconds

--- Returns a function that returns the list, or nil and the error. `fetch` does the same and may
--- yield to the host's loop. Failures are not cached.
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
    -- A list without templates is not cached: there may soon be some. Fetches may overlap, so an
    -- older list must not replace a newer one.
    if lists.has_any(list) and not (kept and fetched_at > asked_at) then
      kept, fetched_at = list, asked_at
    end
    return list
  end
end

return source
