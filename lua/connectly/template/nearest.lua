-- Suggests names similar to a wrong one.

-- Only the beginning of a longer name is compared: the cost grows with the product of the two
-- lengths.
local LENGTH_MAX = 80

local SHOWN_MAX = 3

--- Returns the Levenshtein distance of two names.
local function distance(one, other)
  local row = {}
  for column = 0, #other do
    row[column] = column
  end
  for line = 1, #one do
    local diagonal, letter = row[0], one:byte(line)
    row[0] = line
    for column = 1, #other do
      local above = row[column]
      local replaced = diagonal + (other:byte(column) == letter and 0 or 1)
      row[column] = math.min(replaced, above + 1, row[column - 1] + 1)
      diagonal = above
    end
  end
  return row[#other]
end

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
      local far = distance(sought, candidate)
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
