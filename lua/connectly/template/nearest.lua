-- Suggests names similar to a wrong one.

local native = require "connectly.loader"

-- Only the beginning of a longer name is compared, as far as core compares.
local LENGTH_MAX = 48

local SHOWN_MAX = 3

--- Ignores case and the difference between hyphens and underscores, the most common mistakes.
local function plain(name)
  return (name:lower():gsub("%-", "_"):sub(1, LENGTH_MAX))
end

--- Returns up to three similar names, the nearest first.
---@param wanted string
---@param names string[]
---@return string[]
return function(wanted, names)
  local candidates, sought = {}, plain(wanted)
  local limit = math.max(2, math.floor(#sought / 3))
  for _, name in ipairs(names) do
    local candidate = plain(name)
    if math.abs(#candidate - #sought) <= limit then
      local far = native.distance(sought, candidate)
      candidates[#candidates + 1] = far <= limit and { name = name, far = far } or nil
    end
  end
  table.sort(candidates, function(a, b) return a.far < b.far or a.far == b.far and a.name < b.name end)
  local nearest = {}
  for index = 1, math.min(SHOWN_MAX, #candidates) do
    nearest[index] = candidates[index].name
  end
  return nearest
end
