-- Checks the options of a function: a table of known names, each with a value of its type.

local options = {}

local function names_of(known)
  local names = {}
  for index, option in ipairs(known) do
    names[index] = option[1]
  end
  return names
end

local function list(names)
  local last = table.remove(names)
  return names[1] and table.concat(names, ", ") .. " and " .. last or last
end

local function type_of(known, name)
  for _, option in ipairs(known) do
    if option[1] == name then
      return option[2]
    end
  end
  return nil
end

--- Returns the name of the first option that is wrong and what is wrong with it, or nil.
---@param given any what the caller passed
---@param known string[][] name and type of each option; "any" for one that the caller checks
---@param hidden string? for options of which an unknown name may be a misplaced secret: what to say instead, with
---"%s" for the names that are known
---@return string? name
---@return string? problem
function options.fault(given, known, hidden)
  if type(given) ~= "table" then
    return "options", "table expected, got " .. type(given)
  end
  for name, value in pairs(given) do
    local wanted = type_of(known, name)
    if not wanted and hidden then
      return "options", hidden:format(table.concat(names_of(known), ", "))
    elseif not wanted then
      return tostring(name), "no such option; there " .. (known[2] and "are " or "is ") .. list(names_of(known))
    elseif wanted ~= "any" and type(value) ~= wanted then
      return name, ("%s expected, got %s"):format(wanted, type(value))
    end
  end
  return nil
end

return options
