-- Compares the header of a message, or of one card, with its template's header.

local fields = require "connectly.template.fields"
local variables = require "connectly.template.variables"

local UNKNOWN = "the template's header is of a kind that is not known here"

--- Returns the kind of parameter that a header takes, or nil when it takes none.
local function taken_by(header)
  if not header or header.kind == "text" and not variables.has_any(header.text) then
    return nil
  end
  return header.kind
end

local function with_article(kind)
  return (kind:find("^[aeiou]") and "an " or "a ") .. kind
end

local function describe(header)
  if not header then
    return "the template has no header"
  end
  local is_fixed = header.kind == "text" and not taken_by(header)
  return "the template's header is " .. with_article(header.kind) .. (is_fixed and " without a variable" or "")
end

local function check_given(notes, header, given)
  for _, kind in ipairs(fields.header_kinds) do
    if given[kind] and kind ~= taken_by(header) then
      notes:problem(given[kind].path, ("%s, %s was given"):format(describe(header), with_article(kind)))
    end
  end
end

local function check_missing(notes, header, path)
  if header.kind ~= "text" then
    return notes:missing(path, "missing: " .. describe(header))
  end
  local found = variables.find(header.text)
  notes:named_variables(path, "the template's header", found.names)
  if found.numbers[1] then
    notes:missing(path, "missing: the template's header has a variable")
  end
end

--- `place` has `name`, the path of the header; `path(kind)`, which returns the path of a parameter;
--- and `sends`, the set of kinds for which a parameter exists.
return function(notes, parts, given, place)
  local header = parts.header
  local taken = taken_by(header)
  if header and header.kind == "unknown" then
    notes:cannot_tell(place.name, UNKNOWN)
  elseif not header and parts.has_unknown then
    if next(given) then
      notes:cannot_tell(place.name, UNKNOWN)
    end
  elseif taken and not place.sends[taken] then
    notes:cannot_tell(place.name, describe(header) .. ", for which the API documents no parameter here")
  else
    check_given(notes, header, given)
    if taken and not next(given) then
      check_missing(notes, header, place.path(taken))
    end
  end
end
