-- Compares the URL suffixes of a message, or of one card, with its template's buttons. An index
-- counts all buttons, not only those with an address.

local variables = require "connectly.template.variables"

local UNKNOWN = "the template's button is of a kind that is not known here"

local WITHOUT_ADDRESS = { quick_reply = "a quick reply", phone = "a telephone number" }

local function check_given(notes, button, value)
  if WITHOUT_ADDRESS[button.kind] then
    notes:problem(value.path, ("the template's button is %s, which takes no address"):format(WITHOUT_ADDRESS[button.kind]))
  elseif not button.url then
    notes:cannot_tell(value.path, UNKNOWN)
  elseif not variables.has_any(button.url) and button.is_sure then
    notes:problem(value.path, "the address of the template's button has no variable")
  elseif not variables.has_any(button.url) then
    notes:cannot_tell(value.path, "no variable is seen in the address of the template's button")
  end
end

local function check_not_given(notes, button, path)
  if button.url and variables.has_any(button.url) then
    notes:missing(path, "missing: the address of the template's button has a variable")
  elseif button.kind == "unknown" or button.kind == "url" and not button.url then
    notes:cannot_tell(path, UNKNOWN)
  end
end

--- Returns the given indexes that the template has no button for, in ascending order.
local function surplus(buttons, given)
  local indexes = {}
  for index in next, given do
    indexes[#indexes + 1] = not buttons[index] and index or nil
  end
  table.sort(indexes)
  return indexes
end

--- `path(index)` returns the path of a button's parameter.
return function(notes, parts, given, path)
  for index, button in ipairs(parts.buttons) do
    if given[index] then
      check_given(notes, button, given[index])
    else
      check_not_given(notes, button, path(index))
    end
  end
  local there = #parts.buttons
  for _, index in ipairs(surplus(parts.buttons, given)) do
    if parts.has_unknown then
      notes:cannot_tell(given[index].path, "the template has parts that are not known here")
    else
      notes:problem(given[index].path, there == 1 and "the template has 1 button"
        or ("the template has %d buttons"):format(there))
    end
  end
end
