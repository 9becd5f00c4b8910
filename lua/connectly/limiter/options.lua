-- Checks the options of a limiter's constructor. A wrong option is a mistake of the program, so
-- it raises an error in connectly and in connectly.safe.

local errors = require "connectly.errors"

local options = {}

function options.refuse(name, problem)
  error(errors.config(name, problem), 0)
end

local function check_field(rule, name, value)
  if type(value) ~= rule.type then
    options.refuse(name, ("%s expected, got %s"):format(rule.type, type(value)))
  end
  if rule.allows and not rule.allows(value) then
    options.refuse(name, rule.expected .. " expected")
  end
end

--- Returns a copy with defaults. `rules`: name -> { type, default, is_required, allows, expected }.
function options.check(given, rules)
  if type(given) ~= "table" then
    options.refuse("limiter", ("a table of options expected, got %s"):format(type(given)))
  end
  local checked = {}
  for name in pairs(given) do
    if not rules[name] then
      options.refuse(tostring(name), "no such option")
    end
  end
  for name, rule in pairs(rules) do
    local value = given[name]
    if value == nil then
      value = rule.default
    end
    if value ~= nil or rule.is_required then
      check_field(rule, name, value)
    end
    checked[name] = value
  end
  return checked
end

-- Both limiters have this option.
options.rate = {
  type = "number", default = 200, expected = "a number above 0",
  allows = function(value) return value > 0 and value < math.huge end,
}

function options.text(default)
  return { type = "string", default = default, expected = "a text", allows = function(value) return value ~= "" end }
end

return options
